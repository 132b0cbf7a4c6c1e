"""Rank uncertainty: permutations, known answers, the caller's order, speed of what a study needs."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialkz.candidates.scoring.aggregation import score
from spatialkz.candidates.scoring.choices import RankChoices, shared_ranks
from spatialkz.candidates.scoring.ranks import (
    rank_quantiles,
    rank_tiers,
    ranks,
    share_above,
    undecided_groups,
)
from spatialkz.candidates.scoring.uncertainty import rank_uncertainty
from spatialkz.errors import InputError, RegionError
from spatialkz.resampling import parallel

HELD = {"concentration": None, "drop": False}
DEFAULT = RankChoices(normalizations=("rank",), aggregations=("arithmetic",), **HELD)


@pytest.fixture(scope="module")
def evidence():
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.lognormal(size=(9, 4)).round(2) + 0.01, columns=["lq", "share", "near", "p"])
    return table.set_axis([f"region {i}" for i in range(9)])


@pytest.fixture(scope="module")
def directions():
    return pd.Series({"lq": 1, "share": 1, "near": 1, "p": -1})


@pytest.fixture(scope="module")
def found(evidence, directions):
    return rank_uncertainty(
        evidence, directions, drawn=(evidence - 0.005, evidence + 0.005), draws=2000, top=(1, 3), rng=1
    )


def test_every_draw_is_a_permutation_with_its_choices(found, evidence):
    assert found.ranks.shape == (2000, 9)
    assert (np.sort(found.ranks, axis=1) == np.arange(1, 10)).all()
    assert not found.ranks.flags.writeable
    choices = found.choices
    assert set(choices["normalization"]) == {"rank", "minmax", "z", "target"}
    assert set(choices["aggregation"]) == {"arithmetic", "geometric", "topsis", "copeland"}
    assert set(choices["dropped"]) == {"none", *evidence.columns}
    weights = choices[[f"weight {name}" for name in evidence]]
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    for name in evidence:
        assert ((choices["dropped"] == name) == (choices[f"weight {name}"] == 0)).all()


def test_each_draw_is_the_score_of_its_choices(evidence, directions):
    found = rank_uncertainty(evidence, directions, draws=100, rng=3)
    for draw in range(0, 100, 7):
        row = found.choices.loc[draw]
        weights = pd.Series({name: row[f"weight {name}"] for name in evidence}, dtype=float)
        expected = score(
            evidence,
            directions,
            normalization=row["normalization"],
            weights=weights,
            aggregation=row["aggregation"],
        )
        # Ties are broken by lot, so a better score must never have a worse rank.
        ahead = np.subtract.outer(expected.to_numpy(), expected.to_numpy()) > 1e-9
        assert (found.ranks[draw][:, None] < found.ranks[draw])[ahead].all()


def test_summaries_follow_from_the_ranks(found):
    items = found.items
    check_ranks(found.ranks, items, (1, 3))
    np.testing.assert_allclose(items["p_top1"].sum(), 1)
    np.testing.assert_allclose(items["p_top3"].sum(), 3)
    np.testing.assert_allclose(items["mean_rank"].mean(), 5)
    pairwise = found.pairwise
    np.testing.assert_allclose(pairwise + pairwise.T + np.eye(9), 1)
    # Mean rank is 1 + the expected number of items above.
    np.testing.assert_allclose(1 + pairwise.sum(), items["mean_rank"])
    assert json.loads(json.dumps(found.to_dict()))["draws"] == 2000
    assert "rank intervals hold 90 %" in found.summary()


def test_the_default_stands_without_error_or_choice(evidence, directions):
    found = rank_uncertainty(evidence, directions, DEFAULT, draws=100, rng=1)
    expected = score(evidence, directions)
    np.testing.assert_allclose(found.items["score"], expected)
    alone = ~expected.round(9).duplicated(keep=False)
    assert (found.items["rank"] == expected.rank(ascending=False))[alone].all()
    assert found.order.tolist() == found.items["mean_rank"].argsort(kind="stable").tolist()


def check_ranks(drawn, items, top):
    """Ranks inside their intervals, and at most k exactly where P(top k) is a half or more."""
    for name, level in (("rank_low", 0.05), ("rank", 0.5), ("rank_high", 0.95)):
        expected = np.quantile(drawn, level, axis=0, method="inverted_cdf")
        assert items[name].tolist() == expected.tolist()
    assert (items["rank_low"] <= items["rank"]).all()
    assert (items["rank"] <= items["rank_high"]).all()
    for k in top:
        assert ((items["rank"] <= k) == (items[f"p_top{k}"] >= 0.5)).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 4), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_no_rank_lies_outside_its_interval_whatever_the_table(seed, n, m, levels):
    """Few levels make many ties; wide errors make items change places."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.integers(1, levels + 2, (n, m)).astype(float)).rename(columns=str)
    table.iloc[0] = levels + 2.0  # so that every indicator varies
    table.iloc[1] = 0.5
    wide = rng.uniform(0, 0.5)
    found = rank_uncertainty(
        table,
        pd.Series(1, index=table.columns),
        drawn=(table - wide, table + wide),
        draws=101,
        top=tuple(range(1, n + 1)),
        rng=seed,
    )
    check_ranks(found.ranks, found.items, range(1, n + 1))
    ordered = found.items.iloc[found.order]
    assert ordered["rank"].is_monotonic_increasing
    for level in (0.6, 0.95):
        tiers, above = found.tiers(level), found.pairwise.to_numpy()
        assert tiers.iloc[found.order].diff().dropna().isin([0, 1]).all()
        same = np.equal.outer(tiers.to_numpy(), tiers.to_numpy())
        assert (np.maximum(above, above.T)[same] < level).all()
        assert set(found.groups(level)[0]) == set(tiers.index[tiers == 1])
        # Each tier begins with an item that is told apart from one of the tier before.
        for tier in range(2, tiers.max() + 1):
            first = found.order[(tiers.iloc[found.order] == tier).to_numpy().argmax()]
            before = (tiers == tier - 1).to_numpy()
            assert (np.maximum(above, above.T)[first, before] >= level).any()


