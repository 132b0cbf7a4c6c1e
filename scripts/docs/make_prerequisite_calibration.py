"""Write docs/methods/prerequisite-calibration.md: how often these tests are right (some minutes)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import spatialkz
from spatialkz import prerequisite_test
from spatialkz.geography.weights import row_standardized
from spatialkz.prerequisites.least_squares import Partialled, robust_p_values
from spatialkz.prerequisites.permutation import Orders, p_values
from spatialkz.prerequisites.prerequisites import LABELS
from spatialkz.resampling.shuffles import order_keys

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "prerequisite-calibration.md"
STUDY = spatialkz.load_study()
REGIONS = STUDY.table.regions.sort_values()
N, SEED = len(REGIONS), 16
DESIGNS, TABLES, PERMUTATIONS = 60, 250, 199  # 10 of the 200 ranks are 5 %, so the level is exact
FAMILIES, SECTORS, COVARIATES = 150, 11, 8
DETECTABLE = 0.588
SUPPORTED = "label `supported`, and `p_familywise` ≤ 5 %"
Law = Callable[[np.random.Generator, np.ndarray, tuple[int, int]], np.ndarray]
WEIGHTS = row_standardized(STUDY.graph, REGIONS).toarray()


def neighbors(rho: float) -> np.ndarray:
    """What turns independent values into values that go along with those of neighbors."""
    return np.linalg.inv(np.eye(N) - rho * WEIGHTS)


LAWS: dict[str, Law] = {
    "normal": lambda rng, _, shape: rng.normal(size=shape),
    "t with 2 degrees of freedom": lambda rng, _, shape: rng.standard_t(2, size=shape),
    "lognormal": lambda rng, _, shape: rng.lognormal(size=shape) - np.exp(0.5),
    "neighbors alike, ρ = 0.5": lambda rng, _, shape: neighbors(0.5) @ rng.normal(size=shape),
    "normal, deviation exp(z / 2)": lambda rng, z, shape: np.exp(z / 2)[:, None] * rng.normal(size=shape),
    "normal, deviation exp(z)": lambda rng, z, shape: np.exp(z)[:, None] * rng.normal(size=shape),
}
SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, k: rng.normal(size=(N, k)),
    "lognormal": lambda rng, k: rng.lognormal(size=(N, k)),
    "three cities marked": lambda rng, k: np.column_stack(
        [rng.permutation(np.arange(N) < 3).astype(float), rng.normal(size=(N, k - 1))]
    ),
    "neighbors alike, ρ = 0.8": lambda rng, k: neighbors(0.8) @ rng.normal(size=(N, k)),
}

INTRODUCTION = f"""# How often prerequisite tests are right

Made by `scripts/docs/make_prerequisite_calibration.py`; the tests are those of `prerequisite_test`.
{N} regions on the bundled map, simulated sectors. Each share is of {DESIGNS * TABLES:,} tables:
{DESIGNS} draws of the covariates, {TABLES} of the errors to each, {PERMUTATIONS} permutations. One
covariate is tested, the others are controls. “Permutation” is `p_value`, “robust” is `p_robust`, “both” that
both are at most 5 %, which `supported` needs; “t” is the ordinary t test, which the package does not offer.
"""
NULL = """
## Nothing is there

Shares of tables, in percent, in which a slope of 0 is rejected at 5 %. z is the covariate in standard
deviations: in the last two rows of each part errors vary more where there is more of it. Standard errors of
the shares, from design to design, are at most {error:.1f} percentage points, {heavy:.1f} in these two.
"""
SHAPED = """
## Other covariates

The same for one covariate that is lognormal (few regions have much of it), that marks three of the regions,
or in which neighbors are alike.
"""
READING = """
Permutations keep their level under every law but that of growing variance. There the robust p-value is the
guard: it rejects {0:.1f} to {1:.1f} % with normal covariates. Where few regions have most of the covariate
and errors grow with it, it rejects up to {2:.1f} %, and so do both together: take the logarithm of such a
covariate, and doubt findings whose design is flagged for leverage or few degrees of freedom. Where neighbors
are alike both in the covariate and in the errors, {3:.1f} % are rejected by both: test the residuals for
autocorrelation with `residual_moran`.
"""
POWER = f"""
## Something is there

Shares found, in percent, where the partial correlation in the population is {DETECTABLE}, which one ordinary
t test finds in 80 % of normal samples without controls. Errors are scaled to the same standard deviation,
on average over the regions (t: as if normal with its interquartile range).
"""
MANY = f"""
## Many tests

