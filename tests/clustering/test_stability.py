from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from spatialkz.clustering.validation.stability import (
    bootstrap_stability,
    leave_one_region_out,
    leave_one_sector_out,
    nearest_jaccard,
)
from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.randomness import generator
from spatialkz.specialization import symmetric_quotient

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering"


def ward_of(points, k):
    return fcluster(linkage(points, "ward"), k, "maxclust")


def ward(table, k):
    return pd.Series(ward_of(table.to_numpy(), k), index=table.index)


@pytest.fixture(scope="module")
def features(quotients):
    return symmetric_quotient(quotients)


@pytest.fixture(scope="module")
def labels(features):
    return ward(features, 5)


def test_similarities_equal_clusterboot_on_the_same_resamples():
    frame = pd.read_csv(REFERENCE / "stability_points.csv")
    points, labels = frame[["x", "y"]].to_numpy(), frame["cluster"].to_numpy()
    member = labels[:, None] == np.arange(1, 5)
    runs = pd.read_csv(REFERENCE / "clusterboot.csv")
    compared = 0
    for row in runs.itertuples():
        drawn = np.array(row.draw.split(), dtype=int) - 1
        if not row.multiple:
            drawn = np.unique(drawn)
        similarity = nearest_jaccard(member[drawn], ward_of(points[drawn], 4))
        # clusterboot says 0 where there was nothing to find.
        np.testing.assert_allclose(np.nan_to_num(similarity), row[3:], atol=1e-12)
        compared += np.isfinite(similarity).sum()
    assert compared > 200


def test_a_region_drawn_twice_counts_once(features, labels):
    # The same draws as the function makes, compared region by region with sets.
    points = features.sort_index().sort_index(axis=1).to_numpy()
    names = labels.sort_index().to_numpy()
    found = bootstrap_stability(features, labels, method=ward, resamples=5, rng=3).jaccard.to_numpy()
    draw, by_hand = generator(3, "bootstrap_stability"), []
    for _ in range(5):
        drawn = draw.integers(17, size=17)
        again = ward_of(points[drawn], 5)
        kept = set(drawn)
        groups = [{d for d, g in zip(drawn, again, strict=True) if g == name} for name in np.unique(again)]
        row = []
        for name in np.unique(names):
            cluster = set(np.flatnonzero(names == name)) & kept
            row.append(max(len(cluster & g) / len(cluster | g) for g in groups) if cluster else np.nan)
        by_hand.append(row)
    np.testing.assert_allclose(found, by_hand)


def test_leaving_out_equals_the_definition(features, labels):
    found = leave_one_region_out(features, labels, method=ward)
    assert list(found.jaccard.index) == list(features.index)
    for left in ("Kostanay", "Almaty City"):
        rest = features.drop(left)
        again = ward(rest, 5)
        for name, members in labels.groupby(labels):
            cluster = set(members.index) - {left}
            groups = [set(group.index) for _, group in again.groupby(again)]
            if cluster:
                best = max(len(cluster & g) / len(cluster | g) for g in groups)
                assert found.jaccard.loc[left, name] == pytest.approx(best)
            else:
                assert np.isnan(found.jaccard.loc[left, name])
    sectors = leave_one_sector_out(features, labels, method=ward).jaccard
    again = ward(features.drop(columns="vehicles"), 5).to_numpy()
    member = labels.to_numpy()[:, None] == np.unique(labels)
    np.testing.assert_allclose(sectors.loc["vehicles"], nearest_jaccard(member, again))


def test_the_frame_sums_up_what_was_left_out(features, labels):
    found = leave_one_region_out(features, labels, method=ward)
    frame, alone = found.to_frame(), labels[labels.map(labels.value_counts()) == 1]
    assert frame.loc[alone.iloc[0], "refits"] == 16
    assert frame["refits"].sum() == 17 * 5 - len(alone)
    for cluster, row in frame.iterrows():
        assert found.jaccard.loc[row["worst"], cluster] == row["minimum"]
    dissolving = found.dissolving()
    assert len(dissolving) == frame["dissolved"].sum()
    assert (dissolving <= 0.5).all()
    assert dissolving.is_monotonic_increasing
    assert str(frame["worst"].iloc[0]) in found.summary()
    assert found.to_dict()["method"] == "leave-one-region-out"


