"""What a region has, counted by kind of sector: the evidence that rules about districts speak of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography import aligned
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import check_threshold
from spatialkz.tables import check_labels, check_same_regions, check_table

# Evidence → column of the sectors' list and the entries that belong to it (classes of Eurostat).
_KINDS = {
    "knowledge": ("role", ("knowledge", "research")),
    "digital": ("role", ("digital",)),
    "high_tech": ("intensity", ("high",)),
    "medium_tech": ("intensity", ("medium-high", "medium-low")),
}


def area_profile(
    quotients: pd.DataFrame,
    sectors: pd.DataFrame,
    *,
    threshold: float = 1.0,
    graph: Graph | None = None,
    places: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Count the sectors of each kind in which each region is specialized.

    For a kind of sectors *K*, :math:`b_i(K) = \#\{j \in K : LQ_{ij} \ge t\}`. With a graph, each column *x*
    has a companion :math:`x^{near}_i = \max_{h \sim i} x_h`, the most that one neighbor has.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients.
    sectors : DataFrame
        Index = sector; ``group`` (base group), ``role`` (``knowledge``, ``research``, ``digital``) and
        ``intensity`` (Eurostat: ``high``, ``medium-high``, ``medium-low``, others). A column that is left
        out leaves out its evidence; nothing is taken for 0 that is not known.
    threshold : float
        The quotient from which a region counts as specialized, positive.
    graph : Graph, optional
        Who neighbors whom.
    places : DataFrame, optional
        Further numbers by region, for instance how many technoparks it has (:func:`site_counts`).

    Returns
    -------
    DataFrame
        Index ``region``; ``breadth_all``, ``breadth_<group>`` for each group, ``knowledge``, ``digital``,
        ``high_tech``, ``medium_tech`` (all numbers of sectors), the columns of ``places``, and with a graph
        all of these with ``_near`` behind their name.

    Raises
    ------
    InputError
        If a cell is negative or missing, a sector is not in the list, the threshold is not positive, or a
        column of ``places`` has the name of another evidence.
    RegionError
        If regions of quotients, graph and places differ.

    Examples
    --------
    >>> lq = pd.DataFrame({"chips": [2.0, 0.1], "software": [1.5, 0.4]}, index=["City", "Steppe"])
    >>> kinds = pd.DataFrame({"role": ["", "digital"], "intensity": ["high", ""]}, index=lq.columns)
    >>> area_profile(lq, kinds)[["breadth_all", "digital", "high_tech"]]
            breadth_all  digital  high_tech
    region
    City            2.0      1.0        1.0
    Steppe          0.0      0.0        0.0
    """
    table = check_table(quotients, name="quotients", minimum=0)
    lacking = table.columns.difference(sectors.index)
    if len(lacking):
        raise InputError(f"The list of sectors lacks {listing(lacking)}.")
    profile = drawn_profile(
        table.to_numpy()[None],
        table.index,
        sectors.loc[table.columns],
        threshold=threshold,
        graph=graph,
        places=places,
    )
    return pd.DataFrame(
        {name: values[0] for name, values in profile.items()}, index=table.index.rename("region")
    )


def drawn_profile(
    quotients: Floats,
    regions: pd.Index,
    sectors: pd.DataFrame,
    *,
    threshold: float = 1.0,
    graph: Graph | None = None,
    places: pd.DataFrame | None = None,
) -> dict[str, Floats]:
    """The same as :func:`area_profile` for many drawn tables at once.

    Parameters
    ----------
    quotients : array, shape (draws, regions, sectors)
    regions : Index
        Labels of the second axis.
    sectors : DataFrame
        As in :func:`area_profile`, a row for each entry of the third axis, in that order.
    threshold, graph, places
        As in :func:`area_profile`.

    Returns
    -------
    dict
        Evidence → array of shape (draws, regions).

    Examples
    --------
    >>> draws = np.array([[[2.0], [0.1]], [[0.9], [0.1]]])
    >>> kinds = pd.DataFrame({"intensity": ["high"]}, index=["chips"])
    >>> drawn_profile(draws, pd.Index(["City", "Steppe"]), kinds)["high_tech"]
    array([[1., 0.],
           [0., 0.]])
    """
    check_threshold(threshold)
    if quotients.ndim != 3 or quotients.shape[1:] != (len(regions), len(sectors)):
        raise InputError(
            f"The drawn quotients have the shape {quotients.shape}; expected was (draws, {len(regions)} "
            f"regions, {len(sectors)} sectors)."
        )
    check_labels(sectors.index, "sector")
    specialized = quotients >= threshold
    profile = {
        name: specialized[:, :, members].sum(axis=2, dtype=np.float64)
        for name, members in _members(sectors).items()
    }
    if places is not None:
        profile |= _fixed(places, regions, profile, len(quotients))
    if graph is not None:
        profile |= {f"{name}_near": values for name, values in _near(profile, graph, regions).items()}
    return profile


