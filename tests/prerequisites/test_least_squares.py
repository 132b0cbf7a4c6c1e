"""Least squares of all pairs at once against statsmodels, and R's clubSandwich and sandwich."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from spatialkz import prerequisite_test
from spatialkz.prerequisites.least_squares import Partialled, expected_without, robust_p_values

SERVICES = ["programming", "computer", "information", "research", "professional"]


def test_robust_errors_and_p_values_are_those_of_clubsandwich(quotients, covariates, reference):
    for controls, model in ((None, "y ~ x"), (covariates[["product"]], "y ~ x + g")):
        options = {"controls": controls, "deletions": 0, "permutations": 99, "rng": 1}
        table = prerequisite_test(quotients, covariates[["staff"]], **options).to_frame()
        for sector, _ in table.index:
            row = table.loc[(sector, "staff")]
            for column, name in (("slope", "slope"), ("df_robust", "df"), ("p_robust", "p")):
                assert row[column] == pytest.approx(reference[f"{sector} {model} {name}"], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "deviation_of_n"),
    # What R gives if the covariate is divided by its standard deviation of n, not of n − 1.
    [("all", 0.05161351), ("services", 0.04019861)],
)
def test_a_balanced_panel_over_sectors_is_a_regression_of_region_means(
    quotients, covariates, reference, name, deviation_of_n
):
    sectors = list(quotients.columns) if name == "all" else SERVICES
    mean = np.log1p(quotients[sectors]).mean(axis=1).to_frame("mean")
    staff = covariates[["staff"]]
    z = ((staff - staff.mean()) / staff.std(ddof=1)).to_numpy()
    fit = Partialled.of(z, mean.to_numpy(), np.empty((17, 0)))
    error, df = fit.robust()
    assert fit.slopes().item() == pytest.approx(reference[f"{name} slope"], rel=1e-6)
    assert error.item() == pytest.approx(reference[f"{name} CR2"], rel=1e-6)
    assert error.item() == pytest.approx(deviation_of_n * np.sqrt(17 / 16), rel=1e-6)
    assert df.item() == pytest.approx(reference[f"{name} df"], rel=1e-6)
    p_value = robust_p_values(fit, "two-sided")[0].item()
    assert p_value == pytest.approx(reference[f"{name} p"], rel=1e-6)


def test_a_standard_error_is_hc2_of_sandwich_and_statsmodels(quotients, covariates, reference, drawn):
    y = np.log1p(quotients[["computer"]]).to_numpy()
    staff = covariates[["staff"]].to_numpy()
    z = (staff - staff.mean()) / staff.std(ddof=1)
    error, _ = Partialled.of(z, y, np.empty((17, 0))).robust()
    assert error.item() == pytest.approx(reference["computer HC2"], rel=1e-6)
    z, y, c = (drawn[name].to_numpy() for name in ("covariates", "quotients", "controls"))
    fit = Partialled.of(z, y, c)
    error, _ = fit.robust()
    for k, m in np.ndindex(3, 5):
        model = sm.OLS(y[:, m], sm.add_constant(np.column_stack([z[:, k], c]))).fit(cov_type="HC2")
        assert fit.slopes()[k, m] == pytest.approx(model.params[1], rel=1e-9)
        assert error[k, m] == pytest.approx(model.bse[1], rel=1e-9)
        partial = model.params[1] / model.HC0_se[1]
        assert np.sign(fit.correlations()[k, m]) == np.sign(partial)
        assert fit.leverages()[:, k] == pytest.approx(model.get_influence().hat_matrix_diag)


def test_degrees_of_freedom_are_satterthwaites(drawn):
    z, y, c = (drawn[name].to_numpy() for name in ("covariates", "quotients", "controls"))
    _, df = Partialled.of(z, y, c).robust()
    for k in range(3):
        X = np.column_stack([np.ones(17), c, z[:, k]])
        inverse = np.linalg.inv(X.T @ X)
        M = np.eye(17) - X @ inverse @ X.T
        # How each error enters the variance of the slope (Imbens & Kolesár 2016, eq. 13).
        G = M * ((inverse[-1] @ X.T) / np.sqrt(np.diag(M)))
        roots = np.linalg.eigvalsh(G.T @ G)
        assert df[k] == pytest.approx(roots.sum() ** 2 / (roots**2).sum(), rel=1e-9)


def test_a_region_of_leverage_one_has_no_weight():
    marked = np.eye(17)[:, :1]
    y = np.random.default_rng(0).normal(size=(17, 1))
    error, df = Partialled.of(marked, y, np.empty((17, 0))).robust()
    # The others' mean alone varies: HC2 of a mean of 16 is their variance over 16.
    assert error.item() ** 2 == pytest.approx(y[1:].var(ddof=1) / 16)
    assert df.item() == pytest.approx(15)


def test_what_is_expected_of_a_region_does_not_know_it(drawn):
    z, y, c = (drawn[name].to_numpy() for name in ("covariates", "quotients", "controls"))
    used = np.ones((3, 5), dtype=bool)
    used[1, 2] = False
    expected, skill = expected_without(Partialled.of(z, y, c), y, used)
    for i in range(17):
        kept = np.arange(17) != i
        told = np.empty((3, 5))
        for k in range(3):
            X = sm.add_constant(np.column_stack([z[:, k], c]))
            told[k] = X[i] @ np.linalg.lstsq(X[kept], y[kept], rcond=None)[0]
        assert expected[i] == pytest.approx(np.where(used, told, 0).sum(axis=0) / used.sum(axis=0))
    others = (y.sum(axis=0) - y) / 16
    share = 1 - ((y - expected) ** 2).sum(axis=0) / ((y - others) ** 2).sum(axis=0)
    assert skill == pytest.approx(share)


def test_a_region_that_alone_has_a_covariate_is_expected_to_be_like_the_others(quotients):
    only = pd.DataFrame({"port": (quotients.index == "Atyrau").astype(int)}, quotients.index)
    expected = prerequisite_test(quotients, only, permutations=99, deletions=0, rng=1).expected
    others = np.expm1(np.log1p(quotients.drop(index="Atyrau")).mean())
    pd.testing.assert_series_equal(expected.loc["Atyrau"], others, check_names=False)
