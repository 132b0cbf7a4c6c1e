"""The correlogram: likeness of regions by the distance between them, and where it ends.

Not by ``esda.correlogram``: it takes degrees for plane coordinates, draws from the global random state and
offers only bands that begin at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import shortest_path

from spatialkz.errors import InputError
from spatialkz.geography.places import Positions, RegionGeometry
from spatialkz.geography.weights import binary
from spatialkz.options import Alternative, CorrelogramStatistic
from spatialkz.resampling.checks import (
    check_alpha,
    check_choice,
    check_permutations,
    refuse_constants,
    refuse_tiny,
    seeds_of,
)
from spatialkz.resampling.pvalues import Floats, adjusted, check_alternative, check_number
from spatialkz.results import Result, json_ready
from spatialkz.spatial.geary import geary_form
from spatialkz.spatial.moments import QuadraticForm, quadratic_test
from spatialkz.tables import check_same_regions, check_table

# Up to this many regions all distances are found; with more, the bands must be given.
_MOST_REGIONS = 5000
_SAME = 1 + 1e-9
_TITLES = {"moran": "Moran's I", "geary": "Geary's c"}


@dataclass(frozen=True, repr=False)
class Correlogram(Result):
    """Result of :func:`correlogram`.

    Attributes
    ----------
    statistic : {"moran", "geary"}
    unit : str
        Of the distances: ``km``, or ``steps`` from neighbor to neighbor.
    table : DataFrame
        What :meth:`to_frame` returns.
    alternative, alpha, permutations
        As given.
    """

    statistic: CorrelogramStatistic
    unit: str
    table: pd.DataFrame
    alternative: Alternative
    alpha: float
    permutations: int

    def to_frame(self) -> pd.DataFrame:
        """Index ``(variable, band)``, with the columns named in :func:`correlogram`."""
        return self.table.copy()

    def reach(self) -> pd.DataFrame:
        """How far likeness reaches, one row for each variable.

        ``reach`` is the upper end of the last band of an unbroken row of bands, from the nearest on, whose
        regions are alike with p ≤ alpha; 0 if those of the nearest band are not. ``end_seen`` is False where
        that row goes through all bands, so that the end lies beyond them. As the first band without
        significance ends the row, p-values need no adjustment: values without any pattern have a reach above
        0 with probability alpha at most. That a band is not significant is no proof that likeness has ended
        there; with few regions it ends where the test loses sight of it.
        """
        sign = 1 if self.statistic == "moran" else -1
        alike = sign * (self.table["statistic"] - self.table["expected"]) > 0
        significant = alike & (self.table["p_value"] <= self.alpha)
        run = significant.groupby("variable", sort=False).cumprod().astype(bool)
        far = self.table["high"].where(run, 0.0).groupby("variable", sort=False).max()
        return pd.DataFrame({"reach": far, "end_seen": ~run.groupby("variable", sort=False).all()})

    def to_dict(self) -> dict[str, object]:
        """Bands and reach by variable, ready for JSON."""
        return {
            "statistic": _TITLES[self.statistic],
            "unit": self.unit,
            "alternative": self.alternative,
            "alpha": self.alpha,
            "permutations": self.permutations,
            "reach": json_ready(self.reach()),
            "variables": {
                str(name): json_ready(rows.droplevel("variable"))
                for name, rows in self.table.groupby("variable", sort=False)
            },
        }

    def summary(self) -> str:
        """Statistic by variable and band, an asterisk where p ≤ alpha, and the reach."""
        cells = self.table["statistic"].map("{:.3f}".format)
        cells += np.where(self.table["p_value"] <= self.alpha, "*", " ")
        shown = cells.unstack("band").loc[self.reach().index]
        bands = self.table.loc[self.table.index[0][0]]
        names = [f"{low:.4g}–{high:.4g}" for low, high in zip(bands["low"], bands["high"], strict=True)]
        shown = shown.set_axis(names, axis=1).join(self.reach().round(1))
        return (
            f"{_TITLES[self.statistic]} by distance in {self.unit}, {self.alternative}, "
            f"* where p ≤ {self.alpha:g} (not adjusted)\n"
            f"Null hypothesis: values are arranged over the regions at random.\n{shown.to_string()}"
        )


def correlogram(
    values: pd.DataFrame | pd.Series,
    regions: gpd.GeoDataFrame | Graph,
    *,
    bands: int | Sequence[float] = 6,
    cumulative: bool = False,
    statistic: CorrelogramStatistic = "moran",
    points: str | gpd.GeoSeries | None = None,
    permutations: int = 9999,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    rng: int | np.random.Generator | None = None,
) -> Correlogram:
    r"""Moran's I or Geary's c of the regions that lie in one band of distance from each other, band by band.

    With :math:`d_{ij}` the distance of two regions, those in band *b* weigh, before row standardization,

    .. math:: w_{ij}^{(b)} = 1 \text{ if } l_b < d_{ij} \le h_b, \text{ else } 0

    Null hypothesis for each band: every arrangement of the values over the regions is equally likely. Bands
    are disjoint, :math:`l_b = h_{b-1}`, unless ``cumulative``: then all begin at 0, as in esda, and a far
    band repeats what the near ones found.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables.
    regions : GeoDataFrame or libpysal.graph.Graph
        Polygons or points by region label, in a coordinate reference system: distances are kilometers, along
        the ellipsoid where coordinates are degrees. Or a graph of neighbors: distances are steps from
        neighbor to neighbor, the order of contiguity.
    bands : int or sequence of float
        Upper ends :math:`h_b` of the bands in kilometers or steps, included. Or how many bands: with
        kilometers they hold equally many pairs of regions (up to ties) and reach to the farthest pair; with
        steps they are 1, 2, …, up to the longest distance.
    cumulative : bool
        Whether all bands begin at 0.
    statistic : {"moran", "geary"}
    points : str or GeoSeries, optional
        Where distances are measured from and to, as in :func:`spatialkz.geography.neighbor_graph`.
    permutations : int
        Number of permutations, at least 99; all bands and variables see the same ones.
    alternative : {"two-sided", "greater", "less"}
        The tail of the statistic; likeness makes I large and c small.
    alpha : float
        Level of :meth:`Correlogram.reach`.
    rng : int, Generator or None
        Seed of the permutations.

    Returns
    -------
    Correlogram
        ``to_frame()`` has index ``(variable, band)`` and columns ``low, high`` (ends of the band)``, pairs,
        regions`` (how many have a partner in the band; the others enter mean and variance only)``, statistic,
        expected, variance, z, p_value, p_adjusted`` (Benjamini–Hochberg over the bands of a variable);
        ``reach()`` says where likeness ends.

    Raises
    ------
    InputError
        If a cell is missing, a variable is constant, bands do not increase or hold no pair of regions, there
        are over 5,000 regions and no ends of bands, or an option is unknown.
    RegionError, GraphError
        If regions and values differ, or a region of the graph has no neighbor.

    Notes
    -----
    Where all regions have a partner, a band's row is that of :func:`spatialkz.spatial.moran` with the same
    seed. Likeness at short distance widens the spread of I at longer ones, so that a significant far band
    behind a significant near one is weaker evidence than its p-value says.

    References
    ----------
    Cliff & Ord (1981), *Spatial Processes*, ch. 5. Legendre & Legendre (2012), *Numerical Ecology*, ch. 13.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> electrical = study.table.values["electrical"]
    >>> found = correlogram(electrical, study.boundaries, bands=[500, 1000, 1500], rng=1)
    >>> found.to_frame()[["pairs", "regions", "statistic"]].round(3).values.tolist()
    [[20.0, 16.0, 0.09], [53.0, 17.0, 0.038], [41.0, 17.0, -0.304]]
    """
    check_choice(statistic, get_args(CorrelogramStatistic))
    check_alternative(alternative)
    check_alpha(alpha)
    check_permutations(permutations)
    table = check_table(values, name="values", least_regions=4).sort_index()
    refuse_constants(table)
    refuse_tiny(table)
    seeds = seeds_of(rng, statistic)
    unit = "steps" if isinstance(regions, Graph) else "km"
    given = _checked_ends(bands)
    farthest = np.inf if given is None else float(given[-1])
    first, second, distance = _pairs(regions, points, table.index, farthest)
    ends = _default_ends(distance, bands, unit) if given is None else given
    z = (table - table.mean()).to_numpy()
    lows = np.zeros(len(ends)) if cumulative else np.r_[0.0, ends[:-1]]
    found = []
    for low, high in zip(lows, ends, strict=True):
        within = (distance > low * _SAME) & (distance <= high * _SAME)
        if not within.any():
            raise InputError(
                f"No two regions lie between {low:g} and {high:g} {unit} from each other; give other bands."
            )
        i, j = first[within], second[within]
        degree = np.bincount(i, minlength=len(table))
        weights = csr_array((1 / degree[i], (i, j)), shape=(len(table), len(table)))
        columns, (p_value, _, _) = quadratic_test(
            geary_form(z, weights) if statistic == "geary" else _moran_form(z, weights),
            method="permutation",
            permutations=permutations,
            alternative=alternative,
            seeds=seeds,
        )
        place = {"low": low, "high": high, "pairs": len(i) // 2, "regions": np.count_nonzero(degree)}
        found.append(pd.DataFrame({**place, **columns, "p_value": p_value}, index=table.columns))
    # Bands come one after the other; the table goes variable by variable.
    numbers = range(1, len(ends) + 1)
    whole = pd.concat(found, keys=numbers).swaplevel()
    whole = whole.loc[pd.MultiIndex.from_product([table.columns, numbers])].rename_axis(["variable", "band"])
    whole["p_adjusted"] = adjusted(whole["p_value"].to_numpy().reshape(-1, len(ends))).ravel()
    return Correlogram(statistic, unit, whole, alternative, alpha, permutations)


def _checked_ends(bands: int | Sequence[float]) -> Floats | None:
    """Upper ends of the bands, or None where only their number is given."""
    if isinstance(bands, int | np.integer):
        check_number(int(bands), "bands", 1, 1000)
        return None
    try:
        ends = np.asarray(bands, dtype=np.float64)
    except (TypeError, ValueError):
        ends = np.array([])
    if (
        ends.ndim != 1
        or not len(ends)
        or not np.isfinite(ends).all()
        or (np.diff(ends, prepend=0.0) <= 0).any()
    ):
        raise InputError(
            f"bands is {bands!r}; it must be how many bands, or their upper ends, positive and increasing."
        )
    return ends


def _pairs(
    regions: gpd.GeoDataFrame | Graph, points: str | gpd.GeoSeries | None, labels: pd.Index, farthest: float
) -> tuple[Positions, Positions, Floats]:
    """Positions of two regions, each pair both ways, and the distance between them up to ``farthest``."""
    if len(labels) > _MOST_REGIONS and (isinstance(regions, Graph) or np.isinf(farthest)):
        raise InputError(
            f"There are {len(labels):,} regions, and up to {_MOST_REGIONS:,} all distances are found; give "
            "boundaries and the upper ends of the bands in kilometers, as in bands=[50, 100, 200]."
        )
    if not isinstance(regions, Graph):
        check_same_regions(RegionGeometry(regions).labels, labels, "regions", "values")
        near = coo_array(RegionGeometry(regions.loc[labels], points).places.within(farthest))
        return near.row, near.col, near.data
    if points is not None:
        raise InputError("points are for distances in kilometers, but regions is a graph, which has steps.")
    steps = shortest_path(binary(regions, labels), directed=False, unweighted=True)
    i, j = np.nonzero((steps > 0) & np.isfinite(steps))
    return i, j, steps[i, j]


def _default_ends(distance: Floats, bands: Any, unit: str) -> Floats:
    """Ends of bands with equally many pairs, or of one step each; fewer where distances tie."""
    if unit == "steps":
        return np.unique(distance)[:bands]
    last = np.arange(1, bands + 1) * len(distance) // bands - 1
    return np.unique(np.sort(distance)[np.maximum(last, 0)])


def _moran_form(z: Floats, weights: csr_array) -> QuadraticForm:
    return QuadraticForm(z, weights, len(z) / (weights.sum() * (z**2).sum(axis=0)))
