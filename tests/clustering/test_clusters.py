import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score, silhouette_score

from spatialkz.clustering import cluster_regions
from spatialkz.clustering.partition.hierarchical import cut
from spatialkz.errors import GraphError, InputError
from spatialkz.specialization import symmetric_quotient


@pytest.fixture(scope="module")
def three_groups():
    rng = np.random.default_rng(3)
    centers = np.repeat([[0, 0], [6, 0], [0, 6]], 8, axis=0)
    return pd.DataFrame(centers + rng.normal(scale=0.7, size=(24, 2)), index=[f"r{i:02d}" for i in range(24)])


@pytest.mark.parametrize("method", ["kmeans", "ward"])
def test_clear_groups_are_found_and_stable(three_groups, method):
    found = cluster_regions(three_groups, method=method, rng=1)
    assert found.k == 3
    assert found.chosen_by == "structure"
    assert "at k = 3 the mean silhouette is largest" in found.why
    assert adjusted_rand_score(np.repeat([0, 1, 2], 8), found.labels) == 1
    assert (found.stability > 0.85).all()


def correlated(rng, n, p):
    """Columns with correlations of .6, as a gradient makes them."""
    return np.sqrt(0.4) * rng.normal(size=(n, p)) + np.sqrt(0.6) * rng.normal(size=(n, 1))


NOISE = {
    "normal": lambda rng, n, p: rng.normal(size=(n, p)),
    "correlated": correlated,
    "skewed": lambda rng, n, p: rng.lognormal(size=(n, p)),
    "symmetric quotients": lambda rng, n, p: np.tanh(rng.normal(size=(n, p)) / 2),
}


def chosen(make, times, n=17, p=11, seed=0, **options):
    """The k of each of many tables."""
    tables = (make(np.random.default_rng([seed, i]), n, p) for i in range(times))
    options = {"method": "ward", "draws": 39, "references": 0, "resamples": 20} | options
    return np.array([cluster_regions(pd.DataFrame(x), rng=i, **options).k for i, x in enumerate(tables)])


@pytest.mark.parametrize("noise", NOISE)
def test_noise_is_one_cluster(noise):
    """Each is a null hypothesis of one of both tests, so clusters are found in at most 5 %."""
    times = 40
    found = chosen(NOISE[noise], times)
    assert np.mean(found > 1) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / times)


def test_the_silhouette_alone_finds_clusters_in_any_noise():
    assert chosen(NOISE["normal"], 5, choose_by="silhouette").min() >= 2


@pytest.mark.parametrize(("n", "p"), [(17, 11), (60, 6)])
def test_three_clear_groups_are_three(n, p):
    """Centers 8 standard deviations apart, in a triangle over three columns."""

    def make(rng, n, p):
        return rng.normal(size=(n, p)) + 8 / np.sqrt(2) * np.eye(3, p)[np.arange(n) % 3]

    assert np.mean(chosen(make, 8, n, p) == 3) >= 7 / 8


def test_the_answer_does_not_depend_on_row_order_or_on_other_methods(quotients, shuffled):
    features = symmetric_quotient(quotients)
    first = cluster_regions(features, rng=5, references=0)
    again = cluster_regions(shuffled(features), method="ward", rng=5, references=0)
    assert first.k == again.k == 1
    assert [t.p_value for t in first.structure.values()] == [t.p_value for t in again.structure.values()]
    assert first.to_dict()["stability"] == {"1": None}


def test_a_single_column_shows_no_clusters_by_itself():
    """Shuffled, it is the same column: nothing can be larger than without clusters."""
    x = pd.DataFrame({"x": np.repeat([0.0, 9.0], 8) + np.random.default_rng(1).normal(size=16)})
    found = cluster_regions(x, references=0, rng=1)
    assert found.k == 1
    assert found.structure["column-permutation"].p_value == 1


def test_noise_is_less_stable_than_structure(three_groups):
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(24, 2)), index=three_groups.index)
    found = cluster_regions(noise, k=3, rng=1)
    assert found.stability.mean() < cluster_regions(three_groups, k=3, rng=1).stability.mean() - 0.1


def test_ward_equals_scipy(quotients):
    features = symmetric_quotient(quotients)
    tree = linkage(features.to_numpy(), method="ward")
    for k in (2, 4, 6):
        peer = fcluster(tree, k, criterion="maxclust")
        assert adjusted_rand_score(peer, cluster_regions(features, method="ward", k=k, rng=1).labels) == 1


