import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from spatialkz.errors import InputError
from spatialkz.spatial import moran
from spatialkz.spatial.normal_theory import (
    moran_quantile,
    moran_spectrum,
    moran_tails,
    positive_probability,
    saddlepoint_deviate,
)


@pytest.fixture(scope="module")
def weights(study):
    graph = study.graph.transform("r")
    return graph.sparse.tocsr()


@pytest.mark.parametrize(
    ("m1", "m2", "f"), [(3, 2, 1.0), (5, 16, 9.0), (1, 2, 50.0), (40, 30, 8.0), (1, 1, 1e3)]
)
def test_tails_of_the_f_distribution(m1, m2, f):
    """P(F > f) is the probability of a positive weighted sum of chi-squares."""
    coefficients = np.r_[np.full(m1, 1 / m1), np.full(m2, -f / m2)]
    assert positive_probability(coefficients) == pytest.approx(stats.f.sf(f, m1, m2), rel=1e-12)
    assert positive_probability(-coefficients) == pytest.approx(stats.f.cdf(f, m1, m2), rel=1e-12)


def test_imhof_integral_written_out():
    a = np.random.default_rng(0).normal(size=9)

    def integrand(u):
        return np.sin(0.5 * np.arctan(a * u).sum()) / (u * np.prod((1 + a**2 * u**2) ** 0.25))

    by_hand = 0.5 + integrate.quad(integrand, 0, np.inf, epsabs=1e-12, limit=500)[0] / np.pi
    assert positive_probability(a) == pytest.approx(by_hand, abs=1e-10)


def test_all_coefficients_of_one_sign():
    assert positive_probability(np.array([1.0, 2.0])) == 1.0
    assert positive_probability(-np.array([1.0, 2.0])) == 0.0
    assert positive_probability(np.zeros(2)) == 0.0


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("method", ["exact-normal", "saddlepoint"])
def test_columbus_equals_spdep(oldcol, spdep, method, alternative):
    table, graph = oldcol
    found = moran(table["CRIME"], graph, method=method, alternative=alternative).to_frame().loc["CRIME"]
    wanted = spdep(f"constant {method.removesuffix('-normal')} {alternative.replace('-', '.')}")
    # spdep integrates with R's default tolerance, 1e-4 of the value.
    assert found["statistic"] == pytest.approx(wanted["statistic"], abs=1e-10)
    assert found["z"] == pytest.approx(wanted["z"], abs=1e-7)
    assert found["p_value"] == pytest.approx(wanted["p_value"], abs=1e-10)


def test_distribution_is_that_of_simulated_normal_values(weights):
    rng = np.random.default_rng(5)
    y = rng.normal(size=(17, 40_000))
    z = y - y.mean(axis=0)
    simulated = (z * (weights @ z)).sum(axis=0) / (z**2).sum(axis=0)
    spectrum = moran_spectrum(weights)
    for c in (-0.4, -0.1, 0.1, 0.3, 0.45):
        above, below, _ = moran_tails(c, spectrum)
        assert above + below == pytest.approx(1, abs=1e-12)
        assert above == pytest.approx((simulated >= c).mean(), abs=3 * 0.5 / 200)
        assert moran_tails(c, spectrum, "saddlepoint")[0] == pytest.approx(above, abs=0.002)


def test_saddlepoint_passes_smoothly_through_its_singularity(weights):
    spectrum = moran_spectrum(weights)
    mean = spectrum.mean()
    around = [saddlepoint_deviate(spectrum - mean - step) for step in (-1e-4, -1e-7, 0.0, 1e-7, 1e-4)]
    assert np.ptp(around) < 2e-3
    assert around[0] < around[2] < around[-1]
    assert stats.norm.sf(around[2]) == pytest.approx(moran_tails(mean, spectrum)[0], abs=0.002)


@pytest.mark.parametrize("method", ["exact-normal", "saddlepoint", "normal"])
def test_quantile_inverts_the_tail(weights, method):
    spectrum = moran_spectrum(weights)
    for deviate in (-1.96, 0.3, 1.96):
        c = moran_quantile(deviate, spectrum, method)
        assert moran_tails(c, spectrum, method)[2] == pytest.approx(deviate, abs=1e-8)


def test_size_at_five_percent_with_17_regions(weights, null_tables):
    """Exact for normal values; for skewed ones the test errs on the safe side on this graph."""
    spectrum = moran_spectrum(weights)
    low, high = moran_quantile(-1.959964, spectrum), moran_quantile(1.959964, spectrum)
    for kind in ("normal", "lognormal", "zero-inflated"):
        z = null_tables(kind, 20_000).to_numpy()
        z = z - z.mean(axis=0)
        statistic = (z * (weights @ z)).sum(axis=0) / (z**2).sum(axis=0)
        rejected = ((statistic <= low) | (statistic >= high)).mean()
        error = 3 * np.sqrt(0.05 * 0.95 / 20_000)
        assert rejected < 0.05 + error
        if kind == "normal":
            assert rejected > 0.05 - error


def test_p_values_beyond_the_accuracy_of_the_model_are_given_as_a_bound(study, weights):
    """Values along the leading eigenvector reach the largest possible I, where the tail is 0."""
    from spatialkz.spatial.normal_theory import residual_basis

    basis, form = residual_basis(weights)
    extreme = pd.Series(basis @ np.linalg.eigh(form)[1][:, -1], index=study.table.regions, name="x")
    for method in ("exact-normal", "saddlepoint"):
        test = moran(extreme.loc[sorted(extreme.index)], study.graph, method=method, alternative="greater")
        assert test.to_frame().loc["x", "p_value"] == 2.0**-52
        assert "<0.0001" in test.summary()


def test_too_many_regions_are_refused():
    from scipy.sparse import eye_array

    with pytest.raises(InputError, match="up to 5000 regions"):
        moran_spectrum(eye_array(5001, format="csr"))