def test_clear_clusters_lose_nothing():
    draw = np.random.default_rng(0)
    centers = np.repeat([[0, 0, 0], [20, 20, 0], [0, 20, 20]], 5, axis=0)
    features = pd.DataFrame(centers + draw.normal(size=(15, 3)), index=[f"r{i:02d}" for i in range(15)])
    labels = pd.Series(np.repeat([1, 2, 3], 5), index=features.index)
    assert (leave_one_region_out(features, labels, method=ward).jaccard == 1).all(axis=None)
    assert (leave_one_sector_out(features, labels, method=ward).jaccard == 1).all(axis=None)
    # A resample without any region of a group splits another, about one in 150.
    assert (bootstrap_stability(features, labels, method=ward, rng=1).to_frame()["mean"] > 0.97).all()


def test_the_order_of_rows_and_columns_does_not_matter(features, labels, shuffled):
    mixed, mixed_labels = shuffled(features)[features.columns[::-1]], labels.iloc[::-1]
    for judge in (leave_one_region_out, leave_one_sector_out):
        one, other = (
            judge(features, labels, method=ward).jaccard,
            judge(mixed, mixed_labels, method=ward).jaccard,
        )
        pd.testing.assert_frame_equal(one, other.loc[one.index])
    one, other = (
        bootstrap_stability(table, names, method=ward, resamples=20, rng=4)
        for table, names in [(features, labels), (mixed, mixed_labels)]
    )
    pd.testing.assert_frame_equal(one.jaccard, other.jaccard)


def test_bad_input_is_refused(features, labels):
    same = pd.DataFrame({"a": [0.0, 0, 1, 1], "b": [0.0, 1, 0, 1]}, index=list("wxyz"))
    four = pd.Series([1, 2, 3, 4], index=same.index)
    # Without a sector only two pairs of regions differ: the finest partition left has half of each cluster.
    assert (leave_one_sector_out(same, four, method=ward).jaccard == 0.5).all().all()
    with pytest.raises(InputError, match="one column"):
        leave_one_sector_out(same[["a"]], four, method=ward)
    with pytest.raises(InputError, match="4 clusters, but only 2 distinct"):
        bootstrap_stability(same[["a"]], four, method=ward)
    with pytest.raises(InputError, match="at least 1"):
        bootstrap_stability(features, labels, method=ward, resamples=0)
    with pytest.raises(RegionError, match="lacks Akmola"):
        leave_one_region_out(features, labels.drop("Akmola"), method=ward)
    with pytest.raises(RegionError, match="Akmola has none"):
        leave_one_region_out(features, labels.where(labels.index != "Akmola"), method=ward)
    line, last = pd.DataFrame({"x": np.arange(30.0)}), pd.Series(np.r_[np.ones(29, dtype=int), 2])
    with pytest.raises(InputError, match="no member in any of 1"):
        bootstrap_stability(
            line, last, method=lambda table, _: (table["x"] > 28).astype(int), resamples=1, rng=6
        )


def test_a_name_and_a_function_of_a_labelled_table_are_one_method(features, labels):
    seen = []

    def method(table, k):
        seen.append(table)
        return ward(table, k).sample(frac=1, random_state=1)

    for judge in (bootstrap_stability, leave_one_region_out, leave_one_sector_out):
        by_name, by_function = (
            judge(features, labels, method=how, rng=2).jaccard for how in ("ward", method)
        )
        pd.testing.assert_frame_equal(by_name, by_function)
    numbered, without_region, without_sector = seen[0], seen[100], seen[-1]
    assert numbered.index.equals(pd.RangeIndex(17))
    assert set(features.index) - set(without_region.index) == {min(features.index)}
    assert set(features) - set(without_sector) == {max(features)}
    with pytest.raises(GraphError, match="needs a graph"):
        leave_one_sector_out(features, labels, method="skater")
    with pytest.raises(RegionError, match="lacks"):
        leave_one_region_out(features, labels, method=lambda table, k: ward(table, k).iloc[1:])
