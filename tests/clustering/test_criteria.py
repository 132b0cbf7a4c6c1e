import numpy as np
import pandas as pd
import pytest
import sklearn
from esda import path_silhouette
from libpysal.graph import Graph
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)

from spatialkz.clustering.number.criteria import (
    chosen_by_rule,
    one_standard_error,
    partition_criteria,
    path_distances,
    silhouette_widths,
)
from spatialkz.clustering.number.gap import gap_statistic
from spatialkz.clustering.partition.kmeans import kmeans_partitions
from spatialkz.clustering.partition.mixtures import mixture_bic
from spatialkz.errors import GraphError, InputError


@pytest.fixture(scope="module")
def partitions(quotients):
    found = kmeans_partitions(np.log1p(quotients.to_numpy()), range(1, 9), rng=1)
    return {k: part.labels for k, part in found.items()}


def test_equal_scikit_learn(quotients, partitions):
    points = np.log1p(quotients.to_numpy())
    table = partition_criteria(points, partitions)
    for k in range(2, 9):
        expected = [
            silhouette_score(points, partitions[k]),
            calinski_harabasz_score(points, partitions[k]),
            davies_bouldin_score(points, partitions[k]),
            sum(points[partitions[k] == c].var(axis=0).sum() * (partitions[k] == c).sum() for c in range(k)),
        ]
        np.testing.assert_allclose(table.loc[k], expected, rtol=1e-10, atol=1e-12)


def test_one_cluster_has_a_sum_of_squares_and_nothing_else(quotients, partitions):
    table = partition_criteria(quotients.to_numpy(), partitions)
    assert table.loc[1, ["silhouette", "calinski_harabasz", "davies_bouldin"]].isna().all()
    assert table.loc[1, "within_ss"] > table.loc[2, "within_ss"]


def test_widths_are_scikit_learns_on_a_larger_table_in_pieces():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(700, 8))
    labels = {k: rng.integers(k, size=700) for k in (2, 5, 30)}
    labels[30][labels[30] == 3] = 4
    labels[30][0] = 3  # alone
    with sklearn.config_context(working_memory=1):
        found = silhouette_widths(points, labels)
    for k, widths in found.items():
        np.testing.assert_allclose(widths, silhouette_samples(points, labels[k]), atol=1e-12)


def test_path_silhouette_is_esdas(study, quotients, partitions):
    features = np.log1p(quotients)
    table = partition_criteria(features.to_numpy(), partitions, paths=path_distances(features, study.graph))
    aligned = study.graph.assign_self_weight(0).sparse.toarray()[
        np.ix_(*[pd.Index(study.graph.unique_ids).get_indexer(features.index)] * 2)
    ]
    focal, neighbor = np.nonzero(aligned)
    graph = Graph.from_arrays(features.index[focal], features.index[neighbor], np.ones(len(focal)))
    for k in (2, 4, 6):
        peer = path_silhouette(features.to_numpy(), partitions[k], graph).mean()
        assert table.loc[k, "path_silhouette"] == pytest.approx(peer, rel=1e-10)


def test_paths_follow_labels_and_pass_between_equal_regions(study, quotients, shuffled):
    features = np.log1p(quotients)
    paths = pd.DataFrame(path_distances(features, study.graph), features.index, features.index)
    other = shuffled(features)
    again = pd.DataFrame(path_distances(other, study.graph), other.index, other.index)
    np.testing.assert_allclose(again.loc[features.index, features.index], paths)
    line = Graph.from_arrays(["a", "b", "b", "c"], ["b", "a", "c", "b"], [1.0] * 4)
    equal = pd.DataFrame({"x": [1.0, 1.0, 3.0]}, index=list("abc"))
    assert path_distances(equal, line)[0].tolist() == [0, 0, 2]


def test_a_graph_in_parts_has_no_paths():
    pairs = Graph.from_arrays(list("abcd"), list("badc"), [1.0] * 4)
    with pytest.raises(GraphError, match="no path leads from a to c, d"):
        path_distances(pd.DataFrame({"x": [1.0, 2, 3, 4]}, index=list("abcd")), pairs)


def test_every_rule_in_one_table(quotients, partitions):
    features = np.log1p(quotients)
    gap = gap_statistic(features, range(1, 9), references=20, rng=1)
    bic = mixture_bic(features.to_numpy(), range(1, 9), starts=2, rng=1)["bic"]
    table = partition_criteria(features.to_numpy(), partitions).join(gap.table).join(bic)
    rules = chosen_by_rule(table, decides="gap")
    assert set(rules.index) == {"silhouette", "calinski_harabasz", "davies_bouldin", "bic", "gap"}
    assert rules.loc["gap", ["k", "difference"]].tolist() == [gap.k, 0]
    assert rules.loc["silhouette", "k"] == table["silhouette"].idxmax()
    assert rules.loc["davies_bouldin", "k"] == table["davies_bouldin"].idxmin()
    assert rules.loc["bic", "k"] == table["bic"].idxmin()
    assert rules["one_possible"].to_dict() == {
        "silhouette": False, "calinski_harabasz": False, "davies_bouldin": False, "bic": True, "gap": True,
    }  # fmt: skip
    assert (rules["difference"] == rules["k"] - gap.k).all()


def test_ties_go_to_the_smaller_k():
    tied = pd.DataFrame({"silhouette": [0.3, 0.5, 0.5 + 1e-15]}, index=[2, 3, 4])
    assert chosen_by_rule(tied).loc["silhouette", "k"] == 3


def test_the_deciding_rule_must_be_there():
    with pytest.raises(InputError, match="'gap'; the table has silhouette"):
        chosen_by_rule(pd.DataFrame({"silhouette": [0.1]}, index=[2]), decides="gap")


def test_one_standard_error_without_an_answer_takes_the_largest():
    rising = pd.Series({1: 0.0, 2: 1.0, 3: 2.0})
    assert one_standard_error(rising, rising * 0 + 0.1) == 3
