import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from spatialkz.clustering.validation import agreement
from spatialkz.clustering.validation.agreement import consensus_clusters
from spatialkz.errors import InputError
from spatialkz.specialization import symmetric_quotient


def ward(table, k):
    return pd.Series(fcluster(linkage(table, "ward"), k, "maxclust"), index=table.index)


@pytest.fixture(scope="module")
def features(quotients):
    return symmetric_quotient(quotients)


def test_the_matrix_and_the_votes_equal_a_count_by_hand():
    # Three resamples of four regions: the kept ones, and their clusters.
    found = [
        (np.array([0, 1, 2]), np.array([[1, 0], [1, 0], [0, 1]], dtype=bool)),
        (np.array([0, 1, 3]), np.array([[1, 0], [0, 1], [0, 1]], dtype=bool)),
        (np.array([0, 1, 2, 3]), np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)),
    ]
    with pytest.raises(InputError, match="c and d were never drawn together in 2"):
        agreement._co_assignment(found[:2], pd.Index(list("abcd")))
    matrix = agreement._co_assignment(found, pd.Index(list("abcd")))
    np.testing.assert_allclose(
        matrix, [[1, 2 / 3, 0, 0], [2 / 3, 1, 0, 1 / 2], [0, 0, 1, 1], [0, 1 / 2, 1, 1]]
    )
    votes = agreement._votes(found, np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool))
    np.testing.assert_allclose(votes, [[1, 0], [2 / 3, 1 / 3], [0, 1], [0, 1]])


def test_a_piece_that_matches_no_cluster_is_nobodys_vote():
    found = [(np.arange(3), np.eye(3, dtype=bool))]
    votes = agreement._votes(found, np.array([[1, 0], [1, 0], [0, 1]], dtype=bool))
    assert votes.sum() == 2
    assert votes[2].tolist() == [0, 1]
    # Region 3, the second cluster, is away: the piece left over is not the second cluster.
    away = (np.arange(3), np.array([[1, 0], [0, 1], [0, 1]], dtype=bool))
    home = (np.arange(4), np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=bool))
    votes = agreement._votes([away, home], np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=bool))
    np.testing.assert_allclose(votes, [[1 / 2, 0], [1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    "how", [{"regions": 0.8}, {"regions": "bootstrap"}, {"regions": 1.0, "sectors": 0.8}]
)
def test_clear_groups_are_unanimous(how):
    draw = np.random.default_rng(0)
    centers = np.repeat([[0, 0, 0, 0], [20, 20, 0, 0], [0, 20, 20, 20]], 5, axis=0)
    features = pd.DataFrame(centers + draw.normal(size=(15, 4)), index=[f"r{i:02d}" for i in range(15)])
    found = consensus_clusters(features, k=3, method=ward, resamples=60, rng=1, **how)
    assert found.labels.tolist() == [3] * 5 + [2] * 5 + [1] * 5
    assert (found.to_frame()["probability"] == 1).all()
    assert found.dispersion == 1
    assert found.cophenetic == pytest.approx(1)


def test_noise_is_less_unanimous_than_structure(features):
    noise = features.apply(lambda column: column.sample(frac=1, random_state=3).to_numpy())
    draw = np.random.default_rng(0)
    groups = pd.DataFrame(np.repeat([[0.0], [4], [8]], [6, 6, 5], axis=0) + draw.normal(size=(17, 11)))
    clear, unclear = (
        consensus_clusters(table, k=3, method=ward, resamples=100, sectors=0.7, rng=1)
        for table in (groups, noise)
    )
    assert clear.dispersion > unclear.dispersion + 0.1
    assert clear.to_frame()["probability"].mean() > unclear.to_frame()["probability"].mean() + 0.1


def test_the_parts_on_the_study_fit_together(features):
    found = consensus_clusters(features, k=5, method=ward, sectors=0.8, rng=1)
    matrix = found.matrix.to_numpy()
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    assert found.dispersion == pytest.approx((4 * (matrix - 0.5) ** 2).mean())
    assert found.labels.nunique() == 5
    assert (found.membership.sum(axis=1) <= 1 + 1e-12).all()
    assert sorted(found.order) == sorted(features.index)
    # Neighbors in the tree's order: members of a cluster stand together.
    assert (found.labels.loc[found.order].diff().fillna(1) != 0).sum() == 5
    means = features.mean(axis=1).groupby(found.labels).mean()
    assert means.is_monotonic_decreasing
    assert found.to_dict()["labels"]["Akmola"] == found.labels["Akmola"]
    assert "Kostanay" in found.summary()


def test_the_seed_repeats_and_the_order_of_the_table_does_not_matter(features, shuffled):
    one, again = (consensus_clusters(features, k=4, method=ward, resamples=60, rng=5) for _ in range(2))
    pd.testing.assert_frame_equal(one.matrix, again.matrix)
    mixed = shuffled(features)[features.columns[::-1]]
    other = consensus_clusters(mixed, k=4, method=ward, resamples=60, rng=5)
    pd.testing.assert_frame_equal(one.matrix, other.matrix.loc[features.index, features.index])
    pd.testing.assert_frame_equal(one.membership, other.membership.loc[features.index])


def test_one_cluster_is_an_answer(features):
    found = consensus_clusters(features, k=1, method=lambda table, _: pd.Series(0, table.index), rng=1)
    assert found.cophenetic is None
    assert (found.labels == 1).all()
    assert "undefined" in found.summary()


def test_bad_input_is_refused(features):
    with pytest.raises(InputError, match="every resample is the whole table"):
        consensus_clusters(features, k=3, method=ward, regions=1.0)
    with pytest.raises(InputError, match=r"regions is 1\.5"):
        consensus_clusters(features, k=3, method=ward, regions=1.5)
    with pytest.raises(InputError, match="sectors is 'jitter'"):
        consensus_clusters(features, k=3, method=ward, sectors="jitter")
    with pytest.raises(InputError, match="k is 18; with 17"):
        consensus_clusters(features, k=18, method=ward)
    with pytest.raises(InputError, match="never drawn together in 3"):
        consensus_clusters(features, k=2, method=ward, regions=0.3, resamples=3, rng=1)
    with pytest.raises(InputError, match="fewer than 12 distinct"):
        consensus_clusters(features, k=12, method=ward, regions=0.5)
    with pytest.raises(InputError, match="does not tell 2 clusters apart"):
        consensus_clusters(features, k=2, method=lambda table, _: pd.Series(0, table.index), rng=1)