def test_criteria_are_those_of_the_partition(quotients):
    features = symmetric_quotient(quotients)
    found = cluster_regions(features, method="ward", choose_by="silhouette", rng=1)
    assert found.criteria.loc[found.k, "silhouette"] == pytest.approx(
        silhouette_score(features, found.labels)
    )
    assert found.criteria["silhouette"].idxmax() == found.k
    assert found.silhouettes.mean() == pytest.approx(found.criteria.loc[found.k, "silhouette"])
    assert found.criteria["within_ss"].is_monotonic_decreasing


@pytest.mark.parametrize("method", ["kmeans", "ward"])
def test_labels_run_from_one_by_descending_mean_and_do_not_depend_on_row_order(quotients, shuffled, method):
    features = symmetric_quotient(quotients)
    found = cluster_regions(features, method=method, k=5, rng=1)
    means = features.mean(axis=1).groupby(found.labels).mean()
    assert means.index.tolist() == [1, 2, 3, 4, 5]
    assert means.is_monotonic_decreasing
    again = cluster_regions(shuffled(features), method=method, k=5, rng=1)
    pd.testing.assert_frame_equal(again.to_frame().loc[features.index], found.to_frame())


def test_the_best_kmeans_partition_does_not_depend_on_the_seed(quotients):
    features = symmetric_quotient(quotients)
    within = [
        cluster_regions(features, k=5, resamples=10, rng=seed).criteria.loc[5, "within_ss"]
        for seed in range(4)
    ]
    assert np.ptp(within) < 1e-9


def test_the_seed_repeats_the_result(quotients):
    features = symmetric_quotient(quotients)
    first, second = (cluster_regions(features, rng=9) for _ in range(2))
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())


def test_bad_input_is_refused(quotients):
    with pytest.raises(InputError, match="from 1 to 16"):
        cluster_regions(quotients, k=17)
    with pytest.raises(InputError, match="from 1 to 16"):
        cluster_regions(quotients, k=0)
    with pytest.raises(InputError, match="with different features; there are 1"):
        cluster_regions(quotients * 0)
    with pytest.raises(InputError, match="one of kmeans, ward"):
        cluster_regions(quotients, method="dbscan")
    with pytest.raises(InputError, match="is nan"):
        cluster_regions(quotients.replace(12.79, np.nan))
    with pytest.raises(InputError, match="for ward it must be one of structure"):
        cluster_regions(quotients, method="ward", choose_by="bic")
    with pytest.raises(GraphError, match="'skater' needs a graph"):
        cluster_regions(quotients, method="skater")


def test_one_cluster_is_an_answer(three_groups):
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(24, 2)), index=three_groups.index)
    found = cluster_regions(noise, choose_by="gap", rng=1)
    assert found.k == 1
    assert found.silhouettes.isna().all()
    assert found.labels.eq(1).all()
    assert cluster_regions(three_groups, choose_by="gap", rng=1).k == 3


@pytest.mark.parametrize("method", ["ward-contiguous", "clustgeo"])
def test_methods_on_a_graph_are_judged_by_leaving_out_sectors(study, method):
    features = symmetric_quotient(study.table.values)
    found = cluster_regions(features, method=method, graph=study.graph, k=4, references=0, rng=1)
    assert found.stability_by == "leave-one-sector-out"
    assert found.stability.between(0, 1).all()
    assert found.labels.nunique() == 4


def test_every_rule_is_shown_with_its_distance_from_the_one_that_decided(quotients):
    found = cluster_regions(symmetric_quotient(quotients), method="ward", rng=1)
    assert set(found.rules.index) == {"structure", "silhouette", "calinski_harabasz", "davies_bouldin", "gap"}
    assert (found.rules["difference"] == found.rules["k"] - found.k).all()
    assert found.rules["one_possible"].to_dict() == {
        rule: rule in {"structure", "gap"} for rule in found.rules.index
    }
    assert found.rules.loc["structure", "value"] == max(t.p_value for t in found.structure.values())


def test_the_tree_is_scipys_in_the_order_of_the_rows(three_groups):
    shuffled = three_groups.sample(frac=1, random_state=4)
    found = cluster_regions(shuffled, method="ward", references=0, resamples=5, rng=1)
    np.testing.assert_allclose(found.tree, linkage(shuffled.to_numpy(), method="ward"), rtol=1e-12)
    assert adjusted_rand_score(cut(found.tree, found.k), found.labels) == 1
    assert cluster_regions(shuffled, references=0, resamples=5, rng=1).tree is None


@pytest.mark.parametrize("method", ["ward-contiguous", "clustgeo"])
def test_trees_tied_to_a_graph_are_cut_into_the_clusters_found(quotients, study, method):
    found = cluster_regions(
        symmetric_quotient(quotients), method=method, graph=study.graph, references=0, resamples=5, rng=1
    )
    assert adjusted_rand_score(cut(found.tree, found.k), found.labels) == 1
