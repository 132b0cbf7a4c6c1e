from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import spreg
import statsmodels.api as sm
from libpysal.graph import Graph
from scipy import stats

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import graph_from_pairs
from spatialkz.prerequisites import spatial_diagnostics, spatial_regression
from spatialkz.spatial import moran_power, residual_moran

REFERENCE = Path(__file__).parent.parent / "reference"
COVARIATES = ["INC", "HOVAL"]
TESTS = ["lm_error", "lm_lag", "robust_lm_error", "robust_lm_lag"]


@pytest.fixture(scope="module")
def columbus():
    table = pd.read_csv(REFERENCE / "spatial/columbus.csv", dtype={"region": str}).set_index("region")
    pairs = pd.read_csv(REFERENCE / "spatial/columbus_neighbors.csv", dtype=str)
    return table, graph_from_pairs(pairs, table.index)


@pytest.fixture(scope="module")
def lattice():
    """Columbus with one neighborhood more, so that there are 50, and its table."""
    table = pd.read_csv(REFERENCE / "spatial/columbus.csv", dtype={"region": str}).set_index("region")
    pairs = pd.read_csv(REFERENCE / "spatial/columbus_neighbors.csv", dtype=str)
    more = pd.DataFrame([["50", "49"], ["49", "50"]], columns=pairs.columns)
    table.loc["50"] = [30.0, 12.0, 40.0]
    return table, graph_from_pairs(pd.concat([pairs, more]), table.index)


@pytest.fixture(scope="module")
def spatialreg():
    """``spatialreg(model, quantity)``: a Series by term; see make_spatial_reference.R."""
    found = pd.read_csv(REFERENCE / "prerequisites/spatial.csv", keep_default_na=False)
    found = found.set_index(["model", "quantity", "term"])["value"].sort_index()
    return lambda model, quantity: found.loc[(model, quantity)]


@pytest.fixture
def from_49(monkeypatch):
    """Columbus has one region too few for what is offered, and is what other packages are checked on."""
    monkeypatch.setattr("spatialkz.prerequisites.regression.LEAST_REGIONS", 49)


def test_multiplier_tests_of_columbus_equal_spdep(columbus, spatialreg):
    table, graph = columbus
    found = spatial_diagnostics(table["CRIME"], table[COVARIATES], graph, draws=99, rng=1).to_frame()
    found = found.droplevel("variable")
    for quantity in ("statistic", "p_value"):
        wanted = spatialreg("ols", quantity)
        assert found.loc[TESTS, quantity].to_dict() == pytest.approx(wanted.to_dict(), rel=1e-9)
    # Anselin (1988) and methods.md of the study: as printed.
    assert found.loc[TESTS, "statistic"].round(8).tolist() == [5.72313095, 9.36368357, 0.07949493, 3.72004755]
    exact = residual_moran(table["CRIME"], graph, table[COVARIATES]).to_frame().loc["CRIME"]
    assert found.loc["moran", "statistic"] == pytest.approx(0.2356384, abs=5e-8)
    assert found.loc["moran", "p_value"] == exact["p_value"]


def test_multiplier_tests_equal_spreg_of_several_variables(columbus):
    table, graph = columbus
    draw = np.random.default_rng(4).lognormal(size=(49, 3))
    values = pd.DataFrame(draw, index=table.index, columns=["a", "b", "c"])
    found = spatial_diagnostics(values, table[COVARIATES], graph, draws=99, rng=1).to_frame()["statistic"]
    weights = graph.transform("r").to_W()
    order = list(weights.id_order)
    for name in values:
        y, x = values.loc[order, [name]].to_numpy(), table.loc[order, COVARIATES].to_numpy()
        ols = spreg.OLS(y, x)
        told = spreg.LMtests(ols, weights)
        wanted = [told.lme[0], told.lml[0], told.rlme[0], told.rlml[0]]
        assert found[name][TESTS].tolist() == pytest.approx(wanted, rel=1e-9)


def test_simulated_p_values_hold_where_those_of_chi_square_do_not(study):
    regions, rng = study.table.regions, np.random.default_rng(8)
    X = pd.DataFrame(rng.normal(size=(17, 2)), index=regions, columns=["x", "z"])
    y = pd.DataFrame(rng.normal(size=(17, 400)), index=regions)
    found = spatial_diagnostics(y, X, study.graph, draws=999, rng=1).to_frame()
    rejected = (found["p_simulated"] <= 0.05).groupby(level="test").mean()
    assert (abs(rejected - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 400)).all()
    # What ``size`` says of the χ² p-values is what they do.
    nominal = (found["p_value"] <= 0.05).groupby(level="test").mean()
    told = found["size"].groupby(level="test").mean()
    assert (abs(nominal - told) < 4 * np.sqrt(0.05 * 0.95 / 400)).all()
    assert told["moran"] == pytest.approx(0.05, abs=0.005)
    assert told["lm_lag"] < 0.04


