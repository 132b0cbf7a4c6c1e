"""Write docs/methods/focal-calibration.md: how often the focal test is right (some two hours).

Verdicts on single tables are kept in a CSV, so that a run that was broken off takes up where it stopped:

    python scripts/docs/make_focal_calibration.py verdicts.csv
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from libpysal.graph import Graph

import spatialkz
from spatialkz.focal import colocation_test, contiguity_test, model_posterior, spread_test
from spatialkz.focal.models.models import MODELS, Generator, Priors
from spatialkz.geography.weights import row_standardized

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "methods" / "focal-calibration.md"
sys.path.insert(0, str(ROOT / "tests" / "focal"))
from independent import (  # noqa: E402
    SECTORS,
    Case,
    cases_of,
    collected,
    independent_map,
    independent_table,
    table_of,
)

# Another seed than that of the tables at which the rule was looked at while it was written.
SEED = 2
COUNT = {17: 30, 40: 12, 100: 6}  # tables of each truth, by regions of the map
MODEL_COUNT = {17: 15, 40: 6, 100: 2}  # the same for the package's models
NULL_TABLES, NULL_PERMUTATIONS = {17: 300, 100: 60}, 199  # 10 of the 200 ranks are 5 %, so the level is exact
OPTIONS = {"permutations": 999, "simulations": 12_000}
VERDICTS = ("focal", "belt", "sector belts", "dispersed", "mixed", "undecided")
PLACES = ("apart", "adjoining", "open")
INDEPENDENT = [
    ("foci", 0.5),
    ("foci", 1.4),
    ("foci", 3.0),
    ("graded belt", 0.5),
    ("graded belt", 1.0),
    ("abrupt belt", 0.5),
    ("abrupt belt", 1.0),
    ("own belts", 1.0),
    ("own points", 1.0),
    ("none", 0.0),
]
# Those of the easier tables.
EASIER = [
    pair for pair in INDEPENDENT if pair not in [("foci", 3.0), ("graded belt", 0.5), ("abrupt belt", 0.5)]
]
# Truth → model, changes to the default priors.
MODELED = {
    **{f"model {name}": (name, {}) for name in MODELS},
    "model foci, lift 2": ("foci", {"lift": (2.0, 2.0)}),
    "model foci, lift 4": ("foci", {"lift": (4.0, 4.0)}),
    "model foci, lift 8": ("foci", {"lift": (8.0, 8.0)}),
    "model belt, ρ = 0.5": ("belt", {"rho": (0.5, 0.5)}),
    "model belt, ρ = 0.95": ("belt", {"rho": (0.95, 0.95)}),
}
# Plants a sector where nothing attracts any.
PLANTS = ((3, 11), (20, 120), (200, 2000))

INTRODUCTION = f"""# How often the focal test is right

Made by `scripts/docs/make_focal_calibration.py`; the test and its verdicts are explained on
[its page](focal.md). All tables here are simulated, so that the truth is known; the paper's table is none of
them. There are {COUNT[17]} of each truth on the bundled map of 17 regions, {COUNT[40]} on an irregular one of
40, and {COUNT[100]} on one of 100 (contiguity of Voronoi cells of random points), with {SECTORS[17]},
{SECTORS[40]} and {SECTORS[100]} sectors; {OPTIONS["permutations"]:,} permutations, and
{OPTIONS["simulations"]:,} simulated tables for each comparison of models. All in percent; standard errors are
at most {{errors}} percentage points on the three maps.
"""

OWN = """## Tables that owe nothing to the package's models

Plants of a sector choose regions with probability proportional to size × exp(attraction). Sizes of regions
are lognormal (σ = 0.6) and redrawn for each table; a sector has 50 to 500 plants of lognormal size (σ = 1),
and quotients are computed from their sums. The test is told the base shares, not the number of plants.
Attraction is a pattern over the regions, of mean 0 and variance 1, times the amplitude given:

- *foci*: a few regions at random (2 or 3 of 17, 3 to 5 of 40, 5 to 8 of 100) above all others, for four of
  five sectors. With three hubs of 17, amplitude 0.5 multiplies a hub's quotients by 3.7 against those of
  other regions, 1.4 by 39; and of such random hubs some are neighbors;
