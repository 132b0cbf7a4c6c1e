"""Concentration of sectors over the regions, of published quotients too, and its parts by groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import rel_entr

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.completions import complete_sectors
from spatialkz.specialization.indices.regional import MEASURES, theil_l, theil_t
from spatialkz.specialization.margins import Margins, margins
from spatialkz.specialization.published.audit import QuotientAudit
from spatialkz.tables import ActivityTable, check_labels, check_same_regions, check_table


def concentration(
    values: pd.DataFrame,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
    area: pd.Series | None = None,
) -> pd.DataFrame:
    r"""Measure how far each sector's regional shares depart from the base shares, or from evenness.

    With :math:`s_{ij} = q_{ij}/q_j` the region's share of the sector, :math:`x_i = Q_i/Q` its share of the
    base (of the sector's own group) and :math:`LQ_{ij} = s_{ij}/x_i`, over *n* regions:

    ===================== ============================================= ================== ==================
    column                formula                                       range              no concentration
    ===================== ============================================= ================== ==================
    hoover                :math:`\tfrac12\sum_i |s_i - x_i|`            0 to 1 − min x     0, s = x
    krugman               :math:`\sum_i |s_i - x_i|`                    0 to 2(1 − min x)  0, s = x
    locational_gini       twice the area under the diagonal and above   0 to 1 − min x     0, s = x
                          the Lorenz curve of s over x, in order of LQ
    krugman_gini          that area                                     0 to (1 − min x)/2 0, s = x
    gini_of_quotients     :math:`\sum_{ik} |LQ_i - LQ_k| / (2n\sum LQ)` 0 to 1 − 1/n       0, s = x
    theil_t               :math:`\sum_i s_i \ln(s_i/x_i)`               0 to −ln min x     0, s = x
    theil_l               :math:`\sum_i x_i \ln(x_i/s_i)`               0 to ∞             0, s = x
    herfindahl            :math:`\sum_i s_i^2`, not normalized          1/n to 1           1/n, even
    herfindahl_normalized :math:`(\sum s_i^2 - 1/n) / (1 - 1/n)`        0 to 1             0, even
    entropy               :math:`-\sum_i s_i \ln s_i`, in nats          0 to ln n          ln n, even
    mori_nishikimi_smith  :math:`\sum_i s_i \ln(s_i/a_i)`               0 to −ln min a     0, s = a
    ===================== ============================================= ================== ==================

    The first seven are relative (against the base), Herfindahl and entropy absolute (the base plays no part;
    a sector spread like the population scores high in a country with one big city). ``gini_of_quotients``
    gives every region the same weight, ``locational_gini`` its base share. ``krugman`` is twice ``hoover``
    and ``krugman_gini`` half of ``locational_gini``; both are here because the literature quotes them. The
    index of Mori, Nishikimi and Smith takes ``area`` shares :math:`a_i`; without ``area`` it takes the base
    and equals ``theil_t``. ``empty_regions`` counts the regions without any of the sector: where it is above
    0, ``theil_l`` is infinite, as its formula demands, and says nothing else.

    The values where there is "no concentration" are for shares without chance. A handful of jobs or plants is
    always uneven: :func:`concentration_test` gives the value to expect. And concentration is not
    agglomeration: every measure here stays the same when the regions swap places on the map, so read it
    beside Moran's I.

    Parameters
    ----------
    values : DataFrame, shape (regions, sectors)
        Volumes or counts, all in one unit.
    base : Series or DataFrame, optional
        Base of each region; with ``groups``, a DataFrame with one column for each group. Left out, the sum of
        the region's row, within each group.
    groups : Series, optional
        Sector → base group.
    contained : bool
        Whether the base contains the sectors and is in their unit, so that no cell may exceed it.
    area : Series, optional
        Economic area of each region, positive.

    Returns
    -------
    DataFrame
        Index ``sector``; the columns above and ``empty_regions``. Logarithms are natural.

    Raises
    ------
    InputError
        If there are fewer than two regions, a cell is negative or missing, a sector is nowhere active, a base
        or an area is zero, a cell exceeds a base that contains it, or groups and base do not fit.
    RegionError
        If the regions of ``base`` or ``area`` are not those of ``values``.

    References
    ----------
    Hoover (1936), *Review of Economics and Statistics* 18, 162–171 (curve and index). Krugman (1991),
    *Geography and Trade*, p. 56 (the Gini as an area) and p. 76 (the sum of absolute differences). Farhauer &
    Kröll (2014) as implemented in R's ``REAT::gini.conc`` (the Gini of quotients). Theil (1967) through
    Brülhart & Traeger (2005), *Regional Science and Urban Economics* 35, 597–624 (relative and topographic
    concentration). Mori, Nishikimi & Smith (2005), *Review of Economics and Statistics* 87, 635–651. The
    choice among them: Bickenbach & Bode (2008), *International Regional Science Review* 31.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [30, 10], "software": [10, 30]}, index=["North", "South"])
    >>> concentration(jobs).loc["steel", ["hoover", "locational_gini", "herfindahl"]].to_dict()
    {'hoover': 0.25, 'locational_gini': 0.25, 'herfindahl': 0.625}
    """
    found = margins(values, base, groups=groups, contained=contained)
    shares, bases = _share_arrays(found)
    areas = bases if area is None else _area_shares(area, found.activity.index)
    table = pd.DataFrame(
        {name: measure(shares, bases) for name, measure in MEASURES.items()},
        index=found.activity.columns.rename("sector"),
    )
    return table.assign(
        mori_nishikimi_smith=theil_t(shares, areas),
        empty_regions=(shares == 0).sum(axis=0),
    )


def theil_decomposition(
    values: pd.DataFrame,
    partition: pd.Series,
    base: pd.Series | pd.DataFrame | None = None,
    *,
    groups: pd.Series | None = None,
    contained: bool = True,
) -> pd.DataFrame:
    r"""Split both Theil indices of each sector into a part between and a part within groups of regions.

    With :math:`S_g`, :math:`X_g` the shares of group *g* in the sector and in the base,

    .. math::

        T = \sum_g S_g \ln\frac{S_g}{X_g} + \sum_g S_g T_g, \qquad
        L = \sum_g X_g \ln\frac{X_g}{S_g} + \sum_g X_g L_g

    where :math:`T_g`, :math:`L_g` are the indices inside the group. All parts are 0 or more. The between part
    is what a map of the groups alone would show. :math:`L` is infinite where a region with base has no
    activity; its within part is then infinite, and its between part too where a whole group has none (such a
    group has nothing to distribute and adds 0 to the within part).

    Parameters
    ----------
    values, base, groups, contained
        As in :func:`concentration`.
    partition : Series
        Region → group of regions, at least two groups.

    Returns
    -------
    DataFrame
        Index ``sector``; columns ``theil_t, theil_t_between, theil_t_within, theil_l, theil_l_between,
        theil_l_within``, in nats.

    Raises
    ------
    InputError
        As :func:`concentration`, and if ``partition`` has a gap or a single group.
    RegionError
        If the regions of ``base`` or ``partition`` are not those of ``values``.

    References
    ----------
    Theil (1967) through Brülhart & Traeger (2005), *Regional Science and Urban Economics* 35, 597–624. With
    equal bases the T columns are those of ``inequality.theil.TheilD``.

    Examples
    --------
    >>> jobs = pd.DataFrame({"steel": [3, 1, 2, 4]}, index=list("abcd"))
    >>> base = pd.Series(10, index=list("abcd"))
    >>> sides = pd.Series(["west", "west", "east", "east"], index=list("abcd"))
    >>> theil_decomposition(jobs, sides, base).iloc[0, :3].round(4).tolist()
    [0.1064, 0.0201, 0.0863]
    """
    found = margins(values, base, groups=groups, contained=contained)
    shares, bases = _share_arrays(found)
    group = _group_codes(partition, found.activity.index)
    group_shares, group_bases = _sums(shares, group), _sums(bases, group)
    # Distributions inside the groups; a group without any activity is given that of its base.
    inside_base = bases / group_bases[group]
    inside = np.divide(shares, group_shares[group], out=inside_base.copy(), where=group_shares[group] > 0)
    parts = {
        "theil_t": theil_t(shares, bases),
        "theil_t_between": theil_t(group_shares, group_bases),
        "theil_t_within": (group_shares * _sums(rel_entr(inside, inside_base), group)).sum(axis=0),
        "theil_l": theil_l(shares, bases),
        "theil_l_between": theil_l(group_shares, group_bases),
        "theil_l_within": (group_bases * _sums(rel_entr(inside_base, inside), group)).sum(axis=0),
    }
    return pd.DataFrame(parts, index=found.activity.columns.rename("sector")).clip(lower=0)


def _share_arrays(found: Margins) -> tuple[Floats, Floats]:
    return found.sector_shares.to_numpy(), found.base_shares.to_numpy()


def _area_shares(area: pd.Series, regions: pd.Index) -> Floats:
    table = check_table(area, name="area", minimum=0)
    check_same_regions(table.index, regions, "area")
    areas = table.loc[regions].to_numpy()
    if (areas == 0).any():
        raise InputError(f"area must be positive; it is zero in {listing(regions[areas[:, 0] == 0])}.")
    return np.asarray(areas / areas.sum())


def _group_codes(partition: pd.Series, regions: pd.Index) -> NDArray[np.intp]:
    """Number the groups of the partition, in the order of the regions."""
    check_labels(partition.index, "region")
    check_same_regions(partition.index, regions, "partition")
    codes, names = pd.factorize(partition.loc[regions])
    if (codes < 0).any():
        raise InputError(f"partition has no group for {listing(regions[codes < 0])}.")
    if len(names) < 2:
        raise InputError(f"partition puts every region into {names[0]}; at least two groups are needed.")
    return codes


def _sums(cells: Floats, group: NDArray[np.intp]) -> Floats:
    """Sums over the regions of each group."""
    sums = np.zeros((group.max() + 1, *cells.shape[1:]))
    np.add.at(sums, group, cells)
    return sums


# Implied volumes put small positive numbers where 0.00 was printed, so these would say nothing.
_NEEDS_TRUE_ZEROS = ["theil_l", "empty_regions"]
# Without the areas of the regions it repeats theil_t.
_NEEDS_AREAS = ["mori_nishikimi_smith"]


def table_concentration(table: ActivityTable, audit: QuotientAudit | None = None) -> pd.DataFrame:
    """Indices of concentration by sector, with ``basis`` saying what they were computed from.

    Volumes and counts are used as they are. For published quotients the base shares of largest entropy
    among all that satisfy the identity stand in (:meth:`QuotientAudit.plausible_shares`): one choice
    among many that fit the table equally well. Sectors of a group that no base shares fit are left out, and
    so are sectors with a hidden cell.

    Returns
    -------
    DataFrame
        Index ``sector``; ``basis`` and the columns of :func:`~spatialkz.specialization.concentration`.

    Examples
    --------
    >>> import spatialkz
    >>> from spatialkz.specialization import audit_table
    >>> table = spatialkz.load_study().table
    >>> found = table_concentration(table, audit_table(table))
    >>> print(found["locational_gini"].idxmax(), found["basis"].unique()[0])
    vehicles base shares of largest entropy
    """
    if table.kind != "quotients":
        found = concentration(table.values, table.base, groups=table.groups, contained=False)
        found = found.loc[complete_sectors(table)]
        basis = str(table.kind)
    elif audit is None or not audit.base_shares:
        return pd.DataFrame()
    else:
        shares = audit.plausible_shares()
        volumes = audit.implied_shares(shares)
        groups = table.groups.loc[volumes.columns]
        found = concentration(volumes, shares, groups=groups, contained=False)
        found = found.loc[complete_sectors(table).intersection(found.index, sort=False)]
        found = found.drop(columns=_NEEDS_TRUE_ZEROS)
        basis = "base shares of largest entropy"
    found = found.drop(columns=_NEEDS_AREAS)
    found.insert(0, "basis", basis)
    return found.rename_axis(index="sector")
