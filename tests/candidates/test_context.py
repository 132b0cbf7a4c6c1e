"""Columns that stand beside ranks: which there are, what they say, and when they are missing."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import spatialkz
from spatialkz.candidates import (
    AREA_CONTEXT,
    AREA_EVIDENCE,
    CANDIDATE_CONTEXT,
    CANDIDATE_EVIDENCE,
    formation,
    rank_candidates,
    stars,
)
from spatialkz.clustering import cluster_regions
from spatialkz.specialization import (
    audit_table,
    certainty,
    focus_interval,
    sector_share_interval,
    symmetric_quotient,
    table_quotients,
)
from spatialkz.study import Choices, Study, StudyContext
from spatialkz.tables import prerequisite_quotients

QUICK = Choices(permutations=99, resamples=10, draws=100, simulations=600)
PAGE = Path(__file__).parents[2] / "docs" / "methods" / "score.md"


@pytest.fixture(scope="module")
def ranking(quick):
    return rank_candidates(quick, rng=3)


@pytest.fixture(scope="module")
def counted():
    """Nine regions in a row, jobs in three sectors, and nothing else known."""
    rng = np.random.default_rng(5)
    regions = [f"r{i}" for i in range(9)]
    jobs = pd.DataFrame(rng.integers(5, 200, (9, 3)), index=regions, columns=["steel", "law", "code"])
    row = pd.DataFrame({"focal": regions, "neighbor": [*regions[1:], regions[0]]}).assign(weight=1.0)
    back = row.rename(columns={"focal": "neighbor", "neighbor": "focal"})
    graph = spatialkz.geography.graph_from_pairs(pd.concat([row, back])[["focal", "neighbor"]], jobs.index)
    return Study("jobs", spatialkz.ActivityTable(jobs, kind="counts"), graph, choices=QUICK)


def names(documented):
    """Column names in the keys of a table of columns."""
    return [name for key in documented for name in key.split(", ")]


def test_every_column_is_documented_and_every_documented_column_is_there(ranking):
    outcome = {"rank", "region", "score", "rank_low", "rank_high", "rank_tier"}
    candidates = {*outcome, "sector", "group", "lq", "lq_low", "lq_high", "p_top10"}
    of_clusters = {"cluster", "cluster_stability"}  # which the paper's table has not
    told = {*candidates, *CANDIDATE_EVIDENCE, *names(CANDIDATE_CONTEXT)} - {"lq_p"}
    assert set(ranking.candidates) == told - of_clusters
    groups = {"breadth_industry", "breadth_services"}
    areas = {*outcome, "breadth", "p_top3", "tier", *AREA_EVIDENCE, *names(AREA_CONTEXT), *groups}
    with_covariates = {"expected_absent", "unexpected_present"}  # which were not tested here
    assert set(ranking.areas) == areas - {"breadth_<group>"} - of_clusters - with_covariates


def test_clusters_that_are_handed_over_stand_beside_each_region(quick):
    features = symmetric_quotient(quick.table.values)
    clusters = cluster_regions(features, k=3, references=0, resamples=10, rng=1)
    found = rank_candidates(quick, clusters=clusters, rng=3)
    for table in (found.areas, found.candidates):
        assert (table["cluster"] == table["region"].map(clusters.labels)).all()
        assert (table["cluster_stability"] == table["cluster"].map(clusters.stability)).all()


def test_the_method_page_has_a_row_for_every_column():
    rows = "\n".join(re.findall(r"^\| (`.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {*CANDIDATE_EVIDENCE, *AREA_EVIDENCE, *names(CANDIDATE_CONTEXT), *names(AREA_CONTEXT)}
    assert [name for name in wanted - {"breadth_<group>"} if f"`{name}`" not in rows] == []


def test_no_number_is_missing_in_the_bundled_study(ranking):
    assert not ranking.candidates.isna().any().any()
    missing = ranking.areas.isna().any()
    assert missing.index[missing].tolist() == ["score", "tier"]
    assert ranking.areas.loc[ranking.areas["score"].isna(), "breadth"].tolist() == [0, 0]
    assert ranking.areas.loc[ranking.areas["tier"].isna(), "region"].tolist() == ["Turkestan"]


def test_candidate_columns_say_what_the_stages_said(ranking, quick):
    rows = ranking.candidates.set_index(["region", "sector"])
    quotients, audit = table_quotients(quick.table), audit_table(quick.table)
    share, focus = sector_share_interval(quick.table, audit), focus_interval(quick.table)
    earned = stars(share, quick.table.interval(), focus).loc[rows.index]
    assert rows["stars"].tolist() == earned["stars_low"].tolist()
    assert rows["stars_possible"].tolist() == earned["stars_high"].tolist()
    assert (rows["stars"] <= rows["stars_possible"]).all()
    assert (rows["share_low"] <= rows["share_high"]).all()
    assert rows.loc[("Nur-Sultan", "research"), "share_high"] == share[1].loc["Nur-Sultan", "research"]
    paths = formation(quotients, quick.graph)["path"]
    assert rows["formation"].to_dict() == paths.loc[rows.index].to_dict()
    sure = certainty(quick.table, 1.0)
    assert all(rows.loc[cell, "certainty"] == sure.loc[cell] for cell in rows.index)
    assert rows.loc[("Almaty City", "information"), "named_by"] == "special economic zone; technopark"
    assert rows.loc[("Almaty City", "pharmaceutical"), "named_by"] == "none"
    for (region, _), quotient in rows["research_lq"].items():
        assert quotient == quotients.loc[region, "research"]


def test_area_columns_by_hand(ranking, quotients, quick):
    areas = ranking.areas.set_index("region")
    industry = quick.table.groups.index[quick.table.groups == "industry"]
    assert areas["breadth_industry"].to_dict() == (quotients[industry] >= 1).sum(axis=1).to_dict()
    assert (areas["breadth_industry"] + areas["breadth_services"]).equals(areas["breadth"])
    parks = quick.context.sites.groupby("region")[["policy", "site"]].apply(
        lambda g: len(g.drop_duplicates())
    )
    assert areas.loc[parks.index, "growth_points"].to_dict() == parks.to_dict()
    assert (areas.drop(parks.index)["growth_points"] == 0).all()
    reached = prerequisite_quotients(quick.context.prerequisites) >= 1
    assert areas["prerequisites"].to_dict() == reached.sum(axis=1).to_dict()
    assert areas.loc["Almaty City", "prerequisites"] == 4
    assert areas.loc["Turkestan", "prerequisites"] == 1
    assert areas["colocation_p"].idxmin() == areas["breadth"].idxmax() == "Almaty City"
    # Karaganda and Pavlodar have no candidate.
    assert areas.index[areas["formation"] == "none"].tolist() == areas.index[areas["breadth"] == 0].tolist()
    assert areas["type_share"].between(0, 1).all()
    assert areas.loc["Almaty City", "district_type"] == "digital hub"


def test_a_study_of_counts_gets_p_values_and_one_without_places_no_types(counted):
    ranking = rank_candidates(counted, rng=1)
    rows = ranking.candidates
    assert rows["lq_p"].between(0, 1, inclusive="right").all()
    assert (rows["share_low"] == rows["share_high"]).all()
    assert (rows["named_by"] == "none").all()
    assert (ranking.areas["growth_points"] == 0).all()
    assert ranking.areas["formation"].isin(["linked", "spin-off", "none"]).all()
    types, kinds = {"district_type", "type_lacks", "type_share"}, {"knowledge", "digital", "technology"}
    assert not (types | kinds | {"breadth_all", "prerequisites"}) & set(ranking.areas)
    assert "research_lq" not in rows
    assert "colocation_p" in ranking.areas


def test_without_places_all_but_types_and_names_stays(quick, ranking):
    bare = rank_candidates(replace(quick, context=StudyContext()), rng=3)
    gone = {"district_type", "type_lacks", "type_share", "prerequisites"}
    assert set(ranking.areas) - set(bare.areas) == gone
    same = [name for name in bare.areas if name != "growth_points"]
    pd.testing.assert_frame_equal(bare.areas[same], ranking.areas[same])
    pd.testing.assert_frame_equal(
        bare.candidates.drop(columns="named_by"), ranking.candidates.drop(columns="named_by")
    )


def test_a_sector_that_is_the_same_everywhere_has_no_local_test(counted):
    jobs = counted.table.values.assign(law=100.0)
    base = pd.Series(1000.0, index=jobs.index)
    table = spatialkz.ActivityTable(jobs, kind="counts", base=base)
    rows = rank_candidates(replace(counted, table=table), rng=1).candidates.set_index("sector")
    assert rows.loc["law", "moran_label"].isna().all()
    assert rows.drop("law")["moran_label"].notna().all()
