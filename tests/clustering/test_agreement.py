import numpy as np
import pandas as pd
import pytest
from scipy.special import comb
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from spatialkz.clustering.validation.agreement import adjusted_rand
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


def test_many_partitions_at_once(quotients):
    features = symmetric_quotient(quotients)
    found = {
        seed: pd.Series(KMeans(5, n_init=1, random_state=seed).fit_predict(features), features.index)
        for seed in range(4)
    }
    agreement = adjusted_rand(found)
    assert list(agreement.columns) == [0, 1, 2, 3]
    for one in range(4):
        for other in range(4):
            by_sklearn = adjusted_rand_score(found[one], found[other])
            assert agreement.loc[one, other] == pytest.approx(by_sklearn)
    assert agreement.loc[0, 1] < 1


def test_bad_input_is_refused():
    one = pd.Series([1, 2], index=list("ab"))
    with pytest.raises(InputError, match="no partitions"):
        adjusted_rand({})
    with pytest.raises(RegionError, match="lacks b"):
        adjusted_rand({"one": one, "other": one.rename({"b": "c"})})