def test_power_of_moran_is_that_of_the_exact_curve(study):
    # Of residuals from almost no regressor, so that it must be close to the power for plain values.
    regions, rng = study.table.regions, np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(17, 1)), index=regions, columns=["x"])
    y = pd.Series(rng.normal(size=17), index=regions, name="y")
    found = spatial_diagnostics(y, X, study.graph, rho=0.8, draws=9999, rng=1).to_frame()
    exact = moran_power(study.graph, 0.8).to_frame()["power"].iloc[0]
    assert found.loc[("y", "moran"), "power"] == pytest.approx(exact, abs=0.08)
    none = spatial_diagnostics(y, X, study.graph, rho=0.0, draws=999, rng=1).to_frame()
    assert none["power"].tolist() == none["size"].tolist()


def test_rows_in_another_order_change_nothing(columbus, lattice, shuffled):
    table, graph = columbus
    given = {"draws": 99, "rng": 1}
    found = spatial_diagnostics(table["CRIME"], table[COVARIATES], graph, **given).to_frame()
    again = spatial_diagnostics(shuffled(table["CRIME"]), table[COVARIATES], graph, **given).to_frame()
    pd.testing.assert_frame_equal(again, found)
    table, graph = lattice
    found = spatial_regression(table["CRIME"], table[COVARIATES], graph, **given)
    again = spatial_regression(shuffled(table["CRIME"]), table[COVARIATES], graph, **given)
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    pd.testing.assert_frame_equal(again.impacts, found.impacts)


@pytest.mark.usefixtures("from_49")
@pytest.mark.parametrize("model", ["lag", "error", "slx", "durbin"])
def test_regressions_of_columbus_equal_spatialreg(columbus, spatialreg, model):
    table, graph = columbus
    test = spatial_regression(table["CRIME"], table[COVARIATES], graph, model=model, rng=1)
    found = test.to_frame().droplevel("variable")
    for quantity in ("estimate", "std_error"):
        wanted = spatialreg(model, quantity)
        assert set(found.index) == set(wanted.index)
        # Both stop when ρ is known to about 1e-7.
        assert found[quantity].to_dict() == pytest.approx(wanted.to_dict(), rel=1e-6)
    assert test.fit.loc["CRIME", "log_likelihood"] == pytest.approx(
        spatialreg(model, "log_likelihood").iloc[0]
    )
    if model in ("lag", "durbin"):
        for impact in ("direct", "indirect", "total"):
            impacts = test.impacts.loc["CRIME"].xs(impact, level="impact")["estimate"]
            assert impacts.to_dict() == pytest.approx(spatialreg(model, impact).to_dict(), rel=1e-6)


@pytest.mark.usefixtures("from_49")
def test_columbus_as_printed(columbus):
    table, graph = columbus
    told = {
        "lag": (0.4310232, -182.3904272),
        "error": (0.5617903, -183.3804690),
    }
    for model, (dependence, likelihood) in told.items():
        fit = spatial_regression(table["CRIME"], table[COVARIATES], graph, model=model).fit.loc["CRIME"]
        assert fit["dependence"] == pytest.approx(dependence, abs=1e-7)
        assert fit["log_likelihood"] == pytest.approx(likelihood, abs=1e-7)


@pytest.mark.usefixtures("from_49")
@pytest.mark.parametrize("model", ["lag", "error", "durbin"])
def test_units_change_nothing_but_units(columbus, model):
    table, graph = columbus
    given = {"model": model, "rng": 1}
    found = spatial_regression(table["CRIME"], table[COVARIATES], graph, **given)
    large = spatial_regression(1e12 * table["CRIME"], 1e3 * table[COVARIATES], graph, **given)
    assert large.impacts.to_numpy() == pytest.approx(1e9 * found.impacts.to_numpy(), rel=1e-5)
    z, again = found.to_frame()["z"], large.to_frame()["z"]
    assert again.tolist() == pytest.approx(z.tolist(), rel=1e-5)
    # Likelihood of values in units 1e12 as small.
    assert (found.fit - large.fit)["log_likelihood"].iloc[0] == pytest.approx(49 * np.log(1e12))
    assert large.fit["p_value"].iloc[0] == pytest.approx(found.fit["p_value"].iloc[0], rel=1e-5)


