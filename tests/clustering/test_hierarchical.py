from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

from spatialkz.clustering.partition.hierarchical import (
    AlphaChoice,
    alpha_choices,
    choose_alpha,
    cut,
    dissimilarities,
    homogeneity,
    scaled_squares,
    weighted_ward,
)
from spatialkz.clustering.partition.methods import partition
from spatialkz.errors import GraphError, InputError, RegionError

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering" / "partitions"


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(REFERENCE / "features.csv", index_col="region")


@pytest.fixture(scope="module")
def features(table):
    return table.drop(columns="mass")


@pytest.fixture(scope="module")
def apart(table):
    space = pd.read_csv(REFERENCE / "space.csv").to_numpy()
    return pd.DataFrame(space, table.index, table.index)


def squares_of(features):
    return scaled_squares(squareform(pdist(features)), "features")


@pytest.mark.parametrize("weights", ["equal", "mass"])
def test_trees_and_partitions_are_those_of_r(table, features, apart, weights):
    labels = pd.read_csv(REFERENCE / "labels.csv").set_index(["method", "k"])
    heights = pd.read_csv(REFERENCE / "heights.csv").set_index("method")["height"]
    mass = np.ones(17) if weights == "equal" else table["mass"].to_numpy(float)
    squares0, squares1 = squares_of(features), scaled_squares(apart.to_numpy(), "space")
    for alpha in np.arange(0, 1.05, 0.1).round(1):
        name = f"clustgeo-{weights}-{alpha}"
        tree = weighted_ward((1 - alpha) * squares0 + alpha * squares1, mass)
        np.testing.assert_allclose(tree[:, 2], heights[name], rtol=1e-9)
        for k in (3, 5):
            assert adjusted_rand_score(labels.loc[(name, k), "cluster"], cut(tree, k)) == 1


@pytest.mark.parametrize("weights", ["equal", "mass"])
@pytest.mark.parametrize("k", [3, 5])
def test_curves_are_those_of_r(table, features, apart, weights, k):
    curves = pd.read_csv(REFERENCE / "curves.csv")
    curves = curves[(curves["weights"] == weights) & (curves["k"] == k)].set_index("alpha")
    masses = None if weights == "equal" else table["mass"]
    found = choose_alpha(features, apart, k, alphas=curves.index, masses=masses)
    columns = ["q_features", "q_space"]
    np.testing.assert_allclose(found.curves[columns], curves[columns], rtol=1e-9)


def test_equal_weights_give_scipys_tree(features):
    tree, peer = weighted_ward(squareform(pdist(features)) ** 2, np.ones(17)), linkage(features, "ward")
    np.testing.assert_allclose(np.sqrt(2 * 17 * tree[:, 2]), peer[:, 2], rtol=1e-10)
    np.testing.assert_array_equal(tree[:, [0, 1, 3]], peer[:, [0, 1, 3]])


def greedy(squares, masses, k):
    """Merge the pair that adds least within-cluster inertia, computed anew from the definition."""
    clusters = [[i] for i in range(len(masses))]

    def inertia(members):
        w = masses[members]
        return w @ squares[np.ix_(members, members)] @ w / (2 * w.sum())

    while len(clusters) > k:
        gains = {
            (a, b): inertia(clusters[a] + clusters[b]) - inertia(clusters[a]) - inertia(clusters[b])
            for a in range(len(clusters))
            for b in range(a)
        }
        a, b = min(gains, key=gains.get)
        clusters[b] += clusters.pop(a)
    labels = np.empty(len(masses), dtype=int)
    for name, members in enumerate(clusters):
        labels[members] = name
    return labels


