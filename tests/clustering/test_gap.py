from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spatialkz.clustering.number.gap import gap_statistic
from spatialkz.clustering.partition.kmeans import kmeans_partitions
from spatialkz.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering"


@pytest.mark.parametrize(("space", "reference"), [("original", "uniform"), ("scaledPCA", "pca")])
def test_equals_clusgap_of_r(space, reference):
    points = pd.read_csv(REFERENCE / "gap_points.csv")
    peer = pd.read_csv(REFERENCE / "gap.csv").set_index(["space", "k"]).loc[space]
    draws = 400
    found = gap_statistic(points, peer.index, method="ward", references=draws, reference=reference, rng=1)
    table = found.table
    # clusGap's W is half of Tibshirani's.
    np.testing.assert_allclose(table["log_w"], peer["logW"] + np.log(2), rtol=1e-10)
    # Monte-Carlo error of both means.
    error = peer["SE.sim"] * np.sqrt(1 / draws + 1 / 4000)
    assert (abs(table["gap"] - peer["gap"]) < 4 * error).all()
    # The standard error of a standard deviation is about sd / √(2B).
    assert (abs(table["se"] / peer["SE.sim"] - 1) < 4 * np.sqrt((1 / draws + 1 / 4000) / 2)).all()
    assert found.k == peer["tibshirani"].iloc[0]
    assert found.k_global_max == peer["globalmax"].iloc[0]


def test_the_fast_path_equals_a_fit_by_the_same_method(quotients):
    features = np.log1p(quotients)

    def kmeans(table, k):
        return pd.Series(kmeans_partitions(table, [k], starts=20, rng=5)[k].labels, table.index)

    ours = gap_statistic(features, range(1, 6), references=60, rng=1)
    other = gap_statistic(features, range(1, 6), method=kmeans, references=60, rng=1)
    np.testing.assert_allclose(ours.table["log_w"], other.table["log_w"], rtol=1e-9)
    assert (abs(ours.table["gap"] - other.table["gap"]) < 4 * ours.table["se"] * np.sqrt(2 / 60)).all()


def test_three_groups_are_three_and_one_group_is_one():
    rng = np.random.default_rng(1)
    groups = rng.normal(size=(30, 4)) + np.repeat(5 * np.eye(3, 4), 10, axis=0)
    for reference in ("uniform", "pca"):
        found = gap_statistic(pd.DataFrame(groups), range(1, 7), references=50, reference=reference, rng=1)
        assert found.k == 3
    answers = [
        gap_statistic(pd.DataFrame(rng.uniform(size=(30, 4))), range(1, 5), references=20, rng=i).k
        for i in range(12)
    ]
    assert np.mean(np.array(answers) == 1) >= 0.75


def test_one_cluster_of_correlated_columns_is_seen_with_the_pca_box():
    rng = np.random.default_rng(2)
    long = rng.uniform(size=(40, 1)) @ np.ones((1, 5)) + 0.02 * rng.normal(size=(40, 5))
    table = pd.DataFrame(long)
    assert gap_statistic(table, range(1, 6), references=50, reference="pca", rng=1).k == 1
    assert gap_statistic(table, range(1, 6), references=50, reference="uniform", rng=1).k > 1


def test_rows_scale_and_rotation(quotients, shuffled):
    features = np.log1p(quotients)
    first = gap_statistic(features, range(1, 5), references=20, rng=3)
    again = gap_statistic(shuffled(features), range(1, 5), references=20, rng=3)
    pd.testing.assert_frame_equal(first.table, again.table)
    large = gap_statistic(7 * features, range(1, 5), references=20, rng=3)
    np.testing.assert_allclose(large.table["gap"], first.table["gap"], atol=1e-9)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(11, 11)))[0]
    turned = pd.DataFrame(features.to_numpy() @ turn, index=features.index)
    boxes = [
        gap_statistic(t, range(1, 5), references=20, reference="pca", rng=3).table for t in (features, turned)
    ]
    np.testing.assert_allclose(boxes[0]["log_w"], boxes[1]["log_w"], atol=1e-9)


def test_result_forms(quotients):
    found = gap_statistic(quotients, range(1, 4), references=10, rng=1)
    assert found.to_frame().columns.tolist() == ["log_w", "expected", "gap", "se"]
    assert found.to_dict()["table"]["1"]["gap"] == found.table.loc[1, "gap"]
    assert f"k = {found.k}" in found.summary()
    with pytest.raises(ValueError, match="read-only"):
        found.table["gap"].to_numpy()[0] = 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ks": [1, 3]}, "must be consecutive"),
        ({"ks": range(1, 18)}, "below the number of distinct regions, 17"),
        ({"reference": "box"}, "reference is 'box'"),
        ({"references": 1}, "at least 2"),
    ],
)
def test_bad_input_is_named(quotients, change, message):
    with pytest.raises(InputError, match=message):
        gap_statistic(quotients, **change)
