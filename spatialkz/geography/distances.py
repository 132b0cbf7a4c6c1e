"""Graph recipes by distance in kilometers, by the geometry of points, and by travel times of the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from libpysal.kernels import kernel
from scipy.sparse import csr_array
from scipy.spatial import Delaunay as Triangulation
from scipy.spatial import KDTree, QhullError

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography.places import Places, Positions, RegionGeometry
from spatialkz.geography.recipes import Recipe, binary, check_option, check_positive, check_whole
from spatialkz.options import Asymmetry, KernelFunction
from spatialkz.tables import check_same_regions

_ENDLESS = ("gaussian", "exponential")
_WORDS = {"mean": "mean of both ways", "longer": "longer way", "shorter": "shorter way", "keep": "each way"}


@dataclass(frozen=True)
class KNearest(Recipe):
    """The ``k`` nearest regions, each with weight 1; distances that tie go west to east, then south to north.

    Being near is not mutual, so the graph is directed unless ``symmetric``.

    Parameters
    ----------
    k : int
        Number of neighbors, from 1 to n − 1.
    symmetric : bool
        Make regions neighbors if either counts the other among its ``k`` nearest; then k is the least number.

    Examples
    --------
    >>> print(KNearest(4)), KNearest(4)
    4 nearest neighbors
    (None, KNearest(k=4, symmetric=False))
    """

    k: int = 4
    symmetric: bool = False

    def __post_init__(self) -> None:
        check_whole(self.k, "k")
        if not isinstance(self.symmetric, bool):
            raise InputError(f"symmetric is {self.symmetric!r}; it must be true or false.")

    def __str__(self) -> str:
        count = "nearest neighbor" if self.k == 1 else f"{self.k} nearest neighbors"
        return f"{count}, either way" if self.symmetric else count

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 to the nearest."""
        check_fewer(self.k, len(layout))
        nearest, _ = layout.places.nearest(self.k)
        one_way = _rows(nearest, np.ones(nearest.shape))
        return binary(one_way + one_way.T) if self.symmetric else one_way


@dataclass(frozen=True)
class DistanceBand(Recipe):
    """Regions up to ``threshold`` kilometers away, the threshold included, each with weight 1.

    Parameters
    ----------
    threshold : float, optional
        Kilometers. By default the smallest threshold that leaves no region alone: the largest of the
        distances to the nearest region.

    Examples
    --------
    >>> print(DistanceBand(500))
    distance band up to 500 km
    """

    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None:
            check_positive(self.threshold, "threshold", "kilometers")

    def __str__(self) -> str:
        if self.threshold is None:
            return "smallest distance band that leaves no region alone"
        return f"distance band up to {self.threshold:g} km"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 within the band."""
        places = layout.places
        reach = float(places.nearest()[1].max()) if self.threshold is None else self.threshold
        return binary(places.within(reach))


@dataclass(frozen=True)
class InverseDistance(Recipe):
    """Every other region, or those up to a threshold, with weight falling with distance.

    .. math:: w_{ij} = d_{ij}^{-p}

    Parameters
    ----------
    power : float
        p, positive.
    threshold : float, optional
        Kilometers, included. By default there is none and every region neighbors every other: n(n − 1)
        weights.

    Examples
    --------
    >>> print(InverseDistance(power=2, threshold=500))
    inverse distance, power 2, up to 500 km
    """

    power: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        check_positive(self.power, "power")
        if self.threshold is not None:
            check_positive(self.threshold, "threshold", "kilometers")

    def __str__(self) -> str:
        reach = "" if self.threshold is None else f", up to {self.threshold:g} km"
        return f"inverse distance, power {self.power:g}{reach}"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Powers of the distance in kilometers."""
        weights = layout.places.within(np.inf if self.threshold is None else self.threshold)
        weights.data = weights.data**-self.power
        return weights


