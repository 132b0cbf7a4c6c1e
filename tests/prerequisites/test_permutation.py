"""Permuted regressors against refitting each permuted sector, and intervals against the test itself."""

from itertools import combinations

import joblib
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from spatialkz import prerequisite_test
from spatialkz.prerequisites import permutation
from spatialkz.prerequisites.least_squares import Partialled
from spatialkz.prerequisites.permutation import Orders, Simulated
from spatialkz.randomness import generator
from spatialkz.resampling import parallel
from spatialkz.resampling.shuffles import order_keys

SEVEN = ["Almaty City", "Nur-Sultan", "Shymkent", "Karaganda", "East Kazakhstan", "Pavlodar", "Atyrau"]
ALTERNATIVES = ["two-sided", "greater", "less"]


def refitted(z, y, controls, order):
    """The t of one permuted sector as Freedman and Lane define it."""
    null = sm.add_constant(controls) if controls.shape[1] else np.ones((len(z), 1))
    fitted = null @ np.linalg.lstsq(null, y, rcond=None)[0]
    model = sm.OLS(fitted + (y - fitted)[order], np.column_stack([null, z])).fit()
    return model.tvalues[-1]


@pytest.mark.parametrize(("controls", "model"), [(None, "y ~ x"), (["product"], "y ~ g + x")])
def test_seven_regions_are_arranged_in_all_5040_ways(quotients, covariates, reference, controls, model):
    beside = None if controls is None else covariates.loc[SEVEN, controls]
    options = {"controls": beside, "deletions": 0, "rng": 1}
    for alternative in ("two-sided", "greater"):
        test = prerequisite_test(
            quotients.loc[SEVEN, ["computer"]],
            covariates.loc[SEVEN, ["staff"]],
            alternative=alternative,
            **options,
        )
        extreme = "extreme" if alternative == "two-sided" else "greater"
        row = test.to_frame().iloc[0]
        assert row["p_value"] * 5040 == pytest.approx(reference[f"seven {model} {extreme}"], abs=1e-9)
        degrees = 5 - len(controls or [])
        t = row["r"] * np.sqrt(degrees / (1 - row["r"] ** 2))
        assert t == pytest.approx(reference[f"seven {model} t"], rel=1e-6)


@pytest.mark.parametrize("width", [0, 1, 2])
def test_each_permutation_is_that_of_a_refitted_model(drawn, width):
    z, y, c = (drawn[name].to_numpy() for name in ("covariates", "quotients", "controls"))
    c = c[:, :width]
    fit = Partialled.of(z, y, c)
    orders = Orders(17, order_keys(np.random.default_rng(1), 20))
    scores = Simulated.of(fit, orders).scores(fit, "greater")
    degrees = fit.degrees
    for r, k, m in np.ndindex(20, 3, 5):
        # Regressors that are permuted by π meet residuals that are permuted by its inverse.
        t = refitted(z[:, k], y[:, m], c, np.argsort(orders.block(slice(None))[:, r]))
        assert scores[k, m, r] == pytest.approx(t / np.sqrt(t**2 + degrees), abs=1e-9)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_few_marked_regions_are_gone_through(drawn, alternative):
    quotients = drawn["quotients"]
    marked = pd.DataFrame({"city": (np.arange(17) % 6 == 1).astype(int)}, quotients.index)
    assert marked["city"].sum() == 3
    test = prerequisite_test(quotients, marked, alternative=alternative, deletions=0, rng=1).to_frame()
    y = np.log1p(quotients.to_numpy())
    sums = np.array([y[list(some)].sum(axis=0) for some in combinations(range(17), 3)])
    away = sums - 3 * y.mean(axis=0)
    observed = (marked["city"].to_numpy() @ y) - 3 * y.mean(axis=0)
    if alternative == "two-sided":
        away, observed = np.abs(away), np.abs(observed)
    elif alternative == "less":
        away, observed = -away, -observed
    share = (away >= observed - 1e-9).mean(axis=0)
    assert test["p_value"].to_numpy() == pytest.approx(share, abs=1e-12)


def test_how_marks_are_written_changes_no_p_value(drawn):
    marks = pd.DataFrame({"city": np.arange(17) < 7}, drawn["quotients"].index)
    found = [
        prerequisite_test(drawn["quotients"], marks * step + start, permutations=999, deletions=0, rng=1)
        for start, step in ((0, 1), (0.1, 1 / 3), (-1e6, 7e-3))
    ]
    for other in found[1:]:
        for column in ("p_value", "p_familywise", "label"):
            assert (other.table[column] == found[0].table[column]).all()


