"""Write the numbers of docs/methods/prerequisites.md (about five minutes)."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import stats
from spreg import ml_lag
from spreg.ml_error import BaseML_Error
from statsmodels.regression.linear_model import OLS

import spatialkz
from spatialkz.prerequisites import spatial_diagnostics
from spatialkz.prerequisites.findings import PrerequisiteFindings, prerequisite_study

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "prerequisites.md"
MARK = "<!-- numbers: python scripts/docs/make_prerequisites_page.py -->\n"
SEED = 42
TABLES, FITS = 200, 2_000
RHOS = (0.0, 0.5, 0.8)
LATTICES = ((5, 5), (6, 6), (5, 10), (10, 10))


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def space(study: spatialkz.Study) -> Iterator[str]:
    """Size and power of the tests for neighbors on the study's map, and size of the tests of ρ and λ."""
    yield "### Neighbors: size and power of the multiplier tests, 17 regions"
    yield ""
    yield row("covariates", "test", "ρ = 0", "ρ = 0.5", "ρ = 0.8")
    yield "|--:|---|--:|--:|--:|"
    for k in (1, 2, 3):
        found = pd.concat({rho: diagnosed(study, k, rho) for rho in RHOS}, axis=1)
        for test, shares in found.iterrows():
            yield row(k, test, *(f"{share:.3f}" for share in shares))
    yield ""
    yield "### Neighbors: how often tests of ρ and λ reject tables without dependence"
    yield ""
    yield row("map", "regions", "covariates", "ρ: z", "ρ: likelihood ratio", "λ: z", "λ: likelihood ratio")
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for k in (1, 2):
        yield row("contiguity of the study", 17, k, *rejections(study.graph, k))
    for rows, columns in LATTICES:
        yield row(f"lattice {rows} × {columns}", rows * columns, 1, *rejections(lattice(rows, columns), 1))
    yield ""


def diagnosed(study: spatialkz.Study, k: int, rho: float) -> pd.Series:
    """Power at ρ, mean over tables of noise and random covariates."""
    draw = np.random.default_rng([SEED, k])
    shares = []
    for table in range(TABLES):
        X = pd.DataFrame(draw.normal(size=(17, k)), study.table.regions)
        y = pd.Series(draw.normal(size=17), study.table.regions, name="y")
        found = spatial_diagnostics(y, X, study.graph, rho=rho, draws=199, rng=table)
        shares.append(found.to_frame()["power"].droplevel("variable"))
    return pd.concat(shares, axis=1).mean(axis=1)


def lattice(rows: int, columns: int) -> Graph:
    places = [(i, j) for i in range(rows) for j in range(columns)]
    pairs = [
        (a, b) for a in places for b in places if a != b and max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
    ]
    number = {place: at for at, place in enumerate(places)}
    return Graph.from_arrays(*np.array([[number[a], number[b]] for a, b in pairs]).T, np.ones(len(pairs)))


def rejections(graph: Graph, k: int) -> list[str]:
    """Share of tables of noise in which z and likelihood ratio reject ρ = 0, then those of λ."""
    weights = graph.transform("r").to_W()
    # spreg sums a power series here, which may not converge where ρ is near −1 or 1.
    ml_lag.inverse_prod = lambda w, x, rho, **_: np.linalg.solve(np.eye(len(x)) - rho * w.toarray(), x)
    draw, critical, told = np.random.default_rng([SEED, k]), stats.norm.isf(0.025), []
    for fit in (ml_lag.BaseML_Lag, BaseML_Error):
        rejected = []
        for _ in range(FITS):
            X = np.column_stack([np.ones(weights.n), draw.normal(size=(weights.n, k))])
            y = draw.normal(size=(weights.n, 1))
            found = fit(y, X, weights, method="full")
            z = float(np.ravel(found.betas)[-1]) / np.sqrt(found.vm[-1, -1])
            ratio = 2 * (float(np.ravel(found.logll)[0]) - OLS(y, X).fit().llf)
            rejected.append([abs(z) > critical, ratio > critical**2])
        told += [f"{share:.3f}" for share in np.mean(rejected, axis=0)]
    return told


def honest(found: PrerequisiteFindings) -> Iterator[str]:
    """Every pair that a single test finds, those kept with all tests counted in bold; labels; skills."""
    table, test = found.to_frame(), found.test
    yield f"### The paper's table: {len(table)} tests"
    yield ""
    yield ", ".join(f"{label} {count}" for label, count in table["label"].value_counts().items()) + "."
    yield f"In bold: `p_familywise` at most {test.alpha:g}."
    yield ""
    numbers, p_values = ["slope", "low", "high", "r"], ["p_value", "p_familywise", "p_robust", "worst_p"]
    yield row("sector", "covariate", *numbers, *p_values, "rests_on", "label")
    yield "|---|---|" + "--:|" * 8 + "---|---|"
    shown = table[(table["p_value"] <= test.alpha) & (table["label"] != "same activity")]
    for (sector, covariate), cells in shown.sort_values("p_value", kind="stable").iterrows():
        told = [f"{cells[name]:.2f}" for name in numbers] + [f"{cells[name]:.2g}" for name in p_values]
        label = f"**{cells['label']}**" if cells["p_familywise"] <= test.alpha else cells["label"]
        yield row(sector, covariate, *told, cells["rests_on"] or "–", label)
    yield ""
    told = [f"{sector} {share:+.2f}" for sector, share in test.skill.items()]
    yield f"Skill of `expected`, by sector: {', '.join(told)}."
    yield ""


def odds(found: PrerequisiteFindings) -> Iterator[str]:
    """The penalized odds with the smallest p-values, one row for sectors of the same regions."""
    table = found.odds.to_frame()
    shown = table[table["same_as"] == ""].nsmallest(8, "p_value")
    yield "### The paper's table: odds of LQ ≥ 1, the eight smallest p-values"
    yield ""
    yield row("sector", "covariate", "reach", "slope", "low", "high", "p_value", "p_adjusted", "separation")
    yield "|---|---|" + "--:|" * 6 + "---|"
    for (sector, covariate), cells in shown.iterrows():
        named = ", ".join([sector, *found.odds.same.get(sector, [])])
        told = [f"{cells[name]:.2f}" for name in ("slope", "low", "high")]
        told += [f"{cells[name]:.3f}" for name in ("p_value", "p_adjusted")]
        yield row(named, covariate, cells["reach"], *told, cells["separation"])
    yield ""


def of_the_paper() -> str:
    """What the bundled study gives; some seconds."""
    found = prerequisite_study(spatialkz.load_study(), rng=SEED)
    return "\n".join([*honest(found), *odds(found)])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    text = PAGE.read_text(encoding="utf-8")
    head, mark, _ = text.partition(MARK)
    simulated = "\n".join(space(spatialkz.load_study()))
    PAGE.write_text(f"{head}{mark}\n{of_the_paper()}\n{simulated}", encoding="utf-8")
