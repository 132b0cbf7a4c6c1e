"""Normalization, weights and aggregation: by hand, against pymcdm, against plain loops, and as properties."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore

from spatialkz.candidates.scoring import aggregation
from spatialkz.candidates.scoring.aggregation import (
    AGGREGATIONS,
    benefit_of_the_doubt,
    copeland,
    indicator_weights,
    score,
)
from spatialkz.candidates.scoring.normalization import mid_ranks, normalize, normalized
from spatialkz.errors import InputError, RegionError

REFERENCE = Path(__file__).parents[1] / "reference" / "candidates"
METHODS = ["rank", "minmax", "z", "target"]


@pytest.fixture(scope="module")
def indicators():
    return pd.read_csv(REFERENCE / "indicators.csv", index_col="indicator")


@pytest.fixture(scope="module")
def evidence():
    return pd.read_csv(REFERENCE / "evidence.csv", index_col="item")


@pytest.mark.parametrize("name", pd.read_csv(REFERENCE / "scores.csv", index_col="item").columns)
def test_scores_are_those_of_pymcdm(evidence, indicators, name):
    normalization, method = name.split()
    expected = pd.read_csv(REFERENCE / "scores.csv", index_col="item")[name]
    found = score(
        evidence,
        indicators["direction"],
        normalization=normalization,
        weights=indicators["weight"],
        aggregation=method,
        floor=0,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_entropy_weights_are_those_of_pymcdm(evidence, indicators):
    values = normalize(evidence, indicators["direction"], "minmax")
    np.testing.assert_allclose(indicator_weights(values, "entropy"), indicators["entropy"], rtol=1e-9)


def test_ranks_and_z_are_those_of_scipy(evidence, indicators):
    signed = evidence * indicators["direction"]
    signed.iloc[3] = signed.iloc[5]
    found = normalize(signed, indicators["direction"] ** 2, "rank")
    np.testing.assert_allclose(found, (rankdata(signed, axis=0) - 1) / 11)
    np.testing.assert_allclose(
        normalize(evidence, indicators["direction"], "z"), zscore(evidence * indicators["direction"])
    )


def test_single_precision_ranks_of_many_items_are_those_of_scipy():
    rng = np.random.default_rng(3)
    many = rng.normal(size=(2, 3, 1200)).astype(np.float32)
    tied = rng.integers(-3, 4, size=(2, 3, 1200)).astype(np.float32)
    tied[0, 0, :5] = -0.0
    for values in (many, tied):
        expected = (rankdata(values, axis=-1) - 1) / 1199
        np.testing.assert_allclose(mid_ranks(values), expected, atol=1e-6)


def test_targets_given_do_not_depend_on_the_list(evidence, indicators):
    targets = pd.Series(2.0, index=evidence.columns)
    whole = normalize(evidence, indicators["direction"], "target", targets=targets)
    part = normalize(evidence.head(4), indicators["direction"], "target", targets=targets)
    pd.testing.assert_frame_equal(whole.head(4), part)
    assert whole.loc["item 00", "quotient"] == evidence.loc["item 00", "quotient"] / 2
    assert whole.loc["item 00", "distance"] == 2 / evidence.loc["item 00", "distance"]


def test_an_indicator_that_does_not_vary_in_a_draw_says_nothing():
    drawn = np.array([[[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]])
    for method in METHODS:
        found = normalized(drawn, np.array([1.0, 1.0]), method)[0, 1]
        assert np.ptp(found) == 0
        assert np.isfinite(found).all()


def test_pca_weights_are_communalities():
    rng = np.random.default_rng(1)
    common = rng.normal(size=200)
    values = pd.DataFrame({"a": common, "b": common * 2 + 1, "c": rng.normal(size=200)})
    weights = indicator_weights(values, "pca")
    # One component has a + b (eigenvalue 2 or more); c is there only by its chance correlation, if at all.
    assert weights["a"] == pytest.approx(weights["b"])
    two = indicator_weights(values[["a", "b"]], "pca")
    np.testing.assert_allclose(two, 0.5)
    # For two indicators of any correlation the loadings are equal by symmetry.
    np.testing.assert_allclose(indicator_weights(values[["a", "c"]], "pca"), 0.5)


def test_benefit_of_the_doubt_by_hand():
    values = pd.DataFrame({"a": [1.0, 0.0, 0.4, 0.5], "b": [0.0, 1.0, 0.4, 0.25]})
    free, _ = benefit_of_the_doubt(values, (0, 2))
    # Weights (1, 1) suit the third best: 0.8; and the fourth: 0.5 + 0.25.
    np.testing.assert_allclose(free, [1, 1, 0.8, 0.75])
    equal, weights = benefit_of_the_doubt(values, (1, 1))
    # Bound to equal weights the score is the mean, divided by the best mean.
    np.testing.assert_allclose(equal, values.mean(axis=1) / 0.5)
    np.testing.assert_allclose(weights, 0.5)
    some, weights = benefit_of_the_doubt(values)
    assert (some <= free + 1e-9).all()
    assert (some >= equal - 1e-9).all()
    assert weights.to_numpy().min() >= 0.25 - 1e-9
    assert weights.to_numpy().max() <= 1


def test_benefit_of_the_doubt_beats_every_other_weighting(evidence, indicators):
    values = normalize(evidence, indicators["direction"], "minmax")
    found, _ = benefit_of_the_doubt(values, (0, 5))
    weights = np.random.default_rng(0).dirichlet(np.ones(5), 2000)
    sums = values.to_numpy() @ weights.T
    assert (found.to_numpy()[:, None] >= sums / sums.max(axis=0) - 1e-9).all()
    assert found.max() == pytest.approx(1)


def test_an_item_of_zeros_scores_zero():
    values = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 0.5]})
    scores, weights = benefit_of_the_doubt(values)
    assert scores.tolist() == pytest.approx([0, 1])
    np.testing.assert_allclose(weights.iloc[0], 0.5)


def test_copeland_by_hand():
    # Condorcet's circle A > B > C > A, and D behind all.
    ranks = np.array([[[4.0, 3.0, 2.0, 1.0], [2.0, 4.0, 3.0, 1.0], [3.0, 2.0, 4.0, 1.0]]])
    np.testing.assert_allclose(copeland(ranks, np.full((1, 3), 1 / 3)), [[1 / 3, 1 / 3, 1 / 3, -1]])
    # The weight of one indicator is a majority by itself.
    np.testing.assert_allclose(copeland(ranks, np.array([[0.6, 0.2, 0.2]])), [[1, 1 / 3, -1 / 3, -1]])
    # A pair in balance is won by neither.
    even = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    np.testing.assert_allclose(copeland(even, np.array([[0.5, 0.5]])), 0)


@pytest.mark.parametrize("compiled", [False, True])
def test_copeland_is_a_loop_over_pairs(monkeypatch, compiled):
    monkeypatch.setattr(aggregation, "_COMPILE_FROM", 0 if compiled else 1e18)
    rng = np.random.default_rng(5)
    values = rng.integers(0, 5, (3, 7, 23)).astype(float)
    weights = rng.dirichlet(np.ones(7), 3)
    expected = np.zeros((3, 23))
    for d in range(3):
        for i in range(23):
            for j in range(23):
                lead = sum(weights[d, k] * np.sign(values[d, k, i] - values[d, k, j]) for k in range(7))
                expected[d, i] += np.sign(round(lead, 9)) / 22
    np.testing.assert_allclose(copeland(values, weights), expected, atol=1e-12)


@pytest.mark.parametrize("aggregate", AGGREGATIONS.values(), ids=AGGREGATIONS)
def test_drawn_tables_together_and_one_by_one_agree(aggregate):
    rng = np.random.default_rng(6)
    values, weights = rng.random((5, 4, 9)), rng.dirichlet(np.ones(4), 5)
    together = aggregate(values, weights)
    for d in range(5):
        np.testing.assert_allclose(aggregate(values[d : d + 1], weights[d : d + 1])[0], together[d])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    normalization=st.sampled_from(METHODS),
    method=st.sampled_from(list(AGGREGATIONS)),
)
def test_an_item_better_everywhere_is_never_behind(seed, normalization, method):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.integers(1, 6, (7, 3)) + rng.random((7, 3))).rename(columns=str)
    directions = pd.Series([1, 1, -1], index=table.columns)
    table.loc[7] = table.loc[2] + 0.5 * directions
    found = score(table, directions, normalization=normalization, aggregation=method)
    assert found[7] >= found[2] - 1e-12


@pytest.mark.parametrize("method", AGGREGATIONS)
def test_order_of_rows_and_columns_and_monotone_changes(evidence, indicators, method, shuffled):
    directions = indicators["direction"]
    first = score(evidence, directions, aggregation=method)
    second = score(shuffled(evidence)[evidence.columns[::-1]], shuffled(directions), aggregation=method)
    np.testing.assert_allclose(second.loc[first.index], first)
    np.testing.assert_allclose(score(np.log(evidence), directions, aggregation=method), first)


def test_a_multiindex_of_items(evidence, indicators):
    index = pd.MultiIndex.from_product([["North", "South"], list("uvwxyz")], names=["region", "sector"])
    found = score(evidence.set_axis(index), indicators["direction"], weights="bod")
    assert found.index.equals(index)


def test_bad_input_is_refused(evidence, indicators):
    directions, weights = indicators["direction"], indicators["weight"]
    with pytest.raises(InputError, match=r"same for all items.*share"):
        score(evidence.assign(share=1.0), directions)
    hole = evidence.copy()
    hole.loc["item 03", "share"] = np.nan
    with pytest.raises(InputError, match="item 03 × share is nan"):
        score(hole, directions)
    with pytest.raises(InputError, match=r"negative.*share"):
        score(evidence, directions, weights=weights.replace(0.25, -0.25))
    with pytest.raises(InputError, match="evidence lacks: patents"):
        score(evidence, directions, weights=pd.concat([weights, pd.Series({"patents": 0.1})]))
    with pytest.raises(InputError, match="weights lack indicators of the evidence: share"):
        score(evidence, directions, weights=weights.drop("share"))
    with pytest.raises(InputError, match="all 0"):
        score(evidence, directions, weights=weights * 0)
    with pytest.raises(InputError, match=r"\+1 or -1.*share"):
        score(evidence, directions.replace({"share": 1}).mask(directions.index == "share", 2))
    with pytest.raises(InputError, match=r"directions lack.*p_value"):
        score(evidence, directions.drop("p_value"))
    with pytest.raises(InputError, match=r"never negative.*share"):
        score(evidence.assign(share=evidence["share"] - 5), directions, normalization="target")
    with pytest.raises(InputError, match="aggregation cannot be 'topsis'"):
        score(evidence, directions, weights="bod", aggregation="topsis")
    with pytest.raises(InputError, match="normalize by rank"):
        score(evidence, directions, weights="bod", normalization="z")
    with pytest.raises(InputError, match="targets are given"):
        score(evidence, directions, targets=weights)
    with pytest.raises(InputError, match="normalization is 'max'"):
        score(evidence, directions, normalization="max")
    with pytest.raises(InputError, match="weights is 'expert'"):
        score(evidence, directions, weights="expert")
    with pytest.raises(RegionError, match="item 00"):
        score(pd.concat([evidence, evidence.head(1)]), directions)
