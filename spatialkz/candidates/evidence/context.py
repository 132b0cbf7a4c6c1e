"""What stands beside each candidate and area but enters no score, growth points of policy among it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from spatialkz.candidates.evidence.area_profile import (
    area_profile,
    check_hosts,
    drawn_profile,
    require_columns,
    site_counts,
)
from spatialkz.candidates.evidence.district_types import (
    DistrictRules,
    district_types,
    read_district_rules,
    type_shares,
)
from spatialkz.candidates.evidence.stars_and_formation import formation, region_formation, stars
from spatialkz.candidates.tiers import site_evidence
from spatialkz.clustering import RegionClusters
from spatialkz.errors import InputError, is_number, listing
from spatialkz.focal import ColocationTest
from spatialkz.geography.weights import row_standardized
from spatialkz.spatial import LocalMoranTest
from spatialkz.specialization import (
    QuotientAudit,
    breadth_label,
    certainty,
    drawn_quotients,
    focus_interval,
    quotient_interval,
    quotient_test,
    sector_share_interval,
    table_concentration,
    table_quotients,
)
from spatialkz.study import Study
from spatialkz.tables import check_table, prerequisite_quotients

#: Column → what it says, in which unit, and when it is missing.
CANDIDATE_CONTEXT = {
    "certainty": "whether rounding and what is suppressed leave the quotient at the threshold: sure, likely, "
    "borderline or no",
    "share_low, share_high": "bounds of the region's share of the sector in the country (0–1)",
    "focus_low, focus_high": "bounds of the sector's share of the region's base (0–1)",
    "stars, stars_possible": "stars for size, specialization and focus: certain, and possible within bounds",
    "lq_p": "p-value of the quotient, for tables of whole counts without suppressed cells only",
    "surroundings": "mean strength LQ/(1+LQ) of the same sector in the neighboring regions (0–1)",
    "research_lq": "quotient of the region in research and development (role 'research')",
    "concentration": "locational Gini coefficient of the sector (0–1); missing with a suppressed cell",
    "formation": "linked to related specializations in the region or a neighboring one, or spin-off "
    "without them",
    "named_by": "policies that name this sector in this region; none without",
    "moran_label, moran_p": "local Moran's I of the sector; missing with a suppressed cell",
    "cluster, cluster_stability": "cluster of the region and its stability (0–1); absent for one cluster",
}
AREA_CONTEXT = {
    "breadth_<group>": "number of sectors of the group in which the region is specialized",
    "high_tech, medium_tech": "numbers of such industries in which it is specialized",
    "colocation_p": "exact p-value of so broad a region under independence between sectors",
    "district_type, type_lacks, type_share": "type of district, what the next type lacks, and how often it "
    "holds over the rounding draws; missing without rules",
    "formation": "linked if a candidate is, spin-off if none is, none without candidates",
    "surroundings": "mean share of specialized sectors in the neighboring regions (0–1)",
    "growth_points": "number of zones and technoparks",
    "prerequisites": "in how many of the stated prerequisites the region reaches the level of the country; "
    "absent if the study states none",
    "expected_absent, unexpected_present": "sectors that prerequisites lead one to expect and that are "
    "not there, and the reverse; only in a run with covariates that foretell a sector",
    "moran_label, moran_p": "local Moran's I of breadth",
    "cluster, cluster_stability": "cluster of the region and its stability (0–1); absent for one cluster",
}
# Tables drawn behind the share of a type.
_TYPE_DRAWS = 1_000
STATUSES = ("matched", "emerging", "mismatched", "not mappable")


def check_context(study: Study) -> None:
    """Refuse what is known of the regions beside the table where it does not fit, before anything is drawn.

    Raises
    ------
    InputError, RegionError
        As :func:`growth_points`, :func:`read_district_rules`, :func:`district_types`, :func:`site_evidence`.
    """
    quotients, named = table_quotients(study.table), study.context.named
    study_growth_points(study, quotients)
    if study.context.rules is not None:
        _district_types(study, study.context.rules, quotients)
    if not named.empty:
        evidence = ["rank", "breadth", "district_type", "formation"]
        site_evidence(named, pd.DataFrame(index=quotients.index, columns=evidence))


def _district_types(study: Study, rules: Path, quotients: pd.DataFrame) -> tuple[DistrictRules, pd.DataFrame]:
    read = read_district_rules(rules)
    around = area_profile(
        quotients,
        study.sectors,
        threshold=study.choices.threshold,
        graph=study.graph,
        places=_places(study),
    )
    return read, district_types(around, read)


def candidate_context(
    study: Study,
    quotients: pd.DataFrame,
    local: LocalMoranTest | None,
    clusters: RegionClusters | None,
    audit: QuotientAudit | None,
) -> pd.DataFrame:
    """Columns of :data:`CANDIDATE_CONTEXT`, index (region, sector)."""
    threshold = study.choices.threshold
    shares, focus = sector_share_interval(study.table, audit), focus_interval(study.table)
    interval = quotient_interval(study.table)
    tables = {
        "certainty": certainty(study.table, threshold),
        "share_low": shares[0],
        "share_high": shares[1],
        "focus_low": focus[0],
        "focus_high": focus[1],
        "surroundings": _neighbor_mean(study, quotients / (1 + quotients)),
    }
    columns = {
        name: cells.rename_axis(index="region", columns="sector").stack() for name, cells in tables.items()
    }
    table = pd.DataFrame(columns)
    earned = stars(shares, interval, focus)
    table["stars"], table["stars_possible"] = earned["stars_low"], earned["stars_high"]
    if study.table.kind == "counts" and not (study.table.hidden | study.table.fractions).any(axis=None):
        tested = quotient_test(study.table)
        table["lq_p"] = tested.to_frame()["p_value"]
    indices = table_concentration(study.table, audit)
    if "locational_gini" in indices:  # a published table that no base shares fit has none
        gini = indices["locational_gini"].to_dict()
        table["concentration"] = table.index.get_level_values("sector").map(gini)
    research = study.sectors.reindex(columns=["role"]).loc[quotients.columns, "role"] == "research"
    if research.any():
        best = quotients.loc[:, research.to_numpy()].max(axis=1).to_dict()
        table["research_lq"] = table.index.get_level_values("region").map(best)
    path = formation(quotients, study.graph, threshold=threshold)["path"]
    table["formation"] = path.reindex(table.index)
    table["named_by"] = _named_by(study, quotients).reindex(table.index, fill_value="none")
    cells = pd.MultiIndex.from_frame(table.index.to_frame()[["sector", "region"]])
    return _with_neighbors_and_cluster(table, cells, local, clusters)


def area_context(
    study: Study,
    quotients: pd.DataFrame,
    local: LocalMoranTest | None,
    clusters: RegionClusters | None,
    colocation: ColocationTest | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Columns of :data:`AREA_CONTEXT`, index region."""
    threshold, places = study.choices.threshold, _places(study)
    profile = area_profile(quotients, study.sectors, threshold=threshold)
    several = study.table.groups.nunique() > 1
    kept = [
        name
        for name in profile
        if name in ("high_tech", "medium_tech") or (several and str(name).startswith("breadth_"))
    ]
    table = profile[kept].drop(columns="breadth_all", errors="ignore").astype(int)
    if colocation is not None:
        table["colocation_p"] = colocation.regions["p_value"]
    if study.context.rules is not None:
        rules, found = _district_types(study, study.context.rules, quotients)
        drawn = drawn_profile(
            drawn_quotients(study.table, _TYPE_DRAWS, rng),
            quotients.index,
            study.sectors.loc[quotients.columns],
            threshold=threshold,
            graph=study.graph,
            places=places,
        )
        share = type_shares(drawn, rules, quotients.index)
        table["district_type"], table["type_lacks"] = found["type"], found["lacks"].replace("", "none")
        table["type_share"] = share.to_numpy()[
            np.arange(len(share)), share.columns.get_indexer(pd.Index(found["type"]))
        ]
    shares = (quotients >= threshold).mean(axis=1).to_frame()
    table["surroundings"] = _neighbor_mean(study, shares).iloc[:, 0]
    cells = formation(quotients, study.graph, threshold=threshold)
    table["formation"] = region_formation(cells, quotients.index)["formation"]
    for name in ("growth_points", "prerequisites"):
        if name in places:
            table[name] = places[name]
    index = pd.MultiIndex.from_product([[breadth_label(quotients.columns)], table.index])
    return _with_neighbors_and_cluster(table.rename_axis("region"), index, local, clusters)


