"""β and σ: the slope of least squares, and what error of measurement alone does to it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import spatialkz
from spatialkz.change import convergence
from spatialkz.errors import InputError
from spatialkz.tables import ActivityTable, Panel


def quotients(*logs, rounding=0.0):
    index = [f"r{i}" for i in range(len(logs[0]))]
    return Panel(
        {
            i: ActivityTable(
                pd.DataFrame({"a": np.exp(log)}, index=index), kind="quotients", rounding=rounding
            )
            for i, log in enumerate(logs)
        }
    )


def test_value_added_2011_to_2020():
    found = convergence(spatialkz.load_study("kazakhstan-gva").panel, 2011, 2020).to_frame()
    assert found["beta"].round(2).to_dict() == {"Manufacturing": -0.26, "Information and communication": 0.0}
    assert (found["n"] == 17).all()
    # Manufacturing: even an error in 2011 could not make β positive.
    assert (
        found.loc["Manufacturing", "beta_high"] < 0 < found.loc["Information and communication", "beta_high"]
    )


def test_slope_and_test_of_spread_by_other_software():
    rng = np.random.default_rng(4)
    x = rng.normal(size=30)
    y = 0.6 * x + rng.normal(0, 0.3, 30)
    found = convergence(quotients(x, y)).to_frame().loc["a"]
    assert found["beta"] == pytest.approx(stats.linregress(x, y - x).slope)
    assert found["sigma_p"] == pytest.approx(stats.pearsonr(x + y, y - x).pvalue)
    assert found["sigma_ratio"] == pytest.approx(y.std() / x.std())
    import statsmodels.api as sm

    fit = sm.OLS(y - x, sm.add_constant(x)).fit(cov_type="HC2", use_t=True)
    assert found["beta_se"] == pytest.approx(fit.bse[1])
    assert found["beta_p"] == pytest.approx(fit.pvalues[1])


def test_error_alone_makes_beta_negative_and_the_bound_holds():
    """Quotients that never changed, measured with error: β is −(1 − λ), corrected by the known error to 0."""
    rng = np.random.default_rng(5)
    observed, high, corrected = [], [], []
    for _ in range(100):
        true = rng.normal(0, 0.5, 40)
        people = pd.Series(np.full(40, 1e5), [f"r{i}" for i in range(40)])
        tables = {
            period: ActivityTable(
                pd.DataFrame({"a": rng.poisson(25 * np.exp(true)) + 0}, index=people.index),
                kind="counts",
                base=people,
            )
            for period in (0, 1)
        }
        row = convergence(Panel(tables)).to_frame().loc["a"]
        observed.append(row["beta"])
        high.append(row["beta_high"])
        corrected.append(row["beta_corrected"])
    assert np.mean(observed) < -0.1
    # The truth, 0, lies below the bound, but for the sampling error of the bound itself.
    assert np.mean(high) > 0.1
    assert np.mean(np.array(high) >= 0) > 0.85
    assert abs(np.mean(corrected)) < 0.04


def test_zeros_are_counted_and_too_few_regions_refused():
    table = quotients(np.zeros(6), np.arange(6.0))
    values = table.tables[0].values.copy()
    values.loc["r0", "a"] = 0
    zero = Panel({0: ActivityTable(values, kind="quotients"), 1: table.tables[1]})
    found = convergence(zero).to_frame().loc["a"]
    assert found[["n", "zeros"]].tolist() == [5, 1]
    with pytest.raises(
        InputError, match="a has a quotient above 0 in both periods in 3 regions; 4 are needed"
    ):
        convergence(quotients(np.zeros(3), np.ones(3)))
    assert "makes β negative" in convergence(table).summary()