def test_where_all_change_places_nobody_is_first():
    """The order of medians puts one of 50 equal items in place 1 and one in place 50, outside 3–48."""
    drawn = np.array([np.random.default_rng(i).permutation(50) + 1 for i in range(2000)])
    low, middle, high = rank_quantiles(drawn)
    places = np.argsort(np.argsort(middle, kind="stable")) + 1
    assert ((places < low) | (places > high)).any()
    assert ((low <= middle) & (middle <= high)).all()
    assert middle.min() > 20
    assert set(rank_tiers(drawn, np.argsort(middle), 0.95)) == {1}


def test_probability_of_a_known_order():
    """A is uniform on [0, 1], B on [0.5, 1.5]: B is above with probability 7/8."""
    low, high = pd.DataFrame({"x": [0.0, 0.5]}, index=list("AB")), pd.DataFrame({"x": [1.0, 1.5]}, list("AB"))
    found = rank_uncertainty(
        (low + high) / 2, pd.Series({"x": 1}), DEFAULT, drawn=(low, high), draws=20_000, top=(1,), rng=5
    )
    # Four standard errors of 20,000 draws are 0.0094.
    assert found.items.loc["B", "p_top1"] == pytest.approx(7 / 8, abs=0.0094)
    assert found.groups() == [["B", "A"]]
    assert found.groups(0.8) == [["B"], ["A"]]


def test_ties_are_broken_by_lot_and_not_told_apart(directions):
    same = pd.DataFrame([[1.0, 2, 3, 4]] * 2 + [[2.0, 3, 4, 1]], columns=directions.index, index=list("abc"))
    found = rank_uncertainty(same, directions, draws=4000, rng=2)
    assert found.items["rank"].isin([2, 3])[:2].all()
    assert found.items["rank_low"].tolist() == [2, 2, 1]
    assert found.tiers().tolist() == [2, 2, 1]
    assert found.pairwise.loc["a", "b"] == pytest.approx(0.5, abs=0.04)


def test_weights_drawn_near_the_default_move_less(evidence, directions):
    experts = pd.Series({"p": 1, "near": 1, "share": 2, "lq": 4})
    mean_shift = []
    for concentration in (1.0, 1000.0):
        choices = RankChoices(weights=experts, concentration=concentration, drop=False)
        found = rank_uncertainty(evidence, directions, choices, draws=2000, rng=1)
        mean_shift.append(found.shifts.loc[("weights", "drawn"), "mean_shift"])
        weights = found.choices[[f"weight {name}" for name in evidence]].mean()
        np.testing.assert_allclose(weights, [4 / 8, 2 / 8, 1 / 8, 1 / 8], atol=0.03)
    assert mean_shift[1] < 0.2 * mean_shift[0]