- *graded belt*: a normal field with covariance exp(−steps between regions / 2), for four of five sectors;
- *abrupt belt*: as foci, but one region more, each adjacent to one before it. So these are adjacent foci:
  `focal` is no error, `apart` is one;
- *own belts*, *own points*: each sector has a graded belt, or foci, of its own;
- *none*: no attraction.
"""

EQUAL = """### 17 regions, easier tables

The same with 200 to 2,000 plants a sector, all of one size, so that chance decides less. The rule was looked
at on such tables while it was written; the others came after it.
"""

MODEL_TABLES = """## Tables of the package's models

[The models](focal.md) that the test itself compares, with the margins of the bundled study (17 regions) and
of lognormal quotients (100 regions). Hubs, lift, slope and ρ are drawn from the default priors where nothing
else is said; the test is told no sizes.
"""

LEVELS = f"""## How often the tests reject where nothing is there

{NULL_TABLES[17]} tables *none* each on 17 regions and {NULL_TABLES[100]} on 100, with so many plants of
equal size a sector; {NULL_PERMUTATIONS} permutations, so that an exact test rejects 5 % (standard errors
{{errors}}). “Columns”, “sizes” and “units” are the nulls of [co-location](focal.md): columns shuffled,
regions of unequal size, and the same where the number of plants is told. Ranks and coverage are those of
steps 1 and 2 of the rule, under the null of unequal sizes; contiguity is that of breadth, then of the
sectors' ranks. Where a test was not used in all tables, its share of them stands in brackets.
"""

PROBABILITIES = """## What became of stated probabilities

For the margins of the bundled study: 12,000 simulated tables judged by learners that had not seen them.
"""


def modeled(case: Case) -> tuple[pd.DataFrame, Graph, dict[str, pd.Series]]:
    """A table of one of the package's models."""
    graph = independent_map(case["map"])
    margins = spatialkz.load_study().table.values.sort_index()
    if case["map"] != 17:
        shape = len(graph.unique_ids), SECTORS[case["map"]]
        cells = np.random.default_rng(1).lognormal(-0.5, 1, shape)
        margins = pd.DataFrame(
            cells, graph.unique_ids, [f"sector {number:02d}" for number in range(shape[1])]
        )
    model, changed = MODELED[case["truth"]]
    weights = row_standardized(graph, margins.index)
    maker = Generator(margins.to_numpy(), replace(Priors(), **changed), weights)
    seeds = np.random.SeedSequence([case["seed"], case["table"], list(MODELED).index(case["truth"])])
    cells = maker.tables(model, 1, seeds)[0]
    return pd.DataFrame(cells, margins.index, margins.columns), graph, {}


def verdict_rows(found: pd.DataFrame) -> Iterator[str]:
    """A line for each truth and strength: shares of verdicts, then of what is said of place."""
    yield "| truth | " + " | ".join(f"**{name}**" for name in VERDICTS) + " | | " + " | ".join(PLACES) + " |"
    yield "|---|" + "--:|" * len(VERDICTS) + "---|" + "--:|" * len(PLACES)
    for (truth, amplitude), rows in found.groupby(["truth", "amplitude"], sort=False):
        name = str(truth).removeprefix("model ") + (f", {amplitude:g}" if amplitude else "")
        verdicts, places = (
            " | ".join(percent((rows[column] == one).mean()) for one in names)
            for column, names in (("verdict", VERDICTS), ("place_verdict", PLACES))
        )
        yield f"| {name} | {verdicts} | | {places} |"


def level_rows(regions: int) -> Iterator[str]:
    """Rejection rates of each test where plants follow size alone."""
    graph = independent_map(regions)
    names = ("columns", "sizes", "units", "ranks", "coverage", "contiguity", "sectors' contiguity")
    yield f"\n{regions} regions × {SECTORS[regions]} sectors:\n"
    yield "| plants a sector | " + " | ".join(names) + " |\n|---|" + "--:|" * len(names)
    for plants in PLANTS:
        p = pd.DataFrame([p_values(graph, regions, plants, number) for number in range(NULL_TABLES[regions])])
        cells = []
        for name in names:
            used = p[name].notna().mean()
            cell = percent((p[name].dropna() <= 0.05).mean()) if used else "–"
            cells.append(cell + (f" ({percent(used)})" if 0 < used < 1 else ""))
        yield f"| {plants[0]} to {plants[1]:,} | " + " | ".join(cells) + " |"