{FAMILIES} tables of {SECTORS} sectors and {COVARIATES} covariates without any relation, lognormal quotients,
2,999 permutations, every region and pair left out: how many of a table's {SECTORS * COVARIATES} tests are
so on average, and in how many percent of the tables at least one is.
"""
READ_MANY = """
A pair in question before the data were seen is judged by its label. In a search among {tests} pairs
`supported` alone is not enough: {alone:.0f} % of tables without any relation have such a pair. Of pairs that
have a `p_familywise` of at most 5 % too, {both:.1f} % of these tables have one.
"""


def shares(
    covariates: Callable[[np.random.Generator, int], np.ndarray], k: int, law: Law, correlation: float = 0.0
) -> np.ndarray:
    """Shares of tables rejected by t, permutation, robust and both; their standard errors."""
    rng, found = np.random.default_rng([SEED, k]), []
    for seed in range(DESIGNS):
        x = covariates(rng, k)
        basis = np.linalg.qr(np.column_stack([np.ones(N), x[:, 1:]]))[0]
        left = x[:, 0] - basis @ (basis.T @ x[:, 0])
        left *= np.sqrt((N - k + 1) / (left @ left))
        z = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std(ddof=1)
        errors = law(rng, z, (N, TABLES))
        if correlation:
            sample = law(rng, z, (N, 4000))
            heavy = law is LAWS["t with 2 degrees of freedom"]
            middle = np.subtract(*np.quantile(sample, [0.75, 0.25])) / 1.349
            errors /= middle if heavy else np.sqrt((sample**2).mean())
            errors += correlation / np.sqrt(1 - correlation**2) * left[:, None]
        # What prerequisite_test does, without intervals and tables.
        one, controls = z[:, None], x[:, 1:]
        fit = Partialled.of(one, errors, controls)
        orders = Orders(N, order_keys(np.random.default_rng([SEED, seed]), PERMUTATIONS))
        r, degrees = fit.correlations()[0], fit.degrees
        p = np.column_stack(
            [
                2 * stats.t.sf(np.abs(r) * np.sqrt(degrees / (1 - r**2)), degrees),
                p_values(one, errors, controls, orders, "two-sided")[0],
                robust_p_values(fit, "two-sided")[0][0],
            ]
        )
        small = p <= 0.05 + 1e-12
        found.append([*small.mean(axis=0), small[:, 1:].all(axis=1).mean()])
    return np.array([np.mean(found, axis=0), stats.sem(found)])


def rows(cases: dict[tuple[object, str], np.ndarray], *heads: str) -> Iterator[str]:
    yield f"| {' | '.join([*heads, 't', 'permutation', 'robust', 'both'])} |"
    yield "|" + "---|" * len(heads) + "--:|" * 4
    for names, (found, _) in cases.items():
        yield f"| {' | '.join([*map(str, names), *(f'{100 * share:.1f}' for share in found)])} |"


def many() -> Iterator[str]:
    """False findings among many tests."""
    rng, found = np.random.default_rng(SEED), []
    for seed in range(FAMILIES):
        quotients = pd.DataFrame(rng.lognormal(size=(N, SECTORS)), REGIONS)
        covariates = pd.DataFrame(rng.normal(size=(N, COVARIATES)), REGIONS)
        table = prerequisite_test(quotients, covariates, permutations=2999, rng=seed).table
        small = table[["p_value", "p_robust", "p_adjusted", "p_familywise"]] <= 0.05
        labels = {f"label `{name}`": (table["label"] == name).sum() for name in LABELS}
        found.append(
            labels
            | {SUPPORTED: ((table["label"] == "supported") & small["p_familywise"]).sum()}
            | {f"`{name}` ≤ 5 %": marks.sum() for name, marks in small.items()}
            | {f"`{name}` and `p_robust` ≤ 5 %": (small[name] & small["p_robust"]).sum() for name in small}
        )
    told = pd.DataFrame(found)
    yield "| | tests of a table | tables with one or more |"
    yield "|---|--:|--:|"
    left_out = ["label `not found`", "`p_robust` and `p_robust` ≤ 5 %", SUPPORTED]
    for name in [SUPPORTED, *told.columns[told.any()].drop(left_out, errors="ignore")]:
        yield f"| {name} | {told[name].mean():.2f} | {100 * (told[name] > 0).mean():.1f} |"
    some = 100 * (told > 0).mean()
    yield READ_MANY.format(tests=SECTORS * COVARIATES, alone=some["label `supported`"], both=some[SUPPORTED])


def page() -> Iterator[str]:
    yield INTRODUCTION
    null = {(k, name): shares(SHAPES["normal"], k, law) for k in (1, 2, 3) for name, law in LAWS.items()}
    growing, even = (
        max(found[1].max() for (_, name), found in null.items() if ("exp" in name) == grows)
        for grows in (True, False)
    )
    yield NULL.format(error=100 * even, heavy=100 * growing)
    yield from rows(null, "regressors", "errors")
    yield SHAPED
    shapes = [name for name in SHAPES if name != "normal"]
    shaped = {(shape, name): shares(SHAPES[shape], 1, law) for shape in shapes for name, law in LAWS.items()}
    yield from rows(shaped, "covariate", "errors")
    robust = [found[0][2] for (_, name), found in null.items() if "exp" in name]
    skewed = [found[0][3] for (shape, _), found in shaped.items() if "alike" not in shape]
    alike = max(found[0][3] for (shape, _), found in shaped.items() if "alike" in shape)
    yield READING.format(*(100 * share for share in (min(robust), max(robust), max(skewed), alike)))
    yield POWER
    power = {
        (k, name): shares(SHAPES["normal"], k, law, DETECTABLE)
        for k in (1, 2, 3)
        for name, law in LAWS.items()
    }
    yield from rows(power, "regressors", "errors")
    yield MANY
    yield from many()


if __name__ == "__main__":
    PAGE.write_text("\n".join(page()) + "\n", encoding="utf-8")
