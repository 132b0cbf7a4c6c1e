"""Global and local Moran's I side by side with esda and pygeoda, in one process.

    python benchmarks/spatial.py [global-3025 global-100k local-3025 local-40k single small others]

Peers run first on a small map, so that none pays for compilation while the clock runs. Where a loop over
all variables takes long, the peer is timed on a few of them and scaled; the report says so.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from esda import (
    G,
    G_Local,
    Geary,
    Geary_Local,
    Geary_Local_MV,
    Join_Counts,
    Join_Counts_Local,
    Moran,
    Moran_BV,
    Moran_Local,
    Moran_Local_BV,
    Moran_Rate,
)
from inputs import copy_bandwidth, machine, normal_values, queen_lattice, timed
from libpysal.graph import Graph
from libpysal.weights import lat2W

import spatialkz
from spatialkz.spatial import (
    bivariate_moran,
    geary,
    getis_ord,
    join_counts,
    local_bivariate_moran,
    local_geary,
    local_getis_ord,
    local_join_counts,
    local_moran,
    moran,
    rate_moran,
)

VARIABLES, PERMUTATIONS = 88, 999


def esda_global(values: pd.DataFrame, graph: object) -> None:
    for name in values:
        Moran(values[name].to_numpy(), graph, permutations=PERMUTATIONS)


def esda_local(values: pd.DataFrame, graph: object) -> None:
    for name in values:
        Moran_Local(values[name].to_numpy(), graph, permutations=PERMUTATIONS, n_jobs=1, seed=1)


def ours(test: Callable[..., object], values: pd.DataFrame, graph: object) -> Callable[[], object]:
    return lambda: test(values, graph, permutations=PERMUTATIONS, rng=1)


def compare(
    test: Callable[..., object], peer: Callable[..., None], side: int, few: int, times: int, target: int
) -> float:
    graph, values = queen_lattice(side), normal_values(side * side, VARIABLES)
    standardized, some = graph.transform("r"), values.iloc[:, :few]
    mine, other = timed(ours(test, values, graph), lambda: peer(some, standardized), times=times)
    scale = VARIABLES / few
    how = "" if few == VARIABLES else f" (timed on {few} variables and scaled)"
    print(
        f"{test.__name__}, n = {side * side:,}, {VARIABLES} variables: ours {mine.median:.3f} s (fastest "
        f"{mine.best:.3f}, on cores {mine.cores:.3f}), esda {scale * other.median:.1f} s{how}\n"
        f"  ratio of medians of {times}: {scale * other.median / mine.median:.0f} ×; of the fastest: "
        f"{scale * other.best / mine.best:.0f} ×; of time on cores: "
        f"{scale * other.cores / mine.cores:.0f} ×; target {target} ×",
        flush=True,
    )
    return mine.best


def limit(side: int, took: float, bandwidth: float) -> None:
    """The bytes that must move: each permutation reads each row of single-precision values once."""
    moved = PERMUTATIONS * side * side * 96 * 4  # 88 variables fill 96 places
    print(
        f"  {moved / took / 1e9:.1f} GB/s of rows gathered; one thread copies at {bandwidth / 1e9:.1f} GB/s"
    )


def single(side: int = 316) -> None:
    graph, values = queen_lattice(side), normal_values(side * side, 1)
    standardized = graph.transform("r")
    rivals = [
        (moran, {"esda": lambda: esda_global(values, standardized)}),
        (
            local_moran,
            {"esda": lambda: esda_local(values, standardized), "pygeoda": pygeoda_local(side, values)},
        ),
    ]
    for test, peers in rivals:
        clocks = timed(ours(test, values, graph), *peers.values())
        told = ", ".join(
            f"{name} {clock.median:.2f} s (fastest {clock.best:.2f})"
            for name, clock in zip(["ours", *peers], clocks, strict=True)
        )
        print(f"{test.__name__}, n = {side * side:,}, one variable: {told}", flush=True)


def pygeoda_local(side: int, values: pd.DataFrame) -> Callable[[], object]:
    """Pygeoda has no global Moran; its local one with its own weights, complete permutation, all cores."""
    import geopandas as gpd
    import pygeoda
    from shapely import box

    y, x = np.divmod(np.arange(side * side), side)
    frame = gpd.GeoDataFrame(values.copy(), geometry=box(x, y, x + 1, y + 1))
    geoda = pygeoda.open(frame)
    weights = pygeoda.queen_weights(geoda)
    return lambda: pygeoda.local_moran(weights, geoda["v0"], permutations=PERMUTATIONS)


def small() -> None:
    study = spatialkz.load_study()
    values = study.table.values.assign(breadth=(study.table.values >= 1).sum(axis=1))

    def both() -> None:
        moran(values, study.graph, permutations=9999, rng=1)
        local_moran(values, study.graph, rng=1)

    (first,) = timed(both, times=1)
    (later,) = timed(both, times=9)
    print(
        f"{len(values)} regions × {values.shape[1]} variables, 9,999 permutations global and exact local: "
        f"first call {first.best:.2f} s, then {later.median:.2f} s; target 0.5 s"
    )


def others(side: int = 55, variables: int = 20, few: int = 4) -> None:
    """The other statistics of the room on a rook lattice, esda variable by variable."""
    n, rng = side * side, np.random.default_rng(1)
    graph = Graph.from_W(lat2W(side, side))
    standardized = graph.transform("r")
    x = pd.DataFrame(rng.lognormal(size=(n, variables))).add_prefix("v")
    y, marks = x["v0"].sample(frac=1, random_state=1).set_axis(x.index).rename("y"), (x > 1).astype(int)
    people = pd.Series(rng.integers(100, 10_000, n), name="people")
    events = pd.DataFrame(rng.poisson(0.05 * people.to_numpy()[:, None], size=(n, variables))).add_prefix("e")
    drawn, seeded = {"permutations": PERMUTATIONS}, {"permutations": PERMUTATIONS, "n_jobs": 1, "seed": 1}
    local, both = {"method": "permutation", **drawn}, y.to_numpy()

    def each(table: pd.DataFrame, peer: Callable[[np.ndarray], object]) -> Callable[[], object]:
        return lambda: [peer(table[name].to_numpy()) for name in table.columns[:few]]

    def mv() -> object:
        return Geary_Local_MV(standardized, **drawn).fit([x[name].to_numpy() for name in x])

    cases: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "Geary": (
            lambda: geary(x, graph, rng=1, **drawn),
            each(x, lambda v: Geary(v, standardized, **drawn)),
        ),
        "local Geary": (
            lambda: local_geary(x, graph, rng=1, **local),
            each(x, lambda v: Geary_Local(standardized, **seeded).fit(v)),
        ),
        "local Geary, multivariate": (
            lambda: local_geary(x, graph, rng=1, multivariate=True, **local),
            mv,
        ),
        "Getis–Ord G": (lambda: getis_ord(x, graph, rng=1, **drawn), each(x, lambda v: G(v, graph, **drawn))),
        "Getis–Ord Gi": (
            lambda: local_getis_ord(x, graph, rng=1, **local),
            each(x, lambda v: G_Local(v, graph, transform="B", **seeded)),
        ),
        "join counts": (
            lambda: join_counts(marks, graph, rng=1, **drawn),
            each(marks, lambda v: Join_Counts(v, graph, **drawn)),
        ),
        "local join counts": (
            lambda: local_join_counts(marks, graph),
            each(marks, lambda v: Join_Counts_Local(graph, **seeded).fit(v)),
        ),
        "rates": (
            lambda: rate_moran(events, people, graph, rng=1, **drawn),
            each(events, lambda v: Moran_Rate(v, people.to_numpy(), standardized, **drawn)),
        ),
        "bivariate Moran": (
            lambda: bivariate_moran(x, y, graph, rng=1, **drawn),
            each(x, lambda v: Moran_BV(v, both, standardized, **drawn)),
        ),
        "local bivariate Moran": (
            lambda: local_bivariate_moran(x, y, graph, rng=1, **local),
            each(x, lambda v: Moran_Local_BV(v, both, standardized, **seeded)),
        ),
    }
    for name, (mine, peer) in cases.items():
        mine(), peer()  # compile
        own, other = timed(mine, peer, times=3)
        scale = 1 if peer is mv else variables / few
        how = "" if peer is mv else f" (timed on {few} variables and scaled)"
        print(
            f"{name}, n = {n:,}, {variables} variables: ours {own.median:.2f} s, esda "
            f"{scale * other.median:.1f} s{how}; ratio {scale * other.median / own.median:.0f} ×, of time on "
            f"cores {scale * other.cores / own.cores:.0f} ×",
            flush=True,
        )


def main(chosen: list[str]) -> None:
    print(machine("numpy", "numba", "pandas", "esda", "libpysal", "pygeoda"))
    warnings.filterwarnings("ignore")
    if "small" in chosen:
        small()
    if "others" in chosen:
        others()
    if set(chosen) <= {"small", "others"}:
        return
    bandwidth = copy_bandwidth()
    for test, peer in ((moran, esda_global), (local_moran, esda_local)):  # compile
        peer(normal_values(400, 1), queen_lattice(20).transform("r"))
        ours(test, normal_values(3025, VARIABLES), queen_lattice(55))()
    if "global-3025" in chosen:
        limit(55, compare(moran, esda_global, 55, VARIABLES, 5, 100), bandwidth)
    if "global-100k" in chosen:
        limit(316, compare(moran, esda_global, 316, 4, 5, 50), bandwidth)
    if "local-3025" in chosen:
        compare(local_moran, esda_local, 55, 22, 5, 100)
    if "local-40k" in chosen:
        compare(local_moran, esda_local, 200, 3, 5, 100)
    if "single" in chosen:
        single()


if __name__ == "__main__":
    everything = ["small", "global-3025", "global-100k", "local-3025", "local-40k", "single", "others"]
    main(sys.argv[1:] or everything)
