import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from spatialkz.errors import InputError, RegionError
from spatialkz.spatial.residuals import residual_moran


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("method", ["exact-normal", "saddlepoint"])
def test_columbus_equals_spdep(oldcol, spdep, method, alternative):
    table, graph = oldcol
    test = residual_moran(
        table["CRIME"], graph, table[["INC", "HOVAL"]], method=method, alternative=alternative
    )
    found, wanted = (
        test.to_frame().loc["CRIME"],
        spdep(f"regression {method.removesuffix('-normal')} {alternative.replace('-', '.')}"),
    )
    assert found["statistic"] == pytest.approx(wanted["statistic"], abs=1e-10)
    # spdep integrates with R's default tolerance.
    assert found["z"] == pytest.approx(wanted["z"], abs=1e-7)
    assert found["p_value"] == pytest.approx(wanted["p_value"], abs=1e-9)


def test_published_columbus_numbers(oldcol):
    table, graph = oldcol
    z = {
        method: residual_moran(table["CRIME"], graph, table[["INC", "HOVAL"]], method=method)
        .to_frame()
        .loc["CRIME", "z"]
        for method in ("exact-normal", "saddlepoint", "normal")
    }
    assert z["exact-normal"] == pytest.approx(2.66702, abs=5e-6)
    assert z["saddlepoint"] == pytest.approx(2.67386, abs=5e-6)
    assert z["normal"] == pytest.approx(2.95390, abs=5e-6)


@pytest.mark.parametrize("model", ["constant", "regression"])
def test_normal_moments_equal_spdep(oldcol, spdep, model):
    table, graph = oldcol
    X = table[["INC", "HOVAL"]] if model == "regression" else None
    found = residual_moran(table["CRIME"], graph, X, method="normal").to_frame().loc["CRIME"]
    for name, wanted in spdep(f"{model} normal").items():
        assert found[name] == pytest.approx(wanted, abs=1e-10)


def test_an_intercept_of_ones_is_the_added_one(oldcol):
    table, graph = oldcol
    X = table[["INC"]].assign(one=1.0)
    added = residual_moran(table["CRIME"], graph, table[["INC"]]).to_frame()
    given = residual_moran(table["CRIME"], graph, X, intercept=False).to_frame()
    pd.testing.assert_frame_equal(given, added, rtol=1e-9)


def test_permutation_agrees_with_the_exact_test(oldcol):
    table, graph = oldcol
    y, X = table[["CRIME", "HOVAL"]], table[["INC"]]
    exact = residual_moran(y, graph, X).to_frame()["p_value"]
    drawn = residual_moran(y, graph, X, method="permutation", rng=1).to_frame()["p_value"]
    assert (exact - drawn).abs().max() < 0.02


@pytest.mark.filterwarnings("ignore:p-values of the method")
@pytest.mark.parametrize("kind", ["normal", "lognormal", "zero-inflated"])
@pytest.mark.parametrize("method", ["exact-normal", "saddlepoint", "permutation"])
def test_size_at_five_percent_with_17_regions(study, null_tables, method, kind):
    X = null_tables("normal", 2, seed=1)
    count = 500
    y = null_tables(kind, count)
    test = residual_moran(y, study.graph, X, method=method, permutations=4999, rng=1)
    rejected = (test.to_frame()["p_value"] <= 0.05).mean()
    assert 0.01 < rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / count)


def test_shuffled_rows_change_nothing(oldcol, shuffled):
    table, graph = oldcol
    for method in ("exact-normal", "permutation"):
        found = residual_moran(table["CRIME"], graph, table[["INC"]], method=method, permutations=99, rng=1)
        again = residual_moran(
            shuffled(table["CRIME"]), graph, table[["INC"]], method=method, permutations=99, rng=1
        )
        pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())


def test_bad_input_is_refused(oldcol):
    table, graph = oldcol
    y, X = table["CRIME"], table[["INC", "HOVAL"]]
    with pytest.raises(InputError, match="INC, HOVAL, both and the constant that is added are collinear"):
        residual_moran(y, graph, X.assign(both=X.sum(axis=1)))
    with pytest.raises(InputError, match="one and the constant"):
        residual_moran(y, graph, pd.DataFrame({"one": 1.0}, index=y.index))
    with pytest.raises(InputError, match="fit CRIME perfectly"):
        residual_moran(y, graph, pd.DataFrame({"same": y * 2 + 1}))
    with pytest.raises(RegionError, match="X lacks 1"):
        residual_moran(y, graph, X.drop(index="1"))
    with pytest.raises(InputError, match="must be finite"):
        residual_moran(y, graph, X.where(X > 10))
    with pytest.raises(InputError, match="one of exact-normal, saddlepoint, normal, permutation"):
        residual_moran(y, graph, X, method="imhof")
    many = pd.DataFrame(np.random.default_rng(0).normal(size=(49, 46)), index=y.index)
    with pytest.raises(InputError, match="2 degrees of freedom"):
        residual_moran(y, graph, many)


def test_a_fit_of_statsmodels_gives_what_its_tables_give(oldcol):
    table, graph = oldcol
    X = table[["INC", "HOVAL"]]
    fits = [
        smf.ols("CRIME ~ INC + HOVAL", table).fit(),
        sm.OLS(table["CRIME"], sm.add_constant(X)).fit(),
    ]
    told = residual_moran(table["CRIME"], graph, X).to_frame()
    for fit in fits:
        pd.testing.assert_frame_equal(residual_moran(fit, graph).to_frame(), told, rtol=1e-9)
    with pytest.raises(InputError, match="brings its own regressors"):
        residual_moran(fits[0], graph, X)
    with pytest.raises(InputError, match="values is WLS; a DataFrame"):
        residual_moran(sm.WLS(table["CRIME"], X).fit(), graph)
    with pytest.raises(InputError, match="bare arrays"):
        residual_moran(sm.OLS(table["CRIME"].to_numpy(), X.to_numpy()).fit(), graph)