@dataclass(frozen=True)
class Kernel(Recipe):
    r"""Weights that fall from 1 with distance, relative to a bandwidth that is fixed or adapts to the region.

    .. math:: w_{ij} = K(z), \quad z = d_{ij} / h_i

    with K one of triangular :math:`1 - z`, parabolic :math:`1 - z^2`, bisquare :math:`(1 - z^2)^2`, cosine
    :math:`\cos(\pi z / 2)`, all 0 from :math:`z = 1` on; gaussian :math:`e^{-z^2 / 2}`, exponential
    :math:`e^{-z}`, which reach every region.

    Parameters
    ----------
    function : {"triangular", "parabolic", "bisquare", "cosine", "gaussian", "exponential"}
    bandwidth : float, optional
        h in kilometers, one for all regions.
    k : int, optional
        Instead: the bandwidth of a region is the distance to its (k + 1)-th nearest, and only the k nearest
        have weight, so k is from 1 to n − 2. By default 4.

    Examples
    --------
    >>> print(Kernel("bisquare", bandwidth=500), "/", Kernel(k=5))
    bisquare kernel, bandwidth 500 km / triangular kernel on the 5 nearest
    """

    function: KernelFunction = "triangular"
    bandwidth: float | None = None
    k: int | None = None

    def __post_init__(self) -> None:
        check_option(self.function, "function", get_args(KernelFunction))
        if self.bandwidth is not None and self.k is not None:
            raise InputError("A kernel has a bandwidth or k, not both.")
        if self.bandwidth is not None:
            check_positive(self.bandwidth, "bandwidth", "kilometers")
        else:
            object.__setattr__(self, "k", check_whole(4 if self.k is None else self.k, "k"))

    def __str__(self) -> str:
        if self.k is not None:
            return f"{self.function} kernel on the {self.k} nearest"
        return f"{self.function} kernel, bandwidth {self.bandwidth:g} km"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Kernel of the relative distances."""
        places = layout.places
        if self.k is not None:
            check_fewer(self.k, len(layout) - 1)
            nearest, kilometers = places.nearest(self.k + 1)
            weights = _rows(nearest[:, :-1], kilometers[:, :-1] / kilometers[:, -1:])
        else:
            weights = places.within(np.inf if self.function in _ENDLESS else float(self.bandwidth or 0))
            weights.data = weights.data / self.bandwidth
        weights.data = kernel(weights.data, 1.0, kernel=self.function, taper=False, decay=True)
        weights.data[weights.data < 1e-12] = 0.0  # the edge of the kernel
        weights.eliminate_zeros()
        return weights


@dataclass(frozen=True)
class Delaunay(Recipe):
    """Regions whose points share an edge of the Delaunay triangulation, each with weight 1.

    No circle through the three corners of a triangle holds another point. Where four points lie on one
    circle the triangulation is a matter of choice; points are entered from west to east, so that the order of
    the regions never decides. At the rim of the map the triangulation links regions that are far apart.
    Points in degrees are triangulated in a stereographic projection about their middle, which keeps circles.

    Examples
    --------
    >>> print(Delaunay())
    Delaunay triangulation
    """

    def __str__(self) -> str:
        return "Delaunay triangulation"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 along the edges."""
        i, j = _triangulation_edges(layout.places)
        return _both_ways(i, j, len(layout))


