"""The prerequisite test against a loop of statsmodels over permutations, and against pyfixest's ritest.

    python benchmarks/prerequisites.py [small large]

Loops are timed on a few permutations or pairs and scaled. pyfixest is no dependency; where it is not
installed its part is left out. ritest permutes the covariate and compares slopes, in compiled code (its
fast form).
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.api as sm
from inputs import Clock, machine, normal_values, timed

import spatialkz
from spatialkz import prerequisite_test

PERMUTATIONS, COVARIATES, FEW = 9999, 8, 20


def loop(y: np.ndarray, z: np.ndarray, permutations: int) -> np.ndarray:
    """The t of every pair, fitted anew under each permutation."""
    rng, found = np.random.default_rng(1), []
    designs = [sm.add_constant(column) for column in z.T]
    for _ in range(permutations):
        permuted = y[rng.permutation(len(y))]
        found.append([sm.OLS(sector, X).fit().tvalues[1] for sector in permuted.T for X in designs])
    return np.array(found)


def ritest(y: pd.DataFrame, z: pd.DataFrame, pairs: int) -> Callable[[], object] | None:
    try:
        import pyfixest
    except ImportError:
        print("pyfixest is not installed; its ritest is left out")
        return None
    data = y.set_axis([f"y{k}" for k in range(y.shape[1])], axis=1).join(z)

    def several() -> None:
        for pair in range(pairs):
            fit = pyfixest.feols(f"y{pair % y.shape[1]} ~ {z.columns[pair % z.shape[1]]}", data)
            name = z.columns[pair % z.shape[1]]
            fit.ritest(name, reps=PERMUTATIONS, choose_algorithm="fast", rng=np.random.default_rng(1))

    return several


def told(name: str, scale: float, other: Clock, mine: Clock, target: int) -> None:
    pairs = zip(vars(other).values(), vars(mine).values(), strict=True)
    ratios = [scale * theirs / ours for theirs, ours in pairs]
    print(
        f"  {name}: {scale * other.median:.1f} s; ratio of medians {ratios[0]:.0f} ×, of the fastest "
        f"{ratios[1]:.0f} ×, of time on cores {ratios[2]:.0f} ×; target {target} ×",
        flush=True,
    )


def small() -> None:
    quotients = spatialkz.load_study().table.values
    covariates = normal_values(17, COVARIATES).set_axis(quotients.index)
    y, pairs = np.log1p(quotients), quotients.shape[1] * COVARIATES

    def ours(deletions: int, controls: pd.DataFrame | None = None) -> Callable[[], object]:
        given = {"controls": controls, "permutations": PERMUTATIONS, "deletions": deletions, "rng": 1}
        return lambda: prerequisite_test(quotients, covariates, **given)

    few, jobs = 4, [ours(0), ours(2)]
    controls = normal_values(17, 2, seed=2).set_axis(quotients.index)
    jobs += [ours(2, controls), lambda: loop(y.to_numpy(), covariates.to_numpy(), FEW)]
    peer = ritest(y, covariates, few)
    if peer is not None:
        peer()  # compile
        jobs.append(peer)
    (first,) = timed(jobs[0], times=1)
    mine, whole, beside, other, *rest = timed(*jobs, times=5)
    print(
        f"{quotients.shape[0]} × {quotients.shape[1]} sectors × {COVARIATES} covariates, {PERMUTATIONS:,} "
        f"permutations: {mine.median:.2f} s (first call {first.best:.2f}), with intervals; target 0.5 s\n"
        f"  with all regions and pairs left out {whole.median:.2f} s, beside two controls "
        f"{beside.median:.2f} s; target 5 s"
    )
    told("statsmodels in a loop", PERMUTATIONS / FEW, other, mine, 500)
    for clock in rest:
        told("pyfixest.ritest", pairs / few, clock, mine, 30)


def large(n: int = 3100, sectors: int = 300) -> None:
    quotients = np.exp(normal_values(n, sectors))
    covariates, controls = normal_values(n, COVARIATES, seed=2), normal_values(n, 2, seed=3)

    def job() -> object:
        return prerequisite_test(quotients, covariates, controls=controls, permutations=999, rng=1)

    (first,), (later,) = timed(job, times=1), timed(job, times=3)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{n:,} × {sectors} sectors × {COVARIATES} covariates beside 2 controls, 999 permutations, with "
        f"intervals: {later.median:.1f} s (first call {first.best:.1f}, on cores {later.cores:.1f}), "
        f"{memory:.1f} GB; target 5 s"
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["small", "large"]
    print(machine("numpy", "scipy", "pandas", "statsmodels", "pyfixest"))
    if "small" in chosen:
        small()
    if "large" in chosen:
        large()
