"""Growth points (special zones, technoparks): what they are named for beside what their regions have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spatialkz.candidates.area_profile import check_hosts, require_columns
from spatialkz.errors import InputError, listing
from spatialkz.tables import check_table

STATUSES = ("matched", "emerging", "mismatched", "not mappable")


def growth_points(
    sites: pd.DataFrame,
    mapping: pd.DataFrame,
    quotients: pd.DataFrame,
    threshold: float = 1.0,
    *,
    emerging: float = 0.75,
) -> pd.DataFrame:
    r"""Compare what each site is named for with what its host region is specialized in.

    A named sector is ``matched`` if the region's :math:`LQ \ge t`, ``emerging`` if
    :math:`e\,t \le LQ < t`, ``mismatched`` below; ``not mappable`` if the name means no sector of the study.

    Parameters
    ----------
    sites : DataFrame
        Columns ``policy`` (what kind of site), ``site, region``; a row for each site × host region, repeated
        rows count once.
    mapping : DataFrame
        Columns ``policy, site, named`` (the specialization in words), ``sector`` (empty if it means none)
        and perhaps more; every site has at least one row. A site in several regions is named for the same
        in each.
    quotients : DataFrame, shape (regions, sectors)
    threshold : float
        The quotient :math:`t` from which a region counts as specialized, positive.
    emerging : float
        The part :math:`e` of the threshold from which a sector counts as emerging, above 0 and at most 1; a
        convention, not a finding.

    Returns
    -------
    DataFrame
        ``policy, site, region, named, sector, lq, status``, sorted by the first three as in ``sites``;
        ``sector`` and ``lq`` are missing where not mappable. Further columns of ``mapping`` come last.

    Raises
    ------
    RegionError
        If a host region is not in the quotients.
    InputError
        If a column is missing, a sector is unknown, a site is named twice for one sector, a site is not in
        the mapping or the mapping names an unknown site, or an option is out of range.

    Examples
    --------
    >>> sites = pd.DataFrame({"policy": "zone", "site": ["Port", "Park"], "region": ["South", "North"]})
    >>> mapping = pd.DataFrame({"policy": "zone", "site": ["Port", "Park"], "named": ["ships", "chips"]})
    >>> lq = pd.DataFrame({"electronics": [2.0, 0.1]}, index=["North", "South"])
    >>> growth_points(sites, mapping.assign(sector=["", "electronics"]), lq)[["site", "status"]]
       site        status
    0  Port  not mappable
    1  Park       matched
    """
    table = check_table(quotients, name="quotients", minimum=0, least_regions=1)
    for name, value, most in (("threshold", threshold, np.inf), ("emerging", emerging, 1.0)):
        if not 0 < value <= most or not np.isfinite(value):
            raise InputError(f"{name} is {value}; it must be positive and at most {most:g}.")
    key = ["policy", "site"]
    require_columns(sites, [*key, "region"], "The list of sites")
    require_columns(mapping, [*key, "named", "sector"], "The mapping")
    check_hosts(sites["region"], table.index)
    once = sites[[*key, "region"]].drop_duplicates()
    entries = mapping.assign(sector=mapping["sector"].replace("", None))
    for one, other, complaint in (
        (once, entries, "The mapping says nothing of"),
        (entries, once, "The mapping names sites that the list does not have:"),
    ):
        lacking = pd.MultiIndex.from_frame(one[key]).difference(pd.MultiIndex.from_frame(other[key]))
        if len(lacking):
            raise InputError(f"{complaint} {listing(f'{site} ({policy})' for policy, site in lacking)}.")
    known = entries["sector"].dropna()
    unknown = known[~known.isin(table.columns)].unique()
    if len(unknown):
        raise InputError(f"The mapping names the sector {listing(unknown)}, which the quotients lack.")
    twice = entries.dropna(subset="sector")
    twice = twice[twice.duplicated([*key, "sector"])]
    if len(twice):
        raise InputError(
            "A site has one row for each sector, but these repeat: "
            f"{listing(twice['site'] + ' × ' + twice['sector'])}."
        )
    points = once.merge(entries, on=key, how="left")
    lq = np.array(
        [
            np.nan if pd.isna(sector) else table.at[region, sector]
            for region, sector in zip(points["region"], points["sector"], strict=True)
        ],
        dtype=np.float64,
    )
    status = np.select(
        [lq >= threshold, lq >= emerging * threshold, np.isfinite(lq)], STATUSES[:3], STATUSES[3]
    )
    first = [*key, "region", "named", "sector"]
    rest = [column for column in points if column not in first]
    return points[first].assign(lq=lq, status=status).join(points[rest])