@dataclass(frozen=True)
class Gabriel(Recipe):
    """Regions between whose points no other point lies: none is in the closed circle about their middle.

    A part of the Delaunay triangulation without its long links (Gabriel & Sokal 1969). The graph is always
    connected. A point on the circle counts as in it, so on a lattice diagonals are no links.

    References
    ----------
    Gabriel & Sokal (1969), *Systematic Zoology* 18, 259–278.

    Examples
    --------
    >>> print(Gabriel())
    Gabriel graph
    """

    def __str__(self) -> str:
        return "Gabriel graph"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights of 1 along the edges."""
        places = layout.places
        if len(layout) == 2:
            return _both_ways(np.array([0]), np.array([1]), 2)
        i, j = _triangulation_edges(places)
        middle = (places.xyz[i] + places.xyz[j]) / 2
        radius = np.linalg.norm(places.xyz[i] - places.xyz[j], axis=1) / 2
        # The two ends lie on the circle; a third point must not lie on or in it. On the globe the ball about
        # the middle of the chord cuts out the very circle that the geodesic has as its diameter.
        third = KDTree(places.xyz).query(middle, k=[3])[0][:, 0]
        empty = third > radius + places.tolerance
        return _both_ways(i[empty], j[empty], len(layout))


def check_fewer(k: int, n: int) -> None:
    """Refuse more neighbors than there are others."""
    if k >= n:
        raise InputError(f"k is {k}; it must be less than {n} for these regions.")


def _rows(neighbors: Positions, values: np.ndarray) -> csr_array:
    """Matrix with the same number of entries in each row."""
    n, k = neighbors.shape
    matrix = csr_array((values.ravel(), neighbors.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    matrix.sort_indices()
    return matrix


def _both_ways(i: Positions, j: Positions, n: int) -> csr_array:
    return binary(csr_array((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), shape=(n, n)))


def _triangulation_edges(places: Places) -> tuple[Positions, Positions]:
    order = np.lexsort(places.plane.T[::-1])
    points = places.plane[order] - places.plane.mean(axis=0)
    try:
        triangles = order[Triangulation(points).simplices]
    except (QhullError, ValueError) as error:
        raise InputError("A triangulation needs three regions that do not lie on one line.") from error
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return tuple(np.unique(edges, axis=0).astype(np.intp).T)


@dataclass(frozen=True, eq=False)
class TravelTime(Recipe):
    r"""Neighbors by minutes of travel: the nearest, those within a limit, or all with falling weight.

    .. math:: w_{ij} = t_{ij}^{-p} \text{ with a power p, else } 1

    Only pairs in the table can become neighbors. Give ``k`` or ``threshold`` or ``power``; the power can also
    weight the neighbors that ``k`` or ``threshold`` picks.

    Parameters
    ----------
    table : DataFrame
        The first three columns are from, to, minutes; a pair stands once for each direction, or in one
        direction for both. Pairs of a region with itself are passed over.
    k : int, optional
        Number of nearest regions; times that tie go in the order of the table's first mention of a region.
    threshold : float, optional
        Minutes, included.
    power : float, optional
        p, positive.
    asymmetry : {"mean", "longer", "shorter", "keep", "error"}
        What to do where there and back differ: take the mean, the longer or the shorter time for both, keep
        each (then the graph is directed), or refuse. (``k`` nearest are directed under every policy.)

    Raises
    ------
    InputError
        If minutes are missing or not positive, a pair repeats, or options do not fit.
    RegionError
        If the table lacks regions or has others.

    Examples
    --------
    >>> rows = [("a", "b", 30), ("b", "a", 40), ("b", "c", 90)]
    >>> times = pd.DataFrame(rows, columns=["from", "to", "minutes"])
    >>> print(TravelTime(times, threshold=60))
    travel time up to 60 minutes (mean of both ways)
    """

    table: pd.DataFrame
    k: int | None = None
    threshold: float | None = None
    power: float | None = None
    asymmetry: Asymmetry = "mean"

    def __post_init__(self) -> None:
        check_option(self.asymmetry, "asymmetry", get_args(Asymmetry))
        if self.k is not None:
            check_whole(self.k, "k")
        if self.threshold is not None:
            check_positive(self.threshold, "threshold", "minutes")
        if self.power is not None:
            check_positive(self.power, "power")
        if self.k is None and self.threshold is None and self.power is None:
            raise InputError("Travel time needs k, threshold (minutes) or power.")
        if self.k is not None and self.threshold is not None:
            raise InputError("Travel time takes k or threshold, not both.")
        object.__setattr__(self, "table", _checked(self.table, self.asymmetry))

    def __repr__(self) -> str:
        return (
            f"TravelTime(<{len(self.table)} times>, k={self.k}, threshold={self.threshold}, "
            f"power={self.power}, asymmetry={self.asymmetry!r})"
        )

    def __str__(self) -> str:
        words = "travel time"
        if self.k is not None:
            words += f", {self.k} nearest"
        if self.threshold is not None:
            words += f" up to {self.threshold:g} minutes"
        if self.power is not None:
            words += f", inverse with power {self.power:g}"
        return f"{words} ({_WORDS.get(self.asymmetry, 'the same both ways')})"

    def weights(self, layout: RegionGeometry) -> csr_array:
        """Weights by minutes."""
        table, n = self.table, len(layout)
        named = pd.Index(table["from"])  # holds every region: each pair stands both ways
        check_same_regions(named.unique(), layout.labels.astype(str), "the travel table", "the map")
        if self.k is not None:
            few = named.value_counts().loc[lambda count: count < self.k].index
            if len(few):
                raise InputError(
                    f"k is {self.k}, but the travel table has fewer than {self.k} pairs for {listing(few)}."
                )
            table = table.sort_values("minutes", kind="stable").groupby("from", sort=False).head(self.k)
        if self.threshold is not None:
            table = table[table["minutes"] <= self.threshold]
        place = pd.Series(np.arange(n), index=layout.labels.astype(str))
        i, j = place.loc[table["from"]].to_numpy(), place.loc[table["to"]].to_numpy()
        values = np.ones(len(table)) if self.power is None else table["minutes"].to_numpy() ** -self.power
        return csr_array((values, (i, j)), shape=(n, n))


def _checked(table: pd.DataFrame, asymmetry: Asymmetry) -> pd.DataFrame:
    """Columns from, to, minutes, each pair both ways, with the asymmetry settled."""
    if not isinstance(table, pd.DataFrame) or table.shape[1] < 3:
        raise InputError("The travel table must be a DataFrame whose columns are from, to and minutes.")
    pairs = table.iloc[:, :3].set_axis(["from", "to", "minutes"], axis=1).reset_index(drop=True)
    if pairs[["from", "to"]].isna().any(axis=None):
        raise RegionError("The travel table must name two regions in every row.")
    pairs = pairs.astype({"from": str, "to": str})
    pairs = pairs[pairs["from"] != pairs["to"]]
    pairs["minutes"] = pd.to_numeric(pairs["minutes"], errors="coerce").astype(float)
    wrong = ~(np.isfinite(pairs["minutes"]) & (pairs["minutes"] > 0))
    if wrong.any():
        raise InputError(f"Minutes must be positive numbers, but are not for {_names(pairs[wrong])}.")
    twice = pairs.duplicated(["from", "to"])
    if twice.any():
        raise InputError(f"Each way may stand once in the travel table, but {_names(pairs[twice])} repeats.")
    back = pairs.rename(columns={"from": "to", "to": "from"})
    both = pairs.merge(back, on=["from", "to"], how="outer", suffixes=("", "_back"), sort=False)
    there, back_minutes = both["minutes"], both["minutes_back"]
    there, back_minutes = there.fillna(back_minutes), back_minutes.fillna(there)
    if asymmetry == "error" and (there != back_minutes).any():
        raise InputError(f"There and back take different times for {_names(both[there != back_minutes])}.")
    settled = {
        "mean": (there + back_minutes) / 2,
        "longer": np.maximum(there, back_minutes),
        "shorter": np.minimum(there, back_minutes),
    }
    both["minutes"] = settled.get(asymmetry, there)
    first = {name: at for at, name in enumerate(pd.unique(pairs[["from", "to"]].to_numpy().ravel()))}
    order = np.lexsort((both["to"].map(first), both["from"].map(first)))
    return both.iloc[order][["from", "to", "minutes"]].reset_index(drop=True)


def _names(pairs: pd.DataFrame) -> str:
    return listing(f"{a} – {b}" for a, b in zip(pairs["from"], pairs["to"], strict=True))
