"""Tables of known truth that owe nothing to the package's models, and the verdicts on them.

Plants of a sector choose regions with probability ∝ size × exp(attraction); quotients are computed from the
sums of plants. The sizes of regions and of plants are lognormal and redrawn for each table. Attraction is an
amplitude times a pattern over the regions that has mean 0 and variance 1, so that all patterns vary equally.

As a script, it writes verdicts to a CSV and takes up where it stopped:

    python tests/focal/independent.py out.csv --truths foci=.5 "graded belt=1" none=0 --count 30 --map 17
"""

import argparse
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse.csgraph import shortest_path

import spatialkz

#: Patterns common to the sectors, patterns of each sector's own, and none.
COMMON = ("foci", "graded belt", "abrupt belt")
OWN = {"own points": "foci", "own belts": "graded belt"}
TRUTHS = (*COMMON, *OWN, "none")
#: Number of sectors on the maps of so many regions.
SECTORS = {17: 11, 40: 14, 100: 18}
#: What tells one table from all others: seed and number, too.
KEYS = ("truth", "amplitude", "map", "sizes", "plants", "seed", "table")
#: Least and most plants of a sector, and the standard deviation of the logarithm of their size.
PLANTS = {"unequal": ((50, 500), 1.0), "equal": ((200, 2000), 0.0)}
Case: TypeAlias = dict[str, Any]


def independent_map(regions: int) -> Graph:
    """The bundled map of 17 regions, or the contiguity of Voronoi cells of random points."""
    if regions == 17:
        return spatialkz.load_study().graph
    xy = np.random.default_rng(regions).uniform(size=(regions, 2))
    points = gpd.GeoSeries(gpd.points_from_xy(*xy.T), index=[f"r{number:03d}" for number in range(regions)])
    return Graph.build_triangulation(points, method="voronoi", clip="bounding_box")


def pattern(kind: str, graph: Graph, rng: np.random.Generator, reach: float = 2.0) -> np.ndarray:
    """A pattern over the regions with mean 0 and variance 1.

    ``foci``: from √n/2 to 3√n/4 regions at random (2 or 3 of 17, 3 to 5 of 40, 5 to 8 of 100) above all
    others. ``abrupt belt``: one region more, each adjacent to one before it. ``graded belt``: a normal field
    with covariance exp(−steps between regions / reach).
    """
    n = graph.n
    adjacent = graph.sparse.toarray() > 0
    if kind == "graded belt":
        values, vectors = np.linalg.eigh(np.exp(-shortest_path(adjacent, unweighted=True) / reach))
        field = vectors @ (np.sqrt(values.clip(0)) * rng.standard_normal(n))
    else:
        many = rng.integers(round(n**0.5 / 2), round(0.75 * n**0.5) + 1)
        field = np.zeros(n)
        if kind == "foci":
            field[rng.choice(n, many, replace=False)] = 1
        else:
            field[rng.integers(n)] = 1
            for _ in range(many):
                around = adjacent[field == 1].any(axis=0) & (field == 0)
                field[rng.choice(np.flatnonzero(around))] = 1
    return (field - field.mean()) / field.std()