@pytest.mark.parametrize("kind", ["interval", "none"])
def test_rows_columns_and_threads_do_not_matter(monkeypatch, evidence, directions, shuffled, kind):
    monkeypatch.setattr(parallel, "_WORTH_A_WORKER", 0)

    def drawn(table):
        return (table - 0.005, table + 0.005) if kind == "interval" else None

    first = rank_uncertainty(evidence, directions, drawn=drawn(evidence), draws=500, rng=9)
    table = shuffled(evidence)[["p", "near", "lq", "share"]]
    with joblib.parallel_config(n_jobs=1):
        second = rank_uncertainty(table, shuffled(directions), drawn=drawn(evidence), draws=500, rng=9)
    pd.testing.assert_frame_equal(second.items.loc[evidence.index], first.items)
    pd.testing.assert_frame_equal(second.choices[first.choices.columns], first.choices)
    pd.testing.assert_frame_equal(second.shifts, first.shifts)
    places = [list(table.index).index(item) for item in evidence.index]
    assert (second.ranks[:, places] == first.ranks).all()


def by_threshold(evidence):
    """Indicator lq replaced by whether it reaches the threshold, and noise on the others."""

    def draw(scenario, size, rng):
        drawn = np.tile(evidence.to_numpy(), (size, 1, 1))
        if rng is not None:
            drawn *= rng.uniform(0.99, 1.01, drawn.shape)
        drawn[:, :, 0] = drawn[:, :, 0] >= scenario["threshold"]
        return drawn

    return draw


def test_scenarios_change_the_evidence(evidence, directions, shuffled):
    draw = by_threshold(evidence)
    point = evidence.assign(lq=(evidence["lq"] >= 1.0).astype(float))
    choices = RankChoices(scenarios={"threshold": (1.0, 0.5, 2.0), "graph": ("queen", "rook")})
    found = rank_uncertainty(point, directions, choices, drawn=draw, draws=600, rng=1)
    assert set(found.choices["threshold"]) == {1.0, 0.5, 2.0}
    assert found.shifts.loc[("threshold", 2.0), "mean_shift"] > 0
    assert found.shifts.loc[("graph", "rook"), "mean_shift"] == 0
    assert found.shifts.loc[("graph", "rook"), "most_moved"] == "none"
    with pytest.raises(InputError, match=r"is not the evidence given: region \d × lq"):
        rank_uncertainty(evidence, directions, choices, drawn=draw, draws=600, rng=1)
    # A function draws in the order of the table that it was made for.
    table = shuffled(point)
    with pytest.raises(InputError, match="is not the evidence given"):
        rank_uncertainty(table, directions, choices, drawn=draw, rng=1)
    again = rank_uncertainty(
        table, directions, choices, drawn=by_threshold(shuffled(evidence)), draws=600, rng=1
    )
    assert again.items.loc[point.index, "score"].tolist() == found.items["score"].tolist()


def test_a_shift_is_what_one_choice_alone_does(evidence, directions):
    found = rank_uncertainty(evidence, directions, draws=100, rng=1)
    usual = score(evidence, directions).rank(ascending=False)
    for option, other in {
        ("normalization", "z"): score(evidence, directions, normalization="z"),
        ("aggregation", "topsis"): score(evidence, directions, aggregation="topsis"),
        ("weights", "bod"): score(evidence, directions, weights="bod"),
        ("weights", "pca"): score(evidence, directions, weights="pca"),
        ("dropped", "near"): score(evidence.drop(columns="near"), directions.drop("near")),
    }.items():
        moved = (other.round(12).rank(ascending=False) - usual).abs()
        assert found.shifts.loc[option, "mean_shift"] == pytest.approx(moved.mean())
        assert found.shifts.loc[option, "max_shift"] == moved.max()
        assert moved[found.shifts.loc[option, "most_moved"]] == moved.max()


