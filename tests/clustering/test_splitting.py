import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from spatialkz.clustering.validation.splitting import combined_p_value, sector_split_test
from spatialkz.errors import InputError


def ward(table, k):
    return pd.Series(fcluster(linkage(table, "ward"), k, "maxclust"), index=table.index)


def table(values):
    return pd.DataFrame(values, columns=[f"s{j:02d}" for j in range(values.shape[1])])


def test_the_statistic_is_the_share_of_variance_between_clusters():
    features = table(np.random.default_rng(1).normal(size=(17, 6)))
    found = sector_split_test(features, k=3, method=ward, splits=[["s00", "s01"]], permutations=99, rng=1)
    labels = ward(features[["s00", "s01"]], 3)
    rest = features.drop(columns=["s00", "s01"])
    between = ((rest.groupby(labels).transform("mean") - rest.mean()) ** 2).sum()
    share = between / ((rest - rest.mean()) ** 2).sum()
    np.testing.assert_allclose(found.to_frame()["statistic"], share)
    assert list(found.to_frame().index) == list(rest.columns)
    assert found.splits.loc[0, "statistic"] == pytest.approx(share.mean())
    assert found.p_value == found.splits.loc[0, "p_value"]


def test_one_split_is_exact_and_many_are_conservative_for_unrelated_sectors():
    draw = np.random.default_rng(4)
    single, many = [], []
    for _ in range(250):
        # Skewed, as quotients are: permutation asks for no normality.
        found = sector_split_test(
            table(draw.exponential(size=(17, 8))), k=3, method=ward, splits=6, permutations=99, rng=draw
        )
        single.append(found.splits["p_value"].iloc[0])
        many.append(found.p_value)
    single, many = np.array(single), np.array(many)
    for level in (0.05, 0.2, 0.5):
        margin = 3 * np.sqrt(level * (1 - level) / 250)
        assert abs((single <= level).mean() - level) < margin
        assert (many <= level).mean() < level + margin


def test_testing_the_clustered_sectors_themselves_would_reject_nearly_always():
    # What the warning is about: the same noise, tested on copies of the clustered sectors.
    draw, rejected = np.random.default_rng(4), 0
    for _ in range(40):
        noise = draw.exponential(size=(17, 4))
        found = sector_split_test(
            table(np.hstack([noise, noise])),
            k=3,
            method=ward,
            splits=[["s00", "s01", "s02", "s03"]],
            permutations=99,
            rng=draw,
        )
        rejected += found.p_value <= 0.05
    assert rejected >= 38


def test_groups_and_gradients_carry_over_to_other_sectors():
    draw = np.random.default_rng(0)
    group = np.repeat([0.0, 2, 4], [6, 6, 5])[:, None]
    gradient = np.linspace(0, 4, 17)[:, None]
    for signal in (group, gradient):
        features = table(signal + draw.normal(size=(17, 10)))
        found = sector_split_test(features, k=3, method=ward, splits=20, permutations=199, rng=1)
        assert found.p_value == pytest.approx(0.01)
        assert (found.to_frame()["p_adjusted"] <= 0.05).mean() >= 0.5


def test_a_sector_unlike_the_others_is_told_apart():
    draw = np.random.default_rng(2)
    values = np.repeat([0.0, 3], [9, 8])[:, None] + draw.normal(size=(17, 9))
    values[:, 4] = draw.normal(size=17)
    found = sector_split_test(table(values), k=2, method=ward, splits=20, permutations=199, rng=1).to_frame()
    assert found["p_adjusted"].idxmax() == "s04"
    assert found.loc["s04", "p_adjusted"] > 0.1
    assert (found["p_adjusted"].drop("s04") < 0.05).all()


def test_one_cluster_differs_in_nothing():
    features = table(np.random.default_rng(1).normal(size=(17, 4)))
    found = sector_split_test(features, k=1, splits=4, permutations=99, rng=1)
    assert found.p_value == 1
    assert (found.to_frame()["statistic"] < 1e-30).all()
    assert found.summary().endswith("none")


def test_the_order_of_the_table_does_not_matter(quotients, shuffled):
    features = np.log1p(quotients)
    one = sector_split_test(features, k=4, method=ward, splits=6, permutations=99, rng=3)
    mixed = shuffled(features)[features.columns[::-1]]
    other = sector_split_test(mixed, k=4, method=ward, splits=6, permutations=99, rng=3)
    assert one.p_value == other.p_value
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame().loc[one.to_frame().index])
    assert one.to_dict()["permutations"] == 99


def test_combining():
    assert combined_p_value([0.3]) == 0.3
    assert combined_p_value([0.9, 0.8]) == 1
    assert combined_p_value([0.01, 0.03]) == pytest.approx(0.04)
    # The worst dependence: in a share 2α of cases half of the p-values are as small as α / 2.
    draw = np.random.default_rng(1)
    u = draw.uniform(size=20_000)
    pairs = np.stack([u, 1 - u], axis=1)
    assert np.mean([combined_p_value(pair) <= 0.1 for pair in pairs]) <= 0.1
    for wrong in ([], [0.0, 0.5], [1.2], [np.nan]):
        with pytest.raises(InputError, match="Combining"):
            combined_p_value(wrong)


def test_bad_input_is_refused(quotients):
    with pytest.raises(InputError, match="clusters: chemical"):
        sector_split_test(quotients.assign(chemical=1.0), k=3, method=ward)
    with pytest.raises(InputError, match="at least 99"):
        sector_split_test(quotients, k=3, method=ward, permutations=9)
    with pytest.raises(InputError, match="not in the features: mining"):
        sector_split_test(quotients, k=3, method=ward, splits=[["mining"]])
    with pytest.raises(InputError, match="not in the features: chemical"):
        sector_split_test(quotients, k=3, method=ward, splits=["chemical"])
    with pytest.raises(InputError, match="11 of 11"):
        sector_split_test(quotients, k=3, method=ward, splits=[list(quotients)])
    with pytest.raises(InputError, match="splits is empty"):
        sector_split_test(quotients, k=3, method=ward, splits=[])
    with pytest.raises(InputError, match="2 sectors are needed"):
        sector_split_test(quotients[["chemical"]], k=3, method=ward)