def independent_table(
    truth: str,
    graph: Graph,
    rng: np.random.Generator,
    *,
    sectors: int = 11,
    amplitude: float = 1.0,
    follow: float = 0.8,
    sigma: float = 0.6,
    plants: tuple[int, int] = (50, 500),
    plant_sigma: float = 1.0,
    reach: float = 2.0,
) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Quotients, base shares of the regions, and the number of plants of each sector.

    A share ``follow`` of the sectors is attracted by a pattern common to them; patterns of the sectors' own
    attract all sectors. The number of plants of a sector is log-uniform between ``plants``; ``sigma`` and
    ``plant_sigma`` are the standard deviations of the logarithms of the sizes of regions and of plants.
    """
    n = graph.n
    shares = rng.lognormal(0, sigma, n)
    shares /= shares.sum()
    attraction = np.zeros((n, sectors))
    if truth in COMMON:
        attraction[:, : round(follow * sectors)] = pattern(truth, graph, rng, reach)[:, None]
    elif truth in OWN:
        attraction = np.stack([pattern(OWN[truth], graph, rng, reach) for _ in range(sectors)], axis=1)
    elif truth != "none":
        raise ValueError(f"There is no truth {truth!r}; there are {', '.join(TRUTHS)}.")
    chances = shares[:, None] * np.exp(amplitude * attraction)
    counts = np.exp(rng.uniform(*np.log(plants), sectors)).round().astype(int)
    volumes = np.zeros((n, sectors))
    for sector, number in enumerate(counts):
        chosen = rng.choice(n, number, p=chances[:, sector] / chances[:, sector].sum())
        volumes[:, sector] = np.bincount(chosen, rng.lognormal(0, plant_sigma, number), n)
    names = pd.Index([f"sector {number:02d}" for number in range(sectors)], name="sector")
    regions = pd.Index(graph.unique_ids, name="region")
    quotients = pd.DataFrame(volumes / volumes.sum(axis=0) / shares[:, None], regions, names)
    return quotients, pd.Series(shares, regions, name="share"), pd.Series(counts, names, name="plants")


def table_of(case: Case) -> tuple[pd.DataFrame, Graph, dict[str, pd.Series]]:
    """The table of a case on its graph, and what the test is told of sizes.

    ``sizes``: ``none`` tells it nothing, ``shares`` the base shares, ``units`` the plants too. ``plants``: 50
    to 500 a sector of ``unequal`` (lognormal) or 200 to 2,000 of ``equal`` size.
    """
    truth, amplitude, regions = case["truth"], case["amplitude"], case["map"]
    graph = independent_map(regions)
    key = [case["seed"], regions, TRUTHS.index(truth), round(100 * amplitude), case["table"]]
    rng = np.random.default_rng(key)
    number, spread = PLANTS[case["plants"]]
    quotients, shares, plants = independent_table(
        truth, graph, rng, sectors=SECTORS[regions], amplitude=amplitude, plants=number, plant_sigma=spread
    )
    told = {
        "none": {},
        "shares": {"base_shares": shares},
        "units": {"base_shares": shares, "units": plants},
    }
    return quotients, graph, told[case["sizes"]]


def judged(quotients: pd.DataFrame, graph: Graph, **options: Any) -> dict[str, Any]:
    """What ``focal_test`` says of a table, without what no verdict depends on: deletions, the multiverse."""
    module = import_module("spatialkz.focal.focal")
    nothing = {"create": True, "return_value": None}
    with patch.object(module, "_DELETIONS", ()), patch.object(module._FamilyTests, "_wanted", **nothing):
        found = spatialkz.focal_test(quotients, graph, **options).families["all"]
    parts = {name: part for name, part in found.to_dict().items() if isinstance(part, dict)}
    told = {f"{name}_verdict": part["verdict"] for name, part in parts.items() if "verdict" in part}
    return {**found.row(), **told}


def collected(
    out: Path | None,
    cases: Iterable[Case],
    make: Callable[[Case], tuple[pd.DataFrame, Graph, dict[str, pd.Series]]] = table_of,
    **options: Any,
) -> pd.DataFrame:
    """Verdicts on all cases, one row each; those that stand in the CSV ``out`` are not computed again."""
    rows = pd.read_csv(out).to_dict("records") if out and out.exists() else []
    done = {tuple(row[key] for key in KEYS): row for row in rows}
    wanted = []
    for case in cases:
        key = tuple(case[name] for name in KEYS)
        if key not in done:
            start = time.perf_counter()
            quotients, graph, told = make(case)
            found = judged(quotients, graph, rng=case["table"], **told, **options)
            done[key] = {**case, **found, "seconds": round(time.perf_counter() - start, 2)}
            if out:
                pd.DataFrame(done.values()).to_csv(out, index=False)
        wanted.append(done[key])
    return pd.DataFrame(wanted)


def cases_of(
    truths: Iterable[tuple[str, float]],
    count: int,
    *,
    seed: int = 1,
    regions: int = 17,
    sizes: str = "shares",
    plants: str = "unequal",
) -> list[Case]:
    """Cases of all truths in turn, so that an early end leaves as many of each."""
    return [
        dict(zip(KEYS, [truth, amplitude, regions, sizes, plants, seed, number], strict=True))
        for number in range(count)
        for truth, amplitude in truths
    ]


def main() -> None:
    """Append verdicts to a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--truths", nargs="+", required=True, metavar="TRUTH=AMPLITUDE")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--map", type=int, default=17, choices=SECTORS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", default="shares", choices=["none", "shares", "units"])
    parser.add_argument("--plants", default="unequal", choices=PLANTS)
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--simulations", type=int, default=12_000)
    given = parser.parse_args()
    words = [word.partition("=") for word in given.truths]
    cases = cases_of(
        [(truth, float(amplitude or 1)) for truth, _, amplitude in words],
        given.count,
        seed=given.seed,
        regions=given.map,
        sizes=given.sizes,
        plants=given.plants,
    )
    options = {"permutations": given.permutations, "simulations": given.simulations}
    print(tabulated(collected(given.out, cases, **options)).to_string())


def tabulated(found: pd.DataFrame) -> pd.DataFrame:
    """How many tables of each truth have each verdict, and each verdict on their place."""
    keys = [found[key] for key in ("map", "sizes", "plants", "truth", "amplitude")]
    columns = [name for name in ("verdict", "place_verdict") if name in found]
    return pd.concat({name: pd.crosstab(keys, found[name]) for name in columns}, axis=1)


if __name__ == "__main__":
    main()