def p_values(graph: Graph, regions: int, plants: tuple[int, int], number: int) -> dict[str, float]:
    rng = np.random.default_rng([SEED, regions, plants[0], number])
    table, shares, counted = independent_table(
        "none", graph, rng, sectors=SECTORS[regions], plants=plants, plant_sigma=0.0
    )
    shared = {"permutations": NULL_PERMUTATIONS, "rng": number}
    sized = {"null": "sizes", "base_shares": shares, **shared}
    place = contiguity_test(table, graph, **shared).table["p_contiguous"]
    spread = spread_test(table, base_shares=shares, **shared).table
    return {
        "columns": colocation_test(table, **shared).p_value,
        "sizes": colocation_test(table, **sized).p_value,
        "units": colocation_test(table, units=counted, **sized).p_value,
        "ranks": colocation_test(table, grade="rank", **sized).p_value,
        "coverage": spread.loc["coverage", "p_value_sizes"],
        "contiguity": place.xs("breadth", level="statistic").iloc[0],
        "sectors' contiguity": place.xs("sector ranks", level="statistic").iloc[0],
    }


def probabilities() -> Iterator[str]:
    """Confusion and calibration of the comparison of models."""
    study = spatialkz.load_study()
    choice = model_posterior(study.table.values, study.graph, rng=SEED)
    yield "Which model they are given to (percent):\n"
    yield "| truth | " + " | ".join(choice.confusion.columns) + " |"
    yield "|---|" + "--:|" * len(choice.confusion.columns)
    for model, row in choice.confusion.iterrows():
        yield f"| {model} | " + " | ".join(map(percent, row)) + " |"
    told = ", ".join(f"{name} {share:.0%}" for name, share in choice.accuracy.items())
    yield f"\nRecognized rightly: {told}.\n"
    questions = list(choice.accuracy.index)
    yield "| stated | " + " | ".join(f"{name}: stated | came true" for name in questions) + " |"
    yield "|---|" + "--:|" * (2 * len(questions))
    for one in sorted(choice.calibration.index.unique("bin")):
        cells = [
            f"{choice.calibration.loc[(name, one), column]:.3f}"
            if (name, one) in choice.calibration.index
            else "–"
            for name in questions
            for column in ("stated", "observed")
        ]
        yield f"| {one / 10:.1f}–{(one + 1) / 10:.1f} | " + " | ".join(cells) + " |"
    yield f"\nMean distance of stated from observed probability: {choice.calibration_error:.3f}."


def percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0 < share < 0.1 else f"{100 * share:.0f}"


def page(out: Path | None) -> Iterator[str]:
    """The whole page, line by line."""
    errors = [f"{50 / np.sqrt(count):.0f}" for count in COUNT.values()]
    yield INTRODUCTION.format(errors=f"{', '.join(errors[:-1])} and {errors[-1]}")
    yield OWN
    for regions, count in COUNT.items():
        yield f"### {regions} regions × {SECTORS[regions]} sectors\n"
        cases = cases_of(INDEPENDENT, count, seed=SEED, regions=regions)
        yield from verdict_rows(collected(out, cases, table_of, **OPTIONS))
        yield ""
    yield EQUAL
    cases = cases_of(EASIER, COUNT[17], seed=1, plants="equal")
    yield from verdict_rows(collected(out, cases, table_of, **OPTIONS))
    yield ""
    yield MODEL_TABLES
    for regions, count in MODEL_COUNT.items():
        yield f"### Models, {regions} regions × {SECTORS[regions]} sectors\n"
        truths = [(truth, 0.0) for truth in MODELED]
        cases = cases_of(truths, count, seed=SEED, regions=regions, sizes="none")
        yield from verdict_rows(collected(out, cases, modeled, **OPTIONS))
        yield ""
    yield LEVELS.format(errors=" and ".join(f"{100 * np.sqrt(0.0475 / n):.1f}" for n in NULL_TABLES.values()))
    for regions in NULL_TABLES:
        yield from level_rows(regions)
    yield f"\n{PROBABILITIES}"
    yield from probabilities()


if __name__ == "__main__":
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    PAGE.write_text("\n".join(page(kept)) + "\n", encoding="utf-8")
