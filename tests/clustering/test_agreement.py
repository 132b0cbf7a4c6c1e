import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.special import comb
from sklearn.cluster import KMeans

from spatialkz.clustering.validation.agreement import adjusted_rand, partitions_by
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import symmetric_quotient


def test_the_index_is_its_formula():
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(draw.integers(3, size=(17, 2)), columns=["one", "other"])
    table = pd.crosstab(frame["one"], frame["other"]).to_numpy()
    pairs, rows, columns = comb(table, 2).sum(), comb(table.sum(1), 2).sum(), comb(table.sum(0), 2).sum()
    expected = rows * columns / comb(17, 2)
    by_hand = (pairs - expected) / ((rows + columns) / 2 - expected)
    found = adjusted_rand(frame)
    assert found.loc["one", "other"] == pytest.approx(by_hand, abs=1e-12)
    assert found.loc["other", "one"] == found.loc["one", "other"]
    assert np.diag(found).tolist() == [1, 1]


def test_partitions_are_joined_by_region_and_names_of_clusters_do_not_matter(shuffled):
    one = pd.Series(list("aabbc"), index=list("vwxyz"))
    other = shuffled(one).map({"a": 3, "b": 1, "c": 2})
    assert adjusted_rand({"one": one, "other": other}).loc["one", "other"] == 1


def test_seeds_and_methods_on_the_study(quotients, shuffled):
    features = symmetric_quotient(quotients)
    fits = {
        seed: lambda points, seed=seed: KMeans(5, n_init=1, random_state=seed).fit_predict(points)
        for seed in range(4)
    }
    fits["ward"] = lambda points: fcluster(linkage(points, "ward"), 5, "maxclust")
    found = partitions_by(features, fits)
    assert list(found.index) == list(features.index)
    agreement = adjusted_rand(found)
    assert list(agreement.columns) == [0, 1, 2, 3, "ward"]
    assert agreement.loc[0, 1] < 1
    again = partitions_by(shuffled(features), fits).loc[features.index]
    pd.testing.assert_frame_equal(found, again)


def test_bad_input_is_refused():
    one = pd.Series([1, 2], index=list("ab"))
    with pytest.raises(InputError, match="no partitions"):
        adjusted_rand({})
    with pytest.raises(RegionError, match="lacks b"):
        adjusted_rand({"one": one, "other": one.rename({"b": "c"})})
