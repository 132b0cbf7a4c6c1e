"""Write docs/methods/focal-calibration.md: how often the focal test is right (about 10 minutes)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

import spatialkz
from spatialkz.focal.models.choice import (
    MODELS,
    Grown,
    calibration_curve,
    fit_p_value,
    grow,
    prior_sensitivity,
    simulated_summaries,
)
from spatialkz.focal.models.models import PRIOR_SETS, Generator, Priors
from spatialkz.focal.models.summaries import summaries
from spatialkz.focal.questions.colocation import colocation_test
from spatialkz.focal.verdict import Evidence, verdict
from spatialkz.geography import graph_from_pairs
from spatialkz.geography.weights import row_standardized
from spatialkz.spatial import moran, moran_power

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "focal-calibration.md"
TABLES, NULL_TABLES = 200, 1000  # of each truth, and where the level of the co-location test is measured
PERMUTATIONS = 199  # 10 of the 200 ranks are 5 %, so the level is exact
EACH = 4000  # simulated tables of each model behind the posterior, as by default
VERDICTS = ("focal", "belt", "dispersed", "mixed", "undecided")
# Truth → model, changes to the default priors, whether jobs are counted in regions of unequal size.
TRUTHS = {
    "dispersed": ("dispersed", {}, False),
    "dispersed, counted in unequal regions": ("dispersed", {}, True),
    "focal": ("focal", {}, False),
    "focal, lift 1": ("focal", {"lift": (1.0, 1.0)}, False),
    "focal, lift 2": ("focal", {"lift": (2.0, 2.0)}, False),
    "focal, lift 3": ("focal", {"lift": (3.0, 3.0)}, False),
    "focal, lift 4": ("focal", {"lift": (4.0, 4.0)}, False),
    "focal, counted in unequal regions": ("focal", {}, True),
    "belt": ("belt", {}, False),
    "belt, ρ = 0.5": ("belt", {"rho": (0.5, 0.5)}, False),
    "belt, ρ = 0.8": ("belt", {"rho": (0.8, 0.8)}, False),
    "belt, ρ = 0.95": ("belt", {"rho": (0.95, 0.95)}, False),
    "belt as abrupt as hubs": ("belt", {"belt_shape": "hubs"}, False),
    "mixture": ("mixture", {}, False),
}

INTRODUCTION = f"""# How often the focal test is right

Made by `scripts/docs/make_focal_calibration.py`; the test is explained on [its page](focal.md). All here is
simulated by the models of `spatialkz.focal.models`, whose tables have the margins of a given table, on two
maps: the bundled study (17 regions × 11 sectors, queen contiguity), and 100 regions × 20 sectors on a square
lattice with lognormal quotients. {NULL_TABLES} tables without co-location, {TABLES} of each other truth;
{PERMUTATIONS} permutations for each test, so that its level is exactly 5 %. Standard errors in percentage
points: {{null:.1f}} for a level of 5 %, and {{large:.1f}} at most in the other rows.

