"""The co-location test against a plain NumPy loop over permutations, and all focal tests on a small table.

    python benchmarks/focal.py [large small whole]

The loop is timed on a few permutations and scaled. Both permute every column of the same table of 0 and 1 and
take the variance and the maximum of the row sums.
"""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np
import pandas as pd
from inputs import machine, timed

import spatialkz
from spatialkz.focal.influence import influence
from spatialkz.focal.multiverse import multiverse
from spatialkz.focal.questions.colocation import colocation_test
from spatialkz.focal.questions.place import contiguity_test
from spatialkz.focal.questions.size_null import table_base_shares
from spatialkz.specialization import audit_table

REGIONS, SECTORS, PERMUTATIONS, FEW = 3100, 300, 9999, 20


def loop(cells: np.ndarray, permutations: int) -> np.ndarray:
    rng, found = np.random.default_rng(1), []
    for _ in range(permutations):
        sums = rng.permuted(cells, axis=0).sum(axis=1)
        found.append((sums.var(), sums.max()))
    return np.array(found)


def large() -> None:
    quotients = pd.DataFrame(np.random.default_rng(0).lognormal(-0.5, 1, (REGIONS, SECTORS)))
    # A byte for each cell is the quickest for the loop.
    cells = (quotients.to_numpy() >= 1).astype(np.int8)
    colocation_test(quotients, permutations=99, rng=1)
    colocation_test(quotients, permutations=999, rng=1)  # loads the compiled path
    mine, other = timed(
        lambda: colocation_test(quotients, permutations=PERMUTATIONS, rng=1),
        lambda: loop(cells, FEW),
        times=3,
    )
    scale = PERMUTATIONS / FEW
    wall, best = scale * other.median / mine.median, scale * other.best / mine.best
    print(
        f"colocation_test, {REGIONS:,} × {SECTORS}, {PERMUTATIONS:,} permutations: ours {mine.median:.1f} s "
        f"(fastest {mine.best:.1f}, on cores {mine.cores:.1f}), NumPy loop {scale * other.median:.0f} s "
        f"(timed on {FEW} permutations and scaled)\n  ratio of medians: {wall:.0f} ×; of the fastest: "
        f"{best:.0f} ×; of time on cores: {scale * other.cores / mine.cores:.0f} ×; target 20 ×",
        flush=True,
    )


def small() -> None:
    study = spatialkz.load_study()
    quotients, groups = study.table.values, study.table.groups
    shares = table_base_shares(study.table, audit_table(study.table))
    families = {"all": list(quotients.columns)}
    families |= {str(name): list(part.index) for name, part in groups.groupby(groups)}
    several = {"families": families, "base_shares": shares, "rounding": study.table.rounding}
    jobs = {
        "colocation, columns": lambda: colocation_test(quotients, rng=1),
        "colocation, sizes": lambda: colocation_test(quotients, null="sizes", base_shares=shares, rng=1),
        "contiguity": lambda: contiguity_test(quotients, study.graph, rng=1),
        "influence, 164 deletions": lambda: influence(quotients, study.graph, rng=1),
        "multiverse, 420 specifications": lambda: multiverse(quotients, study.graph, rng=1, **several),
    }
    for name, job in jobs.items():
        (first,), (later,) = timed(job, times=1), timed(job, times=5)
        size = f"{quotients.shape[0]} × {quotients.shape[1]}"
        print(f"{size}, {name}: first {first.best:.2f} s, then {later.median:.2f} s")


def whole() -> None:
    """focal_test with its defaults; target 10 s on two cores."""
    study = spatialkz.load_study()
    shares = table_base_shares(study.table, audit_table(study.table))
    options = {"groups": study.table.groups, "base_shares": shares, "rounding": study.table.rounding}
    import sklearn.linear_model
    import sklearn.tree  # noqa: F401  # only what comes after the imports is timed

    steps: list[tuple[str, float]] = []

    def job() -> object:
        steps.clear()
        return spatialkz.focal_test(
            study.table.values,
            study.graph,
            rng=1,
            progress=lambda step: steps.append((step, perf_counter())),
            **options,
        )

    (first,), (later,) = timed(job, times=1), timed(job, times=3)
    ends = [*(begun for _, begun in steps[1:]), perf_counter()]
    print(
        f"focal_test, 17 × 11, defaults, 840 specifications: first {first.best:.1f} s, then "
        f"{later.median:.1f} s (on cores {later.cores:.1f} s); target 10 s"
    )
    for (step, begun), ended in zip(steps, ends, strict=True):
        print(f"  {step.removeprefix('focal test: ')}: {ended - begun:.1f} s")


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["large", "small", "whole"]
    print(machine("numpy", "numba", "pandas", "scipy"))
    if "large" in chosen:
        large()
    if "small" in chosen:
        small()
    if "whole" in chosen:
        whole()
