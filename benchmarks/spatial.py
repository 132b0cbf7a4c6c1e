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
from inputs import copy_bandwidth, interleaved, machine, normal_values, queen_lattice, seconds

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
    test: Callable[..., object], peer: Callable[..., None], side: int, timed: int, times: int, target: int
) -> float:
    graph, values = queen_lattice(side), normal_values(side * side, VARIABLES)
    some = values.iloc[:, :timed]
    standardized = graph.transform("r")
    found = interleaved({"ours": ours(test, values, graph), "peer": lambda: peer(some, standardized)}, times)
    scale = VARIABLES / timed
    ratio, best = (scale * found["peer"][i] / found["ours"][i] for i in (0, 1))
    how = "" if timed == VARIABLES else f" (timed on {timed} variables and scaled)"
    print(
        f"{test.__name__}, n = {side * side:,}, {VARIABLES} variables: ours {found['ours'][0]:.3f} s, "
        f"esda {scale * found['peer'][0]:.1f} s{how}: {ratio:.0f} × by medians of {times}, "
        f"{best:.0f} × by the fastest; target {target} ×",
        flush=True,
    )
    return found["ours"][1]


def limit(side: int, took: float, bandwidth: float) -> None:
    """The bytes that must move: each permutation reads each row of single-precision values once."""
    moved = PERMUTATIONS * side * side * 96 * 4  # 88 variables fill 96 places
    print(
        f"  {moved / took / 1e9:.1f} GB/s of permuted rows gathered; one thread copies at {bandwidth / 1e9:.1f} GB/s"
    )


def single(side: int = 316) -> None:
    graph, values = queen_lattice(side), normal_values(side * side, 1)
    standardized = graph.transform("r")
    for test, peer in ((moran, esda_global), (local_moran, esda_local)):
        jobs = {"ours": ours(test, values, graph), "esda": lambda peer=peer: peer(values, standardized)}
        if test is local_moran:
            jobs["pygeoda"] = pygeoda_local(side, values)
        found = interleaved(jobs, 3 if test is local_moran else 5)
        told = ", ".join(
            f"{name} {median:.2f} s (fastest {best:.2f})" for name, (median, best) in found.items()
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

    first = seconds(both, 1)[0]
    median, best = seconds(both, 9)
    print(
        f"{len(values)} regions × {values.shape[1]} variables, 9,999 permutations global and exact local: "
        f"first call {first:.2f} s, then {median:.2f} s (fastest {best:.2f}); target 0.5 s"
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
