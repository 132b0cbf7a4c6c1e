"""Global and local Moran's I side by side with esda and pygeoda, in one process.

    python benchmarks/spatial.py [global-3025 global-100k local-3025 local-40k single small]

Peers run first on a small map, so that none pays for compilation while the clock runs. Where a loop over
all variables takes long, the peer is timed on a few of them and scaled; the report says so.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from esda import Moran, Moran_Local
from inputs import copy_bandwidth, machine, normal_values, queen_lattice, timed

import spatialkz
from spatialkz.spatial import local_moran, moran

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


def main(chosen: list[str]) -> None:
    print(machine("numpy", "numba", "pandas", "esda", "libpysal", "pygeoda"))
    warnings.filterwarnings("ignore")
    if "small" in chosen:
        small()
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
    everything = ["small", "global-3025", "global-100k", "local-3025", "local-40k", "single"]
    main(sys.argv[1:] or everything)