@pytest.mark.parametrize("family", ["all", "sector", "covariate"])
def test_a_family_is_judged_by_its_largest_statistic(drawn, family):
    quotients, covariates = drawn["quotients"], drawn["covariates"]
    same = [("s1", "x0")]
    options = {"permutations": 199, "deletions": 0, "rng": 5, "family": family, "same_activity": same}
    table = prerequisite_test(quotients, covariates, **options).to_frame()
    keys = order_keys(generator(5, "prerequisite_test"), 199)
    every = Orders(17, keys).block(slice(None))
    y, z = np.log1p(quotients.to_numpy()), covariates.to_numpy()

    def correlations(order):
        return np.abs(np.corrcoef(z[order].T, y.T)[:3, 3:])

    simulated = np.array([correlations(order) for order in every.T.astype(int)])
    observed = correlations(np.arange(17))
    counted = np.ones((3, 5), dtype=bool)
    counted[0, 1] = False
    for k, m in np.argwhere(counted):
        members = counted.copy()
        if family == "sector":
            members[:, np.arange(5) != m] = False
        elif family == "covariate":
            members[np.arange(3) != k] = False
        largest = simulated[:, members].max(axis=1)
        row = table.loc[(quotients.columns[m], covariates.columns[k])]
        assert row["p_familywise"] == pytest.approx((1 + (largest >= observed[k, m] - 1e-10).sum()) / 200)
        assert row["p_familywise"] >= row["p_value"]
    assert table.loc[same, ["p_familywise", "p_adjusted"]].isna().all(axis=None)


@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_an_interval_ends_where_the_test_begins_to_reject(drawn, width, alternative):
    controls = drawn["controls"].iloc[:, :width] if width else None
    options = {"controls": controls, "alternative": alternative, "transform": "none", "permutations": 499}
    options |= {"deletions": 0, "rng": 2}
    y, covariates = drawn["quotients"], drawn["covariates"]
    found = prerequisite_test(y, covariates, **options).to_frame()
    z = (covariates - covariates.mean()) / covariates.std()
    for sector, covariate in [("s0", "x0"), ("s2", "x1"), ("s4", "x2")]:
        row = found.loc[(sector, covariate)]
        assert row["low"] < row["slope"] < row["high"]
        assert np.isinf(row["low"]) == (alternative == "less")
        assert np.isinf(row["high"]) == (alternative == "greater")
        for end, outwards in (("low", -1), ("high", 1)):
            if np.isinf(row[end]):
                continue
            for inside in (False, True):
                b = row[end] + (-1 if inside else 1) * outwards * 1e-4 * abs(row[end] - row["slope"])
                # Moved up, so that no value is below 0.
                moved = (y[sector] - b * z[covariate]).to_frame() + 1e3
                again = prerequisite_test(moved, covariates[[covariate]], **options).to_frame()
                assert (again["p_value"].item() > 0.05) == inside


@pytest.mark.parametrize("width", [0, 1])
def test_an_interval_holds_zero_where_the_test_does_not_reject(width):
    rng, regions = np.random.default_rng(8), pd.RangeIndex(17)
    x = pd.DataFrame({"x": rng.normal(size=17)}, regions)
    controls = pd.DataFrame({"c": rng.normal(size=17)}, regions) if width else None
    slopes = 0.6 * rng.normal(size=200)
    y = pd.DataFrame(np.exp(x.to_numpy() * slopes + rng.normal(size=(17, 200))), regions)
    test = prerequisite_test(y, x, controls=controls, permutations=199, deletions=0, rng=1).to_frame()
    holds = (test["low"] <= 0) & (test["high"] >= 0)
    assert (holds == (test["p_value"] > 0.05)).all()
    assert 0.2 < holds.mean() < 0.9


def test_results_of_a_pair_depend_on_no_other(drawn):
    whole = prerequisite_test(drawn["quotients"], drawn["covariates"], permutations=499, rng=1).to_frame()
    one = prerequisite_test(drawn["quotients"][["s2"]], drawn["covariates"][["x1"]], permutations=499, rng=1)
    alone = one.to_frame().iloc[0]
    for column in ("slope", "low", "high", "r", "p_value", "p_robust", "worst_p", "detectable"):
        assert alone[column] == pytest.approx(whole.loc[("s2", "x1"), column], rel=1e-9)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_blocks_and_workers_change_nothing(drawn, monkeypatch, backend):
    options = {"controls": drawn["controls"], "permutations": 499, "deletions": 0, "rng": 1}
    whole = prerequisite_test(drawn["quotients"], drawn["covariates"], **options)
    for name, size in (
        ("_MOST_HELD", 5000),
        ("_MOST_GATHERED", 15_000),
        ("_MOST_KEPT", 0),
        ("_SEARCHED", 600),
    ):
        monkeypatch.setattr(permutation, name, size)
    monkeypatch.setattr(parallel, "_WORTH_A_WORKER", 0)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        parts = prerequisite_test(drawn["quotients"], drawn["covariates"], **options)
    pd.testing.assert_frame_equal(parts.to_frame(), whole.to_frame(), rtol=1e-9)
