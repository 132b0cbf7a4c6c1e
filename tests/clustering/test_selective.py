from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans

from spatialkz.clustering import selective
from spatialkz.clustering.selective import selective_test
from spatialkz.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference" / "clustering"


def tree(method, k):
    return lambda points: fcluster(linkage(points, method), k, "maxclust")


def groups(shift, seed, n=17, p=3):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(np.repeat([0, shift], [n // 2, n - n // 2])[:, None] + draw.normal(size=(n, p)))


def test_a_partition_fixed_in_advance_gives_the_chi_test():
    features = groups(0.5, 1)
    labels = np.repeat([1, 2], [8, 9])
    found = selective_test(features, pd.Series(labels), lambda _: labels, sigma=1.0)
    distance = np.linalg.norm(features[:8].mean() - features[8:].mean())
    expected = stats.chi.sf(distance / np.sqrt(1 / 8 + 1 / 9), 3)
    assert found.to_frame().loc[(1, 2), "distance"] == pytest.approx(distance)
    assert found.to_frame().loc[(1, 2), "p_value"] == pytest.approx(expected, rel=1e-12)


def test_a_threshold_on_the_distance_truncates_there():
    # Finds the clusters exactly if their means are at least 0.6 apart: p = P(χ ≥ d) / P(χ ≥ 0.6).
    features, labels = groups(0.5, 1), np.repeat([1, 2], [8, 9])

    def fit(points):
        far = np.linalg.norm(points[:8].mean(axis=0) - points[8:].mean(axis=0)) >= 0.6
        return labels if far else np.ones(17, dtype=int)

    found = selective_test(features, pd.Series(labels), fit, sigma=1.0).to_frame().loc[(1, 2)]
    scale = np.sqrt(1 / 8 + 1 / 9)
    expected = stats.chi.sf(found["distance"] / scale, 3) / stats.chi.sf(0.6 / scale, 3)
    assert found["distance"] > 0.6
    assert found["p_value"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("method", "k", "seed"), [("ward", 3, 0), ("average", 3, 1), ("complete", 4, 2)])
def test_p_values_equal_importance_sampling(method, k, seed):
    # Gao, Bien & Witten (2022), section 4.1, drawn around the observed distance, written anew.
    points = np.random.default_rng(seed).normal(size=(17, 2))
    fit = tree(method, k)
    labels = fit(points)
    found = selective_test(pd.DataFrame(points), pd.Series(labels), fit, sigma=1.0).to_frame()["p_value"]
    sizes = pd.Series(labels).value_counts()
    a, b = sorted(sizes.index[:2])
    in_a, in_b = labels == a, labels == b
    contrast = in_a / in_a.sum() - in_b / in_b.sum()
    difference = contrast @ points
    distance, scale = np.linalg.norm(difference), np.linalg.norm(contrast)
    phi = distance + scale * np.random.default_rng(9).normal(size=4000)
    phi = phi[phi >= 0]
    weight = stats.chi.pdf(phi / scale, 2) / stats.norm.pdf((phi - distance) / scale)
    kept = np.zeros(len(phi), dtype=bool)
    for draw, value in enumerate(phi):
        moved = points + np.outer(contrast / scale**2, (value - distance) * difference / distance)
        again = fit(moved)
        kept[draw] = all(np.array_equal(again == again[np.argmax(member)], member) for member in (in_a, in_b))
    assert kept.mean() > 0.02
    sampled = weight[kept & (phi >= distance)].sum() / weight[kept].sum()
    assert found[(a, b)] == pytest.approx(sampled, abs=0.03)


def test_p_values_are_uniform_when_all_regions_are_alike_though_naive_ones_are_not():
    draw, fit, p_values, naive = np.random.default_rng(5), tree("ward", 3), [], []
    for _ in range(150):
        points = draw.normal(size=(17, 4))
        labels = fit(points)
        a, b = (labels == name for name in draw.choice([1, 2, 3], 2, replace=False))
        distance, p_value = selective._pair(points, a, b, fit, selective._sigma(points, None), 60)
        p_values.append(p_value)
        naive.append(stats.chi.sf(distance / np.sqrt(1 / a.sum() + 1 / b.sum()), 4))
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert abs(np.mean(np.array(p_values) <= 0.1) - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 150)
    assert np.mean(np.array(naive) <= 0.05) > 0.8


def test_real_groups_are_found_different_and_halves_of_a_group_are_not():
    features = groups(8, 3)
    two = pd.Series(tree("ward", 2)(features.to_numpy()))
    assert selective_test(features, two, tree("ward", 2), sigma=1.0).to_frame()["p_value"].max() < 1e-6
    three = pd.Series(tree("ward", 3)(features.to_numpy()))
    found = selective_test(features, three, tree("ward", 3), sigma=1.0).to_frame()
    assert found["p_value"].max() > 0.05
    assert (found["p_adjusted"] >= found["p_value"]).all()


def test_any_repeatable_method_serves_and_row_order_does_not_matter(shuffled):
    features = groups(3, 2)

    def fit(points):
        return KMeans(2, n_init=1, random_state=0).fit_predict(points)

    labels = pd.Series(fit(features.to_numpy()))
    one = selective_test(features, labels, fit, grid=10)
    other = selective_test(shuffled(features), shuffled(labels), fit, grid=10)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert one.sigma == other.sigma
    assert 0 < one.to_frame()["p_value"].iloc[0] <= 1
    assert one.to_dict()["pairs"][0]["cluster"] == 0
    assert "0 – 1: distance" in one.summary()


def test_skewed_features_of_unequal_scale_break_it_and_standardized_logarithms_do_not(quotients):
    # Sectors permuted independently: no clusters, but the margins of the study.
    logs = np.log1p(quotients)
    standard = (logs - logs.mean()) / logs.std()
    draw, fit, rejected = np.random.default_rng(8), tree("ward", 3), {}
    for name, features in {"quotients": quotients, "standard": standard}.items():
        p_values = []
        for _ in range(50):
            points = draw.permuted(features.to_numpy(), axis=0)
            labels = fit(points)
            a, b = (labels == cluster for cluster in draw.choice([1, 2, 3], 2, replace=False))
            p_values.append(selective._pair(points, a, b, fit, selective._sigma(points, None), 30)[1])
        rejected[name] = np.mean(np.array(p_values) <= 0.05)
    assert rejected["quotients"] > 0.6
    assert rejected["standard"] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 50)


def test_the_scale_is_the_spread_around_sector_means():
    points = 7 + np.random.default_rng(1).normal(scale=2.5, size=(400, 5))
    assert selective._sigma(points, None) == pytest.approx(2.5, rel=0.05)


def test_tails_equal_those_of_r():
    for row in pd.read_csv(REFERENCE / "chi_tails.csv").itertuples():
        if row.x**2 > row.freedom:
            assert selective._log_tail(row.x, row.freedom) == pytest.approx(row.log_tail, rel=1e-12)
    # Far out, where both probabilities are 0 as floats: hazard × width.
    far = selective._truncated_tail(3, 60.01, [(60.0, np.inf)])
    assert far == pytest.approx(np.exp(-60 * 0.01), rel=0.01)


def test_intervals_are_found_and_refined():
    ends = selective._intervals(
        lambda phi: 0.123 < phi < 0.777 or phi > 2.5, np.linspace(0, 3, 31), observed=0.5
    )
    np.testing.assert_allclose(ends, [(0.123, 0.777), (2.5, np.inf)], atol=1e-11)


def test_bad_input_is_refused():
    features = groups(3, 2)
    labels, fit = pd.Series(tree("ward", 2)(features.to_numpy())), tree("ward", 2)
    with pytest.raises(InputError, match="does not find the clusters"):
        selective_test(features, labels.sample(frac=1, random_state=1).set_axis(labels.index), fit)
    with pytest.raises(InputError, match="above 0"):
        selective_test(features, labels, fit, sigma=0.0)
    with pytest.raises(InputError, match="at least 10"):
        selective_test(features, labels, fit, grid=2)
    with pytest.raises(InputError, match="at least 2 are needed"):
        selective_test(features, labels * 0, fit)