def site_counts(sites: pd.DataFrame, regions: pd.Index, *, by: str, site: str = "site") -> pd.DataFrame:
    """Count the different sites of each kind in each region.

    Parameters
    ----------
    sites : DataFrame
        A row for each site, or several; columns ``region``, the one named in ``site`` and the one in ``by``.
    regions : Index
        All regions; those without a site get 0.
    by : str
        Column that says the kind; each kind becomes a column.
    site : str
        Column with the name of the site, by which repeated rows count once.

    Raises
    ------
    RegionError
        If a site lies in a region that is not among ``regions``, or in none.

    Examples
    --------
    >>> sites = pd.DataFrame({"site": ["Park", "Park"], "kind": ["zone"] * 2, "region": ["North"] * 2})
    >>> site_counts(sites, pd.Index(["North", "South"]), by="kind")["zone"].to_dict()
    {'North': 1, 'South': 0}
    """
    require_columns(sites, ["region", site, by], "The list of sites")
    check_hosts(sites["region"], regions)
    once = sites.drop_duplicates(["region", site, by])
    counts = pd.crosstab(once["region"], once[by]).reindex(regions, fill_value=0)
    return counts.rename_axis(index="region", columns=None)


def require_columns(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    """Refuse a frame without the columns that are needed."""
    lacking = [column for column in columns if column not in frame]
    if lacking:
        raise InputError(f"{what} lacks the column {listing(lacking)}; it has {listing(frame.columns, 12)}.")


def check_hosts(hosts: pd.Series, regions: pd.Index) -> None:
    """Refuse sites in regions that the study does not have."""
    unknown = hosts[~hosts.isin(regions)].drop_duplicates()
    if len(unknown):
        raise RegionError(f"Sites lie in {listing(unknown)}, which the study does not have.")


def _members(sectors: pd.DataFrame) -> dict[str, np.ndarray]:
    """Positions of the sectors of each kind."""
    kinds = {"breadth_all": np.ones(len(sectors), dtype=bool)}
    if "group" in sectors:
        kinds |= {f"breadth_{g}": (sectors["group"] == g).to_numpy() for g in sectors["group"].unique()}
    for name, (column, entries) in _KINDS.items():
        if column in sectors:
            kinds[name] = sectors[column].isin(entries).to_numpy()
    return {name: np.flatnonzero(members) for name, members in kinds.items()}


def _fixed(
    places: pd.DataFrame, regions: pd.Index, known: dict[str, Floats], draws: int
) -> dict[str, Floats]:
    """Evidence that is the same in all draws."""
    table = check_table(places, name="places", least_regions=1)
    check_same_regions(table.index, regions, "places")
    twice = [name for name in table if name in known]
    if twice:
        raise InputError(f"places has the column {listing(twice)}, which the quotients already give.")
    cells = table.loc[regions]
    return {str(name): np.broadcast_to(cells[name].to_numpy(), (draws, len(regions))) for name in cells}


def _near(profile: dict[str, Floats], graph: Graph, regions: pd.Index) -> dict[str, Floats]:
    weights = aligned(graph, regions).sparse.tocsr()
    # Every region has a neighbor, so no segment is empty.
    return {
        name: np.maximum.reduceat(values[:, weights.indices], weights.indptr[:-1], axis=1)
        for name, values in profile.items()
    }
