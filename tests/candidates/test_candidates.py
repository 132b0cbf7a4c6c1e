from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import spatialkz
from spatialkz.candidates import AREA_EVIDENCE, CANDIDATE_EVIDENCE, rank_candidates
from spatialkz.candidates.scoring.ranks import ranks
from spatialkz.candidates.scoring.sensitivity import area_sensitivity
from spatialkz.datasets import read_table
from spatialkz.errors import InputError
from spatialkz.specialization import density
from spatialkz.study import Choices, StudyContext


@pytest.fixture(scope="module")
def ranking(quick):
    return rank_candidates(quick, rng=42)


def test_the_41_candidates_are_the_bold_cells_and_one_more(ranking):
    printed = read_table("kazakhstan-2022/table1")
    bold = {(row.region, row.sector) for row in printed[printed["bold"] == 1].itertuples()}
    found = set(zip(ranking.candidates["region"], ranking.candidates["sector"], strict=True))
    assert len(bold) == 40
    assert len(found) == 41
    assert found - bold == {("Nur-Sultan", "electronics")}
    assert bold <= found


def test_areas_hold_every_region_with_its_breadth(ranking, quotients):
    areas = ranking.areas.set_index("region")
    assert areas["breadth"].to_dict() == (quotients >= 1).sum(axis=1).to_dict()


@pytest.mark.parametrize(
    ("table", "evidence"), [("candidates", CANDIDATE_EVIDENCE), ("areas", AREA_EVIDENCE)]
)
def test_scores_are_the_mean_rank_of_the_evidence(ranking, table, evidence):
    rows = getattr(ranking, table)
    assert rows[list(evidence)].to_numpy().min() >= 0
    assert rows[list(evidence)].to_numpy().max() <= 1
    scored = rows[rows["score"].notna()]
    places = (scored[list(evidence)].rank() - 1) / (len(scored) - 1)
    np.testing.assert_allclose(scored["score"], places.mean(axis=1))
    assert not {"surroundings", "tier", "growth_points"} & set(evidence)


@pytest.mark.parametrize("name", ["kazakhstan-2022", "kazakhstan-gva-2020", "crowded"])
def test_rows_are_in_the_order_of_the_draws_and_no_rank_lies_outside_its_interval(crowded, quick, name):
    study = {"kazakhstan-2022": quick, "crowded": crowded}.get(name) or replace(
        spatialkz.load_study(name), choices=Choices(permutations=99, resamples=10, draws=200)
    )
    found = rank_candidates(study, rng=7)
    for rows, top in ((found.candidates, 10), (found.areas, 3)):
        assert (rows["rank_low"] <= rows["rank"]).all()
        assert (rows["rank"] <= rows["rank_high"]).all()
        assert ((rows["rank"] <= top) == (rows[f"p_top{top}"] >= 0.5)).all()
        assert rows[f"p_top{top}"].sum() == pytest.approx(top)
        assert rows["rank"].is_monotonic_increasing
        assert rows["rank_tier"].iloc[0] == 1
        assert rows["rank_tier"].diff().dropna().isin([0, 1]).all()


@pytest.fixture(scope="module")
def crowded(quick):
    """Quotients near 1 in many sectors: hundreds of candidates of which hardly two can be told apart."""
    rng = np.random.default_rng(1)
    cells = rng.lognormal(0, 0.1, (len(quick.table.regions), 30)).round(3)
    table = pd.DataFrame(cells, quick.table.regions, [f"s{k:02d}" for k in range(30)])
    return replace(
        quick,
        table=spatialkz.ActivityTable(table, kind="quotients"),
        sectors=pd.DataFrame(),
        marks=None,
        claims=(),
        context=StudyContext(),
    )


def test_regions_without_a_candidate_come_last_and_are_not_ranked(ranking):
    areas = ranking.areas.set_index("region")
    rest = areas[areas["breadth"] == 0]
    assert rest.index.tolist() == ["Karaganda", "Pavlodar"] == areas.index[-2:].tolist()
    assert rest["score"].isna().all()
    # Two share the last two of 17 ranks: each is 16th in half of the orders.
    assert rest[["rank", "rank_low", "rank_high", "p_top3"]].to_numpy().tolist() == [[16, 16, 17, 0]] * 2
    assert rest["rank_tier"].nunique() == 1
    assert rest["rank_tier"].min() > areas.loc[areas["breadth"] > 0, "rank_tier"].max()
    assert rest["strength"].between(0, 0.5).all()
    assert set(ranking.area_uncertainty.items.index) == set(areas.index) - {"Karaganda", "Pavlodar"}