def test_an_array_gives_a_table_for_each_draw(evidence, directions):
    turned = np.stack([evidence.to_numpy(), evidence.to_numpy()[::-1]] * 50)
    found = rank_uncertainty(evidence, directions, DEFAULT, drawn=turned, draws=100, rng=1)
    usual = ranks(score(evidence, directions).to_numpy()[None])[0]
    # Equal scores are ordered by lot, so compare where the score is alone.
    alone = ~score(evidence, directions).round(9).duplicated(keep=False).to_numpy()
    assert alone.sum() >= 3
    assert (found.ranks[0] == usual)[alone].all()
    assert (found.ranks[1] == usual[::-1])[alone[::-1]].all()


def test_large_tables_are_drawn_in_single_precision_with_the_same_ranks():
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.normal(size=(1100, 20))).rename(index=lambda i: f"i{i:04d}", columns=str)
    choices = RankChoices(("rank", "z"), ("arithmetic", "topsis"), concentration=None, drop=False)
    found = rank_uncertainty(table, pd.Series(1, index=table.columns), choices, draws=100, rng=1)
    assert (np.sort(found.ranks, axis=1) == np.arange(1, 1101)).all()
    for normalization in ("rank", "z"):
        for method in ("arithmetic", "topsis"):
            exact = score(
                table, pd.Series(1, index=table.columns), normalization=normalization, aggregation=method
            )
            rows = (found.choices["normalization"] == normalization) & (
                found.choices["aggregation"] == method
            )
            # Single precision may only exchange items whose scores are nearly equal.
            drawn = found.ranks[rows.to_numpy()][0] - 1
            ordered = exact.to_numpy()[np.argsort(drawn)]
            assert (np.diff(ordered) < 1e-5).all()


def test_pieces_by_hand():
    assert shared_ranks(np.array([[3.0, 1.0, 3.0, 0.0]])).tolist() == [[1.5, 3.0, 1.5, 4.0]]
    drawn = ranks(np.zeros((3000, 3)), np.random.default_rng(1))
    np.testing.assert_allclose(share_above(drawn)[np.triu_indices(3, 1)], 0.5, atol=0.04)
    above = np.full((4, 4), 0.5)
    above[:2, 2:] = 1
    above[2:, :2] = 0
    assert undecided_groups(above, np.arange(4), 0.95) == [[0, 1], [2, 3]]
    assert ranks(np.arange(5.0)[None], np.random.default_rng(0)).tolist() == [[5, 4, 3, 2, 1]]


def test_bad_input_is_refused(evidence, directions):
    def call(**options):
        return rank_uncertainty(evidence, directions, **options)

    with pytest.raises(InputError, match="at least 100"):
        call(draws=10)
    with pytest.raises(InputError, match="ranks between 1 and 9"):
        call(top=(10,))
    with pytest.raises(InputError, match="outside its low and high value in region 0 × lq"):
        call(drawn=(evidence + 1, evidence + 2))
    with pytest.raises(RegionError, match="low evidence lacks region 0"):
        call(drawn=(evidence.iloc[1:], evidence))
    with pytest.raises(InputError, match="Scenarios change the evidence"):
        call(choices=RankChoices(scenarios={"graph": ("queen", "rook")}))
    with pytest.raises(InputError, match=r"shape \(100, 4, 9\)"):
        call(drawn=np.ones((100, 4, 9)), draws=100)
    with pytest.raises(InputError, match="drawn has 50 tables"):
        call(drawn=np.ones((50, 9, 4)), draws=100)
    with pytest.raises(InputError, match="must be finite"):
        call(drawn=lambda _, size, __: np.full((size, 9, 4), np.nan), choices=RankChoices())
    with pytest.raises(InputError, match=r"never negative.*lq"):
        call(drawn=(evidence - 5, evidence + 5))
    with pytest.raises(InputError, match=r"must be above 0; leave out near"):
        call(choices=RankChoices(weights=pd.Series({"lq": 1, "share": 1, "near": 0, "p": 1})))
    with pytest.raises(InputError, match=r"weights must not be negative.*near"):
        call(choices=RankChoices(weights=pd.Series({"lq": 1, "share": 1, "near": -1, "p": 1})))
    with pytest.raises(InputError, match="concentration is 0"):
        RankChoices(concentration=0)
    with pytest.raises(InputError, match="aggregation is 'median'"):
        RankChoices(aggregations=("median",))
    with pytest.raises(InputError, match="cannot be called error"):
        RankChoices(scenarios={"error": (1, 2)})
