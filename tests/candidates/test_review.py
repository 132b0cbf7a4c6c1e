"""A ranking against tiers, growth points and named places: the bundled study, and studies that know less."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

from spatialkz.candidates import (
    naming_matrix,
    placement_agreement,
    rank_candidates,
    review_ranking,
    site_evidence,
)
from spatialkz.candidates.scoring.sensitivity import area_sensitivity
from spatialkz.study import StudyContext


@pytest.fixture(scope="module")
def ranking(quick):
    return rank_candidates(quick, rng=42)


@pytest.fixture(scope="module")
def review(quick, ranking):
    return review_ranking(quick, ranking, rng=42)


def test_agreement_is_that_of_ranks_and_tiers(review, ranking, quick):
    ranks = ranking.areas.set_index("region")["rank"]
    tiers = quick.placement.dropna()
    assert review.agreement.unplaced == ("Turkestan",)
    wanted = stats.kendalltau(ranks[tiers.index], tiers.astype(int)).statistic
    assert review.agreement.tau_b == pytest.approx(wanted)
    again = placement_agreement(ranks, quick.placement)
    # Areas that share a rank leave no exact count; five standard errors of 9,999 permutations.
    assert review.agreement.method == again.method == "permutation"
    assert review.agreement.p_value == pytest.approx(again.p_value, abs=0.012)
    assert review.agreement.kappa == again.kappa


def test_statuses_follow_the_quotients(review, quotients):
    growth = review.growth
    assert growth["policy"].value_counts().to_dict() == {"special economic zone": 47, "technopark": 37}
    mapped = growth.dropna(subset=["sector"])
    found = [quotients.loc[row.region, row.sector] for row in mapped.itertuples()]
    assert mapped["lq"].tolist() == found
    wanted = ["matched" if lq >= 1 else "emerging" if lq >= 0.75 else "mismatched" for lq in found]
    assert mapped["status"].tolist() == wanted
    assert (growth.loc[growth["sector"].isna(), "status"] == "not mappable").all()


def test_every_policy_and_all_together_are_tested_with_power(review, quotients):
    assert list(review.naming) == ["special economic zone", "technopark", "all"]
    mapped = review.growth.dropna(subset=["sector"])
    for policy, test in review.naming.items():
        own = mapped if policy == "all" else mapped[mapped["policy"] == policy]
        cells = naming_matrix(own, quotients.index, quotients.columns)
        row = test.to_frame().iloc[0]
        assert row["named"] == cells.to_numpy().sum()
        symmetric = ((quotients - 1) / (quotients + 1)).to_numpy()
        assert row["statistic"] == pytest.approx((symmetric * cells.to_numpy()).sum() / row["named"])
        assert 0 < row["p_value"] <= 1
        assert test.power.iloc[-1] >= test.power.iloc[0]


def test_named_places_have_the_evidence_of_their_region(review, ranking, quick):
    areas = ranking.areas.set_index("region")
    evidence = areas[["rank", "breadth", "district_type", "formation"]]
    pd.testing.assert_frame_equal(review.sites, site_evidence(quick.context.named, evidence))
    assert review.sites.set_index("site").loc["Talgar", "region"] == "Almaty Region"


def test_all_parts_are_told_in_json_and_in_words(review):
    told = review.to_dict()
    assert json.loads(json.dumps(told))["naming"].keys() == review.naming.keys()
    counted = {policy: sum(counts.values()) for policy, counts in _by_policy(told["growth_points"]).items()}
    assert counted == {"special economic zone": 47, "technopark": 37}
    text = review.summary()
    assert "τ-b" in text
    assert all(f"{policy}: mean" in text for policy in review.naming)


def _by_policy(counts):
    """Status counts by policy, whichever of the two is the outer level."""
    frame = pd.DataFrame(counts)
    frame = frame if "technopark" in frame else frame.T
    return frame.to_dict()


def test_what_a_study_does_not_know_is_none_or_empty(quick, ranking):
    bare = replace(quick, placement=None, context=StudyContext())
    review = review_ranking(bare, ranking, rng=1)
    assert review.agreement is None
    assert review.growth is None
    assert review.sites is None
    assert review.naming == {}
    assert review.to_dict() == {
        "agreement": None, "growth_points": None, "notes": [], "naming": {}, "sites": None,
    }  # fmt: skip
    assert review.summary() == "Nothing to hold the ranking against."


def test_tiers_that_tell_nothing_are_not_compared(quick, ranking):
    places = replace(quick.context, sites=quick.context.sites.iloc[:0], named=quick.context.named.iloc[:0])
    one = quick.placement.where(quick.placement.isna(), 2)
    review = review_ranking(replace(quick, placement=one, context=places), ranking, rng=1)
    assert (review.agreement, review.growth, review.sites) == (None, None, None)


def test_one_policy_is_tested_once(quick, ranking):
    places = quick.context
    parks = replace(
        places,
        sites=places.sites[places.sites["policy"] == "technopark"],
        specializations=places.specializations[places.specializations["policy"] == "technopark"],
    )
    assert list(review_ranking(replace(quick, context=parks), ranking, rng=1).naming) == ["technopark"]


def test_the_review_changes_no_rank_and_repeats_with_its_seed(quick, ranking, review):
    before = ranking.areas.copy()
    again = review_ranking(quick, ranking, rng=42)
    pd.testing.assert_frame_equal(ranking.areas, before)
    assert again.to_dict() == review.to_dict()


def test_sobol_indices_of_a_study_are_those_of_all_its_choices(quick):
    found = area_sensitivity(quick, samples=256, rng=1)
    assert list(found.overall.index) == [
        "threshold", "normalization", "aggregation", "dropped", "weights", "error",
    ]  # fmt: skip
    # Karaganda and Pavlodar have no candidate and are not ranked.
    assert len(set(found.items.index.get_level_values("item"))) == 15
    # Rounding to two decimals hardly moves a rank; weights over everything do.
    assert found.overall["total"].idxmax() == "weights"
    assert found.overall.loc["error", "total"] < 0.05
    pd.testing.assert_frame_equal(area_sensitivity(quick, samples=256, rng=1).overall, found.overall)


def test_a_single_name_is_not_tested_and_the_rest_stands(quick):
    places = quick.context
    one = places.specializations[places.specializations["sector"] == "computer"].head(1)
    site = places.sites[places.sites["site"].isin(one["site"])].head(1)
    study = replace(quick, context=replace(places, sites=site, specializations=one))
    review = review_ranking(study, rank_candidates(study, rng=1), rng=1)
    assert review.naming == {}
    assert "was not tested. Only one naming" in review.notes[0]
    assert review.to_dict()["notes"] == list(review.notes)
    assert review.agreement is not None
    assert review.notes[0] in review.summary()