def test_one_region_with_candidates_is_first_and_the_others_share_the_rest(quick):
    table = quick.table.values * 0 + np.random.default_rng(1).uniform(0.1, 0.9, (17, 11)).round(2)
    table.loc["Akmola"] = np.arange(1, 12) / 4
    study = replace(quick, table=spatialkz.ActivityTable(table, kind="quotients"), marks=None, claims=())
    areas = rank_candidates(study, rng=1).areas.set_index("region")
    assert areas.loc["Akmola", ["rank", "rank_low", "rank_high", "p_top3", "score"]].tolist() == [1] * 5
    others = areas.drop("Akmola")[["rank", "rank_low", "rank_high", "p_top3"]].drop_duplicates()
    # By lot among 16: the median of 2…17 is 9, and 2 of 16 are among the first three.
    assert others.to_numpy().tolist() == [[9, 2, 17, 2 / 16]]
    with pytest.raises(InputError, match=r"^1 of 17 regions have a quotient of 1 or more, and no evidence"):
        area_sensitivity(study, samples=64)


def test_surroundings_stand_beside_the_score(ranking, quick):
    wider = replace(quick, graph=quick.graph.higher_order(2, lower_order=True))
    second = rank_candidates(wider, rng=42)
    for name, rows in (("candidates", ranking.candidates), ("areas", ranking.areas)):
        other = getattr(second, name)
        scored = ["rank", "region", "score", "rank_low", "rank_high", "rank_tier"]
        pd.testing.assert_frame_equal(rows[scored], other[scored])
        assert not np.allclose(rows["surroundings"], other["surroundings"])


def test_what_the_study_does_not_call_knowledge_intensive_is_said(ranking, quick, crowded):
    assert ranking.notes == ()
    (note,) = rank_candidates(crowded, rng=1).notes
    assert note.startswith("No sector is marked as knowledge-intensive (role digital, knowledge, research; ")
    assert note.endswith(
        "all 30 are ranked: these are candidates for clusters of any kind, not of knowledge."
    )
    some = replace(spatialkz.load_study("kazakhstan-gva-2020"), choices=quick.choices)
    found = rank_candidates(some, rng=1)
    assert (
        "): Manufacturing, Finance and insurance; candidates in these sectors are ranked with the others."
        in found.notes[0]
    )
    assert found.to_dict()["notes"] == list(found.notes)
    assert found.notes[0] in found.summary()


@pytest.mark.parametrize("table", ["candidate", "area"])
def test_every_draw_is_a_permutation(ranking, table):
    drawn = getattr(ranking, f"{table}_uncertainty").ranks
    assert len(drawn) == ranking.draws
    assert (np.sort(drawn, axis=1) == np.arange(1, drawn.shape[1] + 1)).all()


def test_evidence_by_hand(ranking, quotients, study):
    row = ranking.candidates.set_index(["region", "sector"]).loc[("East Kazakhstan", "research")]
    strength = quotients / (1 + quotients)
    assert row["specialization"] == pytest.approx(2.41 / 3.41)
    assert row["companions"] == pytest.approx(3 / 10)
    near = density(quotients)
    assert row["relatedness"] == pytest.approx(near.loc["East Kazakhstan", "research"])
    assert row["knowledge"] == pytest.approx((2.41 / 3.41 + 1.35 / 2.35) / 2)
    neighbors = study.graph["East Kazakhstan"].index
    assert row["surroundings"] == pytest.approx(strength.loc[neighbors, "research"].mean())
    area = ranking.areas.set_index("region").loc["East Kazakhstan"]
    assert area["surroundings"] == pytest.approx((quotients.loc[neighbors] >= 1).to_numpy().mean())