def test_intervals_of_impacts_hold_the_truth(lattice):
    table, graph = lattice
    regions, rng = table.index, np.random.default_rng(3)
    weights = graph.transform("r").sparse.toarray()
    spread = np.linalg.inv(np.eye(50) - 0.4 * weights)
    order = list(graph.unique_ids)
    x = pd.DataFrame(rng.normal(size=(50, 1)), index=order, columns=["x"])
    y = pd.DataFrame(spread @ (2 * x.to_numpy() + rng.normal(size=(50, 60))), index=order).loc[regions]
    held = spatial_regression(y, x, graph, rng=1).impacts
    truth = {"direct": 2 * np.diag(spread).mean(), "total": 2 / 0.6}
    truth["indirect"] = truth["total"] - truth["direct"]
    for impact, value in truth.items():
        rows = held.xs(impact, level="impact")
        inside = ((rows["low"] <= value) & (value <= rows["high"])).mean()
        # 95 % but for Monte-Carlo error of 60 tables, and the asymptotic law at n = 50.
        assert inside >= 0.85


def test_bad_input_is_refused(columbus, lattice, study):
    table, graph = columbus
    y, X = table["CRIME"], table[COVARIATES]
    with pytest.raises(
        InputError, match="There are 49 regions, and spatial regression is offered from 50 on"
    ):
        spatial_regression(y, X, graph)
    with pytest.raises(InputError, match="model is 'sar'; it must be one of lag, error, slx, durbin"):
        spatial_regression(y, X, graph, model="sar")
    with pytest.raises(InputError, match=r"rho is 1.0; a number between -1 and 1"):
        spatial_diagnostics(y, X, graph, rho=1.0)
    table, graph = lattice
    y, X = table["CRIME"], table[COVARIATES]
    for function in (spatial_diagnostics, spatial_regression):
        with pytest.raises(RegionError, match="covariates lacks 1"):
            function(y, X.drop(index="1"), graph)
        with pytest.raises(InputError, match="collinear"):
            function(y, X.assign(both=X.sum(axis=1)), graph)
    regions = study.table.regions
    everyone = pd.DataFrame(1.0 - np.eye(17), regions, regions).stack()
    complete = Graph(everyone[everyone > 0].rename_axis(["focal", "neighbor"]).rename("weight"))
    values = study.table.values
    with pytest.raises(GraphError):
        spatial_diagnostics(values["research"], values[["chemical"]], complete)


def test_lags_that_repeat_the_covariates_are_refused(lattice):
    table, _ = lattice
    one = pd.DataFrame({"x": np.arange(50.0) % 2}, index=table.index)
    ring = table.index
    pairs = Graph.from_arrays([*ring, *ring], [*ring[1:], ring[0], ring[-1], *ring[:-1]], [1.0] * 100)
    # Every neighbor of an odd region is even: the lag of x is 1 − x.
    with pytest.raises(InputError, match="collinear"):
        spatial_regression(table["CRIME"], one, pairs, model="durbin")
    with pytest.raises(GraphError, match="combination of the regions' own for CRIME"):
        spatial_diagnostics(table["CRIME"], one, pairs, draws=99)


def test_p_values_are_those_of_their_laws(lattice):
    table, graph = lattice
    y, X = table["CRIME"], table[COVARIATES]
    for model, law in {"lag": stats.norm, "error": stats.norm, "slx": stats.t(45)}.items():
        test = spatial_regression(y, X, graph, model=model)
        found = test.to_frame().loc["CRIME"]
        terms = found.drop(index=["rho", "lambda"], errors="ignore")
        assert terms["p_value"].to_numpy() == pytest.approx(2 * law.sf(terms["z"].abs()))
        fit, ols = test.fit.loc["CRIME"], sm.OLS(y, sm.add_constant(X)).fit()
        assert fit["log_likelihood_ols"] == pytest.approx(ols.llf)
        ratio = 2 * (fit["log_likelihood"] - ols.llf)
        assert fit["p_value"] == pytest.approx(stats.chi2.sf(ratio, 2 if model == "slx" else 1))
        if model != "slx":
            assert found["p_value"].iloc[-1] == fit["p_value"]