@pytest.mark.parametrize("seed", range(8))
def test_weighted_tree_equals_brute_force_even_where_dissimilarities_are_no_distances(seed):
    rng = np.random.default_rng(seed)
    squares = squareform(rng.uniform(0.1, 1, size=14 * 13 // 2))
    masses = rng.uniform(0.2, 5, size=14)
    tree = weighted_ward(squares, masses)
    for k in (2, 3, 5, 9):
        assert adjusted_rand_score(greedy(squares, masses, k), cut(tree, k)) == 1
    share = masses / masses.sum()
    assert tree[:, 2].sum() == pytest.approx(share @ squares @ share / 2, rel=1e-12)
    assert (np.diff(tree[:, 2]) >= -1e-15).all()


def test_an_integer_weight_is_as_many_equal_regions():
    rng = np.random.default_rng(1)
    points, times = rng.normal(size=(10, 2)), rng.integers(1, 4, size=10)
    weighted = weighted_ward(squareform(pdist(points)) ** 2, times.astype(float))
    repeated = weighted_ward(squareform(pdist(np.repeat(points, times, axis=0))) ** 2, np.ones(times.sum()))
    np.testing.assert_allclose(repeated[-9:, 2], weighted[:, 2], rtol=1e-9)


def test_homogeneity_of_distances_is_between_over_total_squares(features):
    points = features.to_numpy()
    labels = np.arange(17) % 4
    means = pd.DataFrame(points).groupby(labels).transform("mean").to_numpy()
    expected = ((means - points.mean(0)) ** 2).sum() / ((points - points.mean(0)) ** 2).sum()
    assert homogeneity(labels, squares_of(features), np.ones(17)) == pytest.approx(expected, rel=1e-12)
    assert homogeneity(np.zeros(17, int), squares_of(features), np.ones(17)) == pytest.approx(0, abs=1e-12)
    assert homogeneity(np.arange(17), squares_of(features), np.ones(17)) == pytest.approx(1)


def test_alpha_is_chosen_by_the_lower_curve(features, apart):
    found = choose_alpha(features, apart, 4)
    assert isinstance(found, AlphaChoice)
    lower = found.curves[["q_features_normalized", "q_space_normalized"]].min(axis=1)
    assert lower[found.alpha] == pytest.approx(lower.max())
    assert (lower[lower.index < found.alpha] < lower.max() - 1e-12).all()
    assert found.curves.loc[0.0, "q_features_normalized"] == 1
    assert found.curves.loc[1.0, "q_space_normalized"] == 1
    assert found.to_frame()["chosen"].sum() == 1
    assert found.to_dict()["alpha"] == found.alpha
    assert f"α = {found.alpha:g} at k = 4" in found.summary()
    assert not found.curves["q_space"].to_numpy().flags.writeable


def test_order_of_rows_and_units_do_not_matter(features, apart, shuffled):
    found = choose_alpha(features, apart, 4)
    again = choose_alpha(shuffled(features) * 3, shuffled(apart) * 1000, 4)
    assert again.alpha == found.alpha
    np.testing.assert_allclose(again.curves, found.curves, rtol=1e-9)


def test_alpha_zero_is_ward_and_alpha_one_sees_space_only(features, apart):
    def labels_at(points, alpha):
        return partition(np.asarray(points), 4, "clustgeo", distances=apart.to_numpy(), alpha=alpha)

    plain = labels_at(features, 0.0)
    assert adjusted_rand_score(plain, cut(linkage(features, "ward"), 4)) == 1
    noise = np.random.default_rng(0).normal(size=features.shape)
    np.testing.assert_array_equal(labels_at(features, 1.0), labels_at(noise, 1.0))
    mixed = alpha_choices(features.to_numpy(), apart.to_numpy(), [4], alphas=[0.3])[4][0].curves
    assert homogeneity(labels_at(features, 0.3), squares_of(features), np.ones(17)) == pytest.approx(
        mixed.loc[0.3, "q_features"]
    )


def test_a_graph_gives_zero_to_neighbors(study, features):
    far = dissimilarities(study.graph, features.index)
    for row, region in enumerate(features.index):
        near = set(study.graph[region].index) | {region}
        assert {features.index[i] for i in np.flatnonzero(far[row] == 0)} == near
    assert 0 <= choose_alpha(features, study.graph, 4).alpha <= 1


def test_bad_input_is_refused(features, apart):
    for alpha in (-0.1, 1.1, np.nan):
        with pytest.raises(InputError, match="it must be from 0"):
            choose_alpha(features, apart, 3, alphas=[alpha])
    for k in (1, 18):
        with pytest.raises(InputError, match=f"k is {k}; with 17 distinct regions it must be from 2 to 17"):
            choose_alpha(features, apart, k)
    first, second = features.index[:2]
    lopsided = apart.copy()
    lopsided.loc[first, second] += 1
    with pytest.raises(InputError, match=f"symmetric, but {first} × {second}"):
        choose_alpha(features, lopsided, 3)
    lopsided = apart + np.eye(17)
    with pytest.raises(InputError, match="0 from a region to itself"):
        choose_alpha(features, lopsided, 3)
    with pytest.raises(InputError, match="at least 0"):
        choose_alpha(features, -apart, 3)
    with pytest.raises(InputError, match="Every dissimilarity of space is 0"):
        choose_alpha(features, apart * 0, 3)
    with pytest.raises(RegionError, match=f"lacks {first}"):
        choose_alpha(features, apart.drop(first).drop(columns=first), 3)
    with pytest.raises(GraphError, match="DataFrame or a"):
        choose_alpha(features, apart.to_numpy(), 3)
    with pytest.raises(InputError, match=f"above 0, but {first} is not"):
        choose_alpha(features, apart, 3, masses=pd.Series([0.0] + [1.0] * 16, index=features.index))
    alone = Graph.from_arrays([*"abc"], [*"bac"], [1.0, 1.0, 0.0])
    with pytest.raises(GraphError, match="c has none"):
        choose_alpha(features.head(3).set_axis(list("abc")), alone, 2)
    with pytest.raises(InputError, match="is nan"):
        choose_alpha(features.mask(features > 2), apart, 3)


def test_equal_regions_and_constant_columns_are_no_obstacle(features, apart):
    twice = features.copy()
    twice.iloc[1] = twice.iloc[0]
    twice.iloc[:, 0] = 1.0
    labels = partition(twice.to_numpy(), 16, "clustgeo", distances=apart.to_numpy(), alpha=0.0)
    assert labels[:2].tolist() == [0, 0]
    with pytest.raises(InputError, match="from 2 to 16"):
        choose_alpha(twice, apart, 17)