def test_rounding_moves_the_interval_of_every_printed_value(ranking):
    rows = ranking.candidates
    np.testing.assert_allclose(rows["lq"] - rows["lq_low"], 0.005)
    np.testing.assert_allclose(rows["lq_high"] - rows["lq"], 0.005)


def test_probabilities_of_the_top_add_up(ranking):
    assert ranking.areas["p_top3"].sum() == pytest.approx(3)
    assert ranking.candidates["p_top10"].sum() == pytest.approx(10)


def test_tiers_growth_points_and_types_enter_no_score(quick):
    places = replace(quick.context, sites=quick.context.sites.iloc[:0], rules=None)
    turned = replace(quick, placement=5 - quick.placement.fillna(2), context=places)
    first, second = rank_candidates(quick, rng=1), rank_candidates(turned, rng=1)
    scored = ["rank", "region", "score", "rank_low", "rank_high"]
    pd.testing.assert_frame_equal(first.areas[[*scored, "p_top3"]], second.areas[[*scored, "p_top3"]])
    assert first.candidates[scored].equals(second.candidates[scored])
    assert "district_type" not in second.areas
    assert not first.areas["tier"].equals(second.areas["tier"])


def test_every_row_of_ranks_is_a_permutation():
    scores = np.random.default_rng(0).integers(0, 3, (50, 8)).astype(float)
    assert (np.sort(ranks(scores), axis=1) == np.arange(1, 9)).all()


def test_a_study_of_volumes_without_roles_or_groups():
    study = spatialkz.load_study("kazakhstan-gva-2020")
    plain = replace(study, sectors=pd.DataFrame(), choices=Choices(permutations=99, resamples=10, draws=100))
    ranking = rank_candidates(plain, rng=1)
    assert "knowledge" not in ranking.candidates
    assert (ranking.candidates["lq_low"] == ranking.candidates["lq"]).all()
    assert (ranking.candidates["group"] == "all").all()
    assert ranking.areas["tier"].isna().all()


def test_bad_input_is_refused(study):
    with pytest.raises(InputError, match="at least 100"):
        rank_candidates(study, draws=5)
    high = replace(study, choices=Choices(threshold=50.0))
    with pytest.raises(InputError, match=r"No quotient reaches the threshold 50; the largest is 12.79"):
        rank_candidates(high)


def test_quotients_that_are_the_same_everywhere_rank_nothing(quick):
    same = replace(
        quick, table=spatialkz.ActivityTable(quick.table.values * 0 + 1, kind="quotients"), marks=None
    )
    with pytest.raises(InputError, match="every quotient is the same in all regions"):
        rank_candidates(same)
    for draws in ("10000", 99, 1e4):
        with pytest.raises(InputError, match="at least 100"):
            rank_candidates(quick, draws=draws)


def test_equal_ranks_are_ordered_by_mean_rank(quick):
    ranking = rank_candidates(quick, rng=3)
    items = ranking.candidate_uncertainty.items
    rows = ranking.candidates.set_index(["region", "sector"])
    rows["mean_rank"] = items["mean_rank"]
    for _, tied in rows.groupby("rank", sort=False):
        assert tied["mean_rank"].is_monotonic_increasing
    for _, same in rows.groupby(rows["score"].round(9)):
        assert same["score"].nunique() == 1  # what differs in the last digits alone is the same


def test_counts_rank_with_their_sampling_error(quick):
    few = pd.DataFrame(
        np.random.default_rng(2).integers(1, 12, (17, 3)), index=quick.table.regions, columns=list("abc")
    )
    ends = []
    for factor in (1, 1000):
        table = spatialkz.ActivityTable(few * factor, kind="counts")
        small = replace(
            quick, table=table, sectors=pd.DataFrame(), marks=None, claims=(), context=StudyContext()
        )
        found = rank_candidates(small, draws=500, rng=1)
        assert (found.candidates["lq_low"] < found.candidates["lq"]).all()
        assert (found.candidates["lq"] < found.candidates["lq_high"]).all()
        ends.append((found.areas["rank_high"] - found.areas["rank_low"]).mean())
    # The same quotients from a thousand times as many jobs are better known.
    assert ends[0] > ends[1]
