"""Rank uncertainty: a study of 41 candidates and 17 areas, and a large table against a plain pandas loop.

    python benchmarks/ranking.py [study loop]

The loop does in each draw what ours does: it draws the evidence within its rounding, normalizes, draws
weights, aggregates and ranks. It is timed on a few draws of each normalization and aggregation and scaled to
the number that ours makes of each; the report says so. Ours also makes the table of shifts.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pandas as pd
from inputs import Clock, machine, timed

from spatialkz.candidates.scoring.choices import RankChoices
from spatialkz.candidates.scoring.uncertainty import rank_uncertainty

DRAWS, FEW = 10_000, 5
NORMALIZATIONS = ("rank", "minmax", "z", "target")
MEANS = ("arithmetic", "geometric", "topsis")


def table(items: int, indicators: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    cells = pd.DataFrame(rng.lognormal(size=(items, indicators)).round(2) + 0.01).rename(
        index=lambda i: f"item {i:04d}", columns=lambda k: f"indicator {k:02d}"
    )
    return cells, pd.Series(np.where(np.arange(indicators) % 3 == 2, -1, 1), index=cells.columns)


def ours(items: int, indicators: int, choices: RankChoices | None = None, draws: int = DRAWS) -> None:
    evidence, directions = table(items, indicators)
    rounding = (evidence - 0.005, evidence + 0.005)
    rank_uncertainty(evidence, directions, choices, drawn=rounding, draws=draws, rng=1)


def loop_draw(
    evidence: pd.DataFrame, up: pd.Series, normalization: str, aggregation: str, rng: np.random.Generator
) -> pd.Series:
    """One draw as a researcher writes it in pandas."""
    drawn = evidence + rng.uniform(-0.005, 0.005, evidence.shape)
    weights = pd.Series(rng.dirichlet(np.ones(len(up))), index=up.index)
    if normalization == "target":
        values = (drawn / drawn.max()).where(up > 0, drawn.min() / drawn)
    else:
        signed = drawn * up
        if normalization == "rank":
            values = (signed.rank() - 1) / (len(signed) - 1)
        elif normalization == "minmax":
            values = (signed - signed.min()) / (signed.max() - signed.min())
        else:
            values = (signed - signed.mean()) / signed.std(ddof=0)
    if aggregation == "arithmetic":
        scores = (values * weights).sum(axis=1)
    elif aggregation == "geometric":
        low = min(0, values.min().min())
        scores = np.exp(
            (np.log(0.01 + 0.99 * (values - low) / (values.max().max() - low)) * weights).sum(axis=1)
        )
    elif aggregation == "topsis":
        weighted = values * weights
        worst = ((weighted - weighted.min()) ** 2).sum(axis=1) ** 0.5
        scores = worst / (worst + ((weighted - weighted.max()) ** 2).sum(axis=1) ** 0.5)
    else:
        lead = np.zeros((len(values), len(values)))
        for name, column in values.items():
            cells = column.to_numpy()
            lead += weights[name] * np.sign(cells[:, None] - cells[None, :])
        scores = pd.Series(np.sign(np.round(lead, 9)).sum(axis=1), index=values.index)
    return scores.rank(ascending=False, method="first")


def loop_seconds(evidence: pd.DataFrame, up: pd.Series, normalization: str, aggregation: str) -> Clock:
    """Seconds for a draw."""
    rng = np.random.default_rng(1)
    times = 2 if aggregation == "copeland" else FEW
    (clock,) = timed(lambda: loop_draw(evidence, up, normalization, aggregation, rng), times=times)
    return clock


def study() -> None:
    ours(41, 8, draws=100)
    candidates, areas = timed(lambda: ours(41, 8), lambda: ours(17, 8), times=5)
    print(
        f"41 candidates and 17 areas × 8 indicators, {DRAWS:,} draws: {candidates.median:.2f} + "
        f"{areas.median:.2f} s; target 2 s",
        flush=True,
    )


def loop() -> None:
    evidence, up = table(3100, 30)
    for aggregations in ((*MEANS, "copeland"), MEANS):
        choices = RankChoices(NORMALIZATIONS, aggregations)
        ours(3100, 30, choices, draws=100)  # load and compile
        times = 1 if "copeland" in aggregations else 3
        (mine,) = timed(partial(ours, 3100, 30, choices), times=times)
        clocks = [loop_seconds(evidence, up, n, a) for n in NORMALIZATIONS for a in aggregations]
        theirs = DRAWS * float(np.mean([clock.median for clock in clocks]))
        cores = DRAWS * float(np.mean([clock.cores for clock in clocks]))
        print(
            f"3,100 × 30, {DRAWS:,} draws, {', '.join(aggregations)}: ours {mine.median:.1f} s (on cores "
            f"{mine.cores:.1f}), pandas loop {theirs:.0f} s (on cores {cores:.0f}; {FEW} draws of each "
            f"combination, 2 with copeland, scaled)\n  ratio: {theirs / mine.median:.0f} ×; of time on "
            f"cores: {cores / mine.cores:.0f} ×; target 50 ×",
            flush=True,
        )


def main(chosen: list[str]) -> None:
    print(machine("numpy", "numba", "pandas", "scipy"))
    if "study" in chosen:
        study()
    if "loop" in chosen:
        loop()


if __name__ == "__main__":
    main(sys.argv[1:] or ["study", "loop"])