def _neighbor_mean(study: Study, values: pd.DataFrame) -> pd.DataFrame:
    """Mean over the neighbors of each region in the study's graph."""
    mean = row_standardized(study.graph, values.index) @ values.to_numpy(dtype=np.float64)
    return pd.DataFrame(mean, index=values.index, columns=values.columns)


def _with_neighbors_and_cluster(
    table: pd.DataFrame,
    variable: pd.MultiIndex,
    local: LocalMoranTest | None,
    clusters: RegionClusters | None,
) -> pd.DataFrame:
    """Add the local test of ``variable`` (variable, region), and the region's cluster, if there are any."""
    if local is not None:
        found = local.to_frame().reindex(variable)
        table = table.assign(moran_label=found["label"].to_numpy(), moran_p=found["p_value"].to_numpy())
    if clusters is not None and clusters.k > 1:
        own = clusters.to_frame().loc[table.index.get_level_values("region")]
        table = table.assign(cluster=own["cluster"].to_numpy(), cluster_stability=own["stability"].to_numpy())
    return table


def study_growth_points(study: Study, quotients: pd.DataFrame) -> pd.DataFrame | None:
    """Growth points of a study against what their regions are specialized in; None if it knows none."""
    if study.context.sites.empty or study.context.specializations.empty:
        return None
    return growth_points(
        study.context.sites, study.context.specializations, quotients, study.choices.threshold
    )


def _named_by(study: Study, quotients: pd.DataFrame) -> pd.Series:
    """Policies that name each region × sector, joined."""
    points = study_growth_points(study, quotients)
    if points is None:
        return pd.Series(dtype=object, index=pd.MultiIndex.from_arrays([[], []], names=["region", "sector"]))
    named = points.dropna(subset=["sector"]).drop_duplicates(["region", "sector", "policy"])
    return named.groupby(["region", "sector"])["policy"].agg("; ".join)


def _places(study: Study) -> pd.DataFrame:
    """Numbers by region that rules may speak of: ``city``, ``growth_points``, and what is known beside."""
    regions = study.table.regions
    sites = study.context.sites.drop_duplicates(["policy", "site", "region"]).assign(kind="growth_points")
    # A site's name may occur under two policies; what counts is the pair.
    sites["site"] = sites["policy"] + ": " + sites["site"]
    counts = site_counts(sites, regions, by="kind") if len(sites) else pd.DataFrame(index=regions)
    counts = counts.reindex(columns=["growth_points"], fill_value=0).assign(
        city=study.context.cities.reindex(regions, fill_value=0)
    )
    if len(study.context.prerequisites):
        reached = prerequisite_quotients(study.context.prerequisites) >= 1
        counts["prerequisites"] = reached.sum(axis=1).reindex(regions)
    return counts


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
        if not is_number(value) or not 0 < value <= most:
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