Where nothing else is said, hubs, lift, slope and ρ are drawn from the default priors. “Counted in unequal
regions”: base shares are lognormal (σ = 1), the 20 to 200 plants of a sector choose regions by these shares,
multiplied by the exponential of half the hub's lift where the truth is focal, and quotients are computed from
the plants; so small regions vary more by chance, and margins differ from table to table. The test is not
told the number of plants. Sizes lie on the map in one way in all these tables, drawn once, so that what
contiguity they have by chance counts as contiguity. “Co-location” shuffles columns, “sized” is the same test
under the null of unequal sizes, “contiguity” is Moran's I of breadth, two-sided. Then come the mean posterior
probabilities of the three models, and the verdicts; where margins differ, without the models."""

HEADER = (
    "| truth | co-location | sized | contiguity | P(focal) | P(belt) | P(dispersed) | "
    + " | ".join(f"**{name}**" for name in VERDICTS)
    + " |"
)


@dataclass(frozen=True)
class Map:
    """A table whose margins the others have, its graph, and base shares for unequal sizes."""

    name: str
    quotients: pd.DataFrame
    graph: Graph
    shares: pd.Series

    @cached_property
    def weights(self) -> csr_array:
        """Row-standardized."""
        return row_standardized(self.graph, self.quotients.index)

    def maker(self, **priors: object) -> Generator:
        """Make tables with these margins."""
        return Generator.of(self.quotients.to_numpy(), self.weights, replace(Priors(), **priors))

    def reference(self, number: int, each: int = EACH) -> np.ndarray:
        """Summaries of tables of the three models, model by model."""
        seeds, maker = np.random.SeedSequence(number), self.maker()
        parts = [simulated_summaries(maker, model, self.weights, 1.0, each, seeds) for model in MODELS]
        return np.concatenate(parts)


def study_map(study: spatialkz.Study) -> Map:
    quotients = study.table.values.sort_index().sort_index(axis=1)
    return Map("17 regions × 11 sectors", quotients, study.graph, lognormal_shares(quotients.index))


def lattice_map(side: int = 10, sectors: int = 20) -> Map:
    names = pd.Index([f"{row:02d}-{column:02d}" for row in range(side) for column in range(side)])
    grid = names.to_numpy().reshape(side, side)
    ends = [(grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])]
    pairs = pd.DataFrame([pair for a, b in ends for pair in zip(a.ravel(), b.ravel(), strict=True)])
    cells = np.random.default_rng(1).lognormal(-0.5, 1, (len(names), sectors))
    quotients = pd.DataFrame(cells, names, [f"sector {number:02d}" for number in range(sectors)])
    name = f"{side**2} regions × {sectors} sectors"
    return Map(name, quotients, graph_from_pairs(pairs, names), lognormal_shares(names))


def lognormal_shares(regions: pd.Index) -> pd.Series:
    shares = pd.Series(np.random.default_rng(2).lognormal(0, 1, len(regions)), regions)
    return shares / shares.sum()


def tested(where: Map, cells: np.ndarray, unequal: bool, seed: int) -> dict[str, float]:
    """p-values of one table."""
    table = pd.DataFrame(cells, where.quotients.index, where.quotients.columns)
    shared = {"permutations": PERMUTATIONS, "rng": seed}
    found = {"colocation": colocation_test(table, **shared).to_frame().loc["variance ratio", "p_value"]}
    if unequal:
        sized = colocation_test(table, null="sizes", base_shares=where.shares, **shared)
        found["sized"] = sized.to_frame().loc["variance ratio", "p_value"]
    row = moran((table >= 1).sum(axis=1).rename("breadth"), where.graph, **shared).to_frame().iloc[0]
    return {**found, "contiguity": row["p_value"], "sign": row["statistic"] - row["expected"]}


def truths(where: Map) -> dict[str, tuple[np.ndarray, pd.DataFrame]]:
    """Tables and p-values of each truth."""
    found = {}
    for number, (name, (model, priors, unequal)) in enumerate(TRUTHS.items()):
        count = NULL_TABLES if model == "dispersed" else TABLES
        maker, seeds = where.maker(**priors), np.random.SeedSequence([17, number])
        tables = counted(where, maker, model, count) if unequal else maker.tables(model, count, seeds)
        p = [tested(where, cells, unequal, seed) for seed, cells in enumerate(tables)]
        found[name] = tables, pd.DataFrame(p)
    return found


def counted(where: Map, maker: Generator, model: str, count: int) -> np.ndarray:
    """Quotients of plants that choose regions by size, and by hubs if there are any."""
    rng = np.random.default_rng(3)
    n, m = where.quotients.shape
    plants = rng.integers(20, 201, size=(count, m))
    pull = np.zeros((count, n, m))
    if model == "focal":
        follows = rng.random((count, 1, m)) < rng.uniform(0.5, 1, size=(count, 1, 1))
        pull = 0.5 * maker.common(model, count, rng)[:, :, None] * follows
    chances = where.shares.to_numpy()[:, None] * np.exp(pull)
    chances /= chances.sum(axis=1, keepdims=True)
    placed = rng.multinomial(plants, chances.transpose(0, 2, 1)).transpose(0, 2, 1)
    return placed / plants[:, None] / where.shares.to_numpy()[:, None]


def verdicts(
    p: pd.DataFrame, posterior: np.ndarray | None, fits: np.ndarray | None, powers: dict[str, float]
) -> pd.Series:
    """Shares of the verdicts by the rule of focal.md."""
    names = []
    for place, (_, row) in enumerate(p.iterrows()):
        evidence = Evidence(
            colocation=row["colocation"],
            colocation_sized=row.get("sized"),
            contiguity=row["contiguity"],
            contiguity_sign=row["sign"],
            posterior=None if posterior is None else dict(zip(MODELS, posterior[place], strict=True)),
            fit=None if fits is None else fits[place],
            **powers,
        )
        names.append(verdict(evidence)[0])
    return pd.Series(names).value_counts(normalize=True).reindex(VERDICTS, fill_value=0.0)


def map_section(where: Map) -> Iterator[str]:
    """Tests and verdicts of every truth, then what the model comparison knows."""
    features = where.reference(1)
    by_model = features.reshape(len(MODELS), EACH, -1)
    cases = truths(where)
    cells = where.quotients.to_numpy()
    powers = {
        "contiguity_power": float(moran_power(where.graph, 0.8).table["power"].iloc[0]),
        "colocation_power": float((cases["focal"][1]["colocation"] <= 0.05).mean()),
    }
    judged = grow(features, features[:1], EACH, 240, np.random.SeedSequence(5))
    yield f"\n## {where.name}\n"
    yield (
        f"Power of the contiguity test against ρ = 0.8: {powers['contiguity_power']:.2f}; of the co-location "
        f"test against the focal model: {powers['colocation_power']:.2f}. All in percent but the "
        "probabilities.\n"
    )
    yield HEADER
    yield "|---|" + "--:|" * (6 + len(VERDICTS))
    for name, (tables, p) in cases.items():
        shares = (p.drop(columns="sign") <= 0.05).mean().reindex(["colocation", "sized", "contiguity"])
        posterior, fits = None, None
        if not TRUTHS[name][2]:
            looked = summaries(tables, cells, where.weights, 1.0)
            posterior = grow(features, looked, EACH, 240, np.random.SeedSequence(5)).posterior
            best = posterior.argmax(axis=1)
            fits = np.array([fit_p_value(by_model[k], x) for k, x in zip(best, looked, strict=True)])
        line = [percent(share) for share in shares]
        line += ["–"] * 3 if posterior is None else [f"{chance:.2f}" for chance in posterior.mean(axis=0)]
        line += [percent(share) for share in verdicts(p, posterior, fits, powers)]
        yield f"| {name} | " + " | ".join(line) + " |"
    yield from models_section(where, features, judged)


def models_section(where: Map, features: np.ndarray, judged: Grown) -> Iterator[str]:
    """Confusion and calibration, on tables that took no part in growing the forests."""
    news = where.reference(2, each=1000)
    truth = np.repeat(np.arange(len(MODELS)), 1000)
    stated = grow(features, news, EACH, 240, np.random.SeedSequence(5)).posterior
    chosen = stated.argmax(axis=1)
    yield "\nWhich model 3,000 new tables are given to (percent):\n"
    yield "| truth | " + " | ".join(MODELS) + " |"
    yield "|---|" + "--:|" * len(MODELS)
    for k, model in enumerate(MODELS):
        shares = np.bincount(chosen[truth == k], minlength=len(MODELS)) / 1000
        yield f"| {model} | " + " | ".join(percent(share) for share in shares) + " |"
    curve, bagged = (
        calibration_curve(truth, stated),
        calibration_curve(np.repeat(np.arange(len(MODELS)), EACH), judged.judged),
    )
    yield "\nWhat became of stated probabilities: out of bag, and for new tables.\n"
    yield "| stated | out of bag | | new tables | |\n|---|--:|--:|--:|--:|"
    yield "| | mean stated | came true | mean stated | came true |"
    for one in bagged.index.union(curve.index):
        cells = [
            f"{table.loc[one, column]:.3f}" if one in table.index else "–"
            for table in (bagged, curve)
            for column in ("stated", "observed")
        ]
        yield f"| {one / 10:.1f}–{(one + 1) / 10:.1f} | " + " | ".join(cells) + " |"
    errors = [
        np.average((table["stated"] - table["observed"]).abs(), weights=table["count"])
        for table in (bagged, curve)
    ]
    yield (
        f"\nExpected calibration error: {errors[0]:.3f} out of bag, {errors[1]:.3f} for new tables. The "
        "probability of the model selected by the regression of Pudlo et al. (a second forest, of being "
        "wrong on the summaries) differs from the one stated by "
        f"{pudlo(features, judged, news, stated):.3f} on average."
    )


def pudlo(features: np.ndarray, judged: Grown, news: np.ndarray, stated: np.ndarray) -> float:
    """Mean absolute difference to the posterior probability of the selected model by Pudlo et al."""
    from sklearn.ensemble import RandomForestRegressor

    wrong = judged.judged.argmax(axis=1) != np.repeat(np.arange(len(MODELS)), EACH)
    forest = RandomForestRegressor(240, min_samples_leaf=10, max_features=1 / 3, random_state=1)
    forest.fit(features, wrong.astype(float))
    return float(np.abs(1 - forest.predict(news) - stated.max(axis=1)).mean())


def priors_section(study: spatialkz.Study) -> Iterator[str]:
    """The bundled study under other priors."""
    groups = study.table.groups
    families = {
        "all": study.table.sectors,
        **{name: groups.index[groups == name] for name in groups.unique()},
    }
    yield "\n## What the priors do\n"
    yield (
        "The bundled study under the sets of `PRIOR_SETS`. “Recognized” is the share of simulated tables "
        "given to the right model, “fit” the p-value of the goodness of fit of the most probable one.\n"
    )
    yield "| family | priors | P(focal) | P(belt) | P(dispersed) | recognized | fit |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for family, sectors in families.items():
        table = prior_sensitivity(study.table.values[sectors], study.graph, simulations=3 * EACH, rng=1)
        for name in PRIOR_SETS:
            row = " | ".join(f"{number:.2f}" for number in table.loc[name])
            yield f"| {family} | {name} | {row} |"


def percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f}"


def page() -> str:
    """The whole page."""
    null, large = 100 * np.sqrt(0.05 * 0.95 / NULL_TABLES), 100 * np.sqrt(0.25 / TABLES)
    lines = [INTRODUCTION.format(null=null, large=large)]
    study = spatialkz.load_study()
    for where in (study_map(study), lattice_map()):
        lines += map_section(where)
    lines += priors_section(study)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
