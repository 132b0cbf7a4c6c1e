import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from spatialkz.clustering.number.structure import _frame, structure_test
from spatialkz.errors import InputError

REGIONS, SECTORS = 17, 11


def peer(points, k):
    with threadpool_limits(1):
        return KMeans(k, n_init=100, random_state=0).fit(points)


def p_values(make, times, **options):
    rng = np.random.default_rng(17)
    return np.array(
        [
            structure_test(pd.DataFrame(make(rng)), draws=19, starts=2, rng=i, **options).p_value
            for i in range(times)
        ]
    )


def three_groups(rng, apart):
    """Centers in a triangle whose sides are ``apart`` within-group standard deviations."""
    centers = np.zeros((3, SECTORS))
    centers[[0, 1, 2], [0, 1, 2]] = apart / np.sqrt(2)
    return rng.normal(size=(REGIONS, SECTORS)) + np.repeat(centers, [6, 6, 5], axis=0)


NULLS = {
    "gaussian": lambda rng: rng.normal(size=(REGIONS, SECTORS)) + rng.normal(size=(REGIONS, 1)),
    "column-permutation": lambda rng: rng.lognormal(size=(REGIONS, SECTORS)),
}


@pytest.mark.parametrize(
    ("null", "statistic"),
    [
        ("gaussian", "two-means"),
        ("gaussian", "silhouette"),
        ("gaussian", "standardized-silhouette"),
        ("column-permutation", "two-means"),
        ("column-permutation", "standardized-silhouette"),
    ],
)
def test_size_at_five_percent(null, statistic):
    times = 60
    found = p_values(NULLS[null], times, null=null, statistic=statistic, ks=[2, 3])
    # Exact tests: 5 % and half of all p-values, each within 3 standard errors.
    assert np.mean(found <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert abs(np.mean(found <= 0.5) - 0.5) <= 3 * np.sqrt(0.25 / times)


def test_drawn_data_keep_mean_and_covariance():
    points = np.random.default_rng(1).normal(size=(9, 4)) @ np.diag([3.0, 1, 1, 0.5])
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    drawn = _frame(np.random.default_rng(2), 9, 4) * spread
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(drawn.T @ drawn, np.diag(spread**2), atol=1e-12)


def test_power_against_three_clear_groups():
    for null in NULLS:
        found = p_values(lambda rng: three_groups(rng, 8), 10, null=null, ks=range(2, 5))
        assert np.mean(found <= 0.05) >= 0.9


def test_statistics_are_those_of_scikit_learn(quotients):
    features = np.log1p(quotients)
    points = features.to_numpy()
    options = {"statistic": "silhouette", "draws": 9, "starts": 100, "rng": 1}
    found = structure_test(features, ks=range(2, 6), **options)
    widths = {k: silhouette_score(points, peer(points, k).labels_) for k in [2, 3]}
    again = structure_test(features, ks=[2, 3], **options)
    assert again.statistic == pytest.approx(max(widths.values()))
    assert again.k == max(widths, key=widths.get)
    assert found.statistic >= again.statistic
    index = structure_test(features, draws=9, statistic="two-means", starts=100, rng=1)
    two = peer(points, 2).inertia_
    assert index.statistic == pytest.approx(two / (points.var(axis=0).sum() * REGIONS))


def test_row_order_scale_and_rotation_do_not_matter(quotients, shuffled):
    features = np.log1p(quotients)
    first = structure_test(features, draws=19, rng=3)
    assert structure_test(shuffled(features), draws=19, rng=3).to_dict() == first.to_dict()
    assert structure_test(5 * features, draws=19, rng=3).p_value == first.p_value
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(SECTORS, SECTORS)))[0]
    turned = structure_test(pd.DataFrame(features.to_numpy() @ turn, index=features.index), draws=19, rng=3)
    assert turned.p_value == first.p_value


def test_fewer_regions_than_columns_and_constant_columns():
    rng = np.random.default_rng(5)
    wide = pd.DataFrame(rng.normal(size=(8, 30))).assign(same=1.0)
    for null in NULLS:
        assert 0 < structure_test(wide, null=null, ks=[2, 3], draws=19, rng=1).p_value <= 1


def test_result_forms(quotients):
    found = structure_test(quotients, draws=19, rng=1)
    assert found.to_frame().columns.tolist() == [
        "statistic", "p_value", "k", "median", "measure", "null", "draws",
    ]  # fmt: skip
    assert found.to_dict()["draws"] == 19
    assert f"p = {found.p_value:.3g}" in found.summary()
    assert found.null_quantiles.is_monotonic_increasing


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"null": "uniform"}, "null is 'uniform'"),
        ({"statistic": "gap"}, "statistic is 'gap'"),
        ({"ks": [1, 2]}, "from 2 to below the number of distinct regions, 17"),
        ({"ks": [2, 17]}, "from 2 to below the number of distinct regions, 17"),
        ({"draws": 0}, "draws is 0"),
    ],
)
def test_bad_input_is_named(quotients, change, message):
    with pytest.raises(InputError, match=message):
        structure_test(quotients, **change)
