"""The whole test: labels, deletions, formulas, levels and power, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest

from spatialkz import PrerequisiteTest, prerequisite_test
from spatialkz.errors import InputError, RegionError

REGIONS = pd.Index([f"r{i:02}" for i in range(17)])
COLUMNS = (
    "slope low high r p_value p_adjusted p_familywise p_robust df_robust worst_p rests_on detectable n label"
).split()
QUICK = {"permutations": 199, "deletions": 0, "rng": 1}


def labelled(y, x, **options):
    table = pd.DataFrame({"sector": np.asarray(y, dtype=float)}, REGIONS)
    test = prerequisite_test(
        table, pd.DataFrame({"x": np.asarray(x, dtype=float)}, REGIONS), transform="none", rng=1, **options
    )
    return test.to_frame().iloc[0]


def test_the_table_has_a_row_for_each_pair_in_the_order_given(drawn):
    quotients, covariates = drawn["quotients"].iloc[::-1, ::-1], drawn["covariates"].iloc[:, [2, 0]]
    test = prerequisite_test(quotients, covariates, **QUICK)
    assert isinstance(test, PrerequisiteTest)
    table = test.to_frame()
    assert list(table.columns) == COLUMNS
    assert list(table.index) == [(m, k) for m in quotients.columns for k in covariates.columns]
    assert table.index.names == ["sector", "covariate"]
    assert list(test.expected.index) == list(quotients.index)
    assert list(test.skill.index) == list(quotients.columns)
    assert json.loads(json.dumps(test.to_dict(), allow_nan=False))["alpha"] == 0.05
    assert "10 tests" in test.summary()


def test_shuffled_rows_change_nothing(drawn):
    first = prerequisite_test(**drawn, permutations=199, rng=1)
    shuffled = {name: table.sample(frac=1, random_state=len(name)) for name, table in drawn.items()}
    again = prerequisite_test(**shuffled, permutations=199, rng=1)
    for name in ("table", "influence", "design"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(first, name))
    pd.testing.assert_frame_equal(again.expected.sort_index(), first.expected)
    assert not again.expected.index.is_monotonic_increasing


def test_a_slope_is_that_of_one_standard_deviation(quotients, covariates):
    once = prerequisite_test(quotients, covariates, **QUICK).to_frame()
    again = prerequisite_test(quotients, 3 * covariates + 2, **QUICK).to_frame()
    pd.testing.assert_frame_equal(once, again, rtol=1e-8)
    y, x = np.log1p(quotients["computer"]), covariates["staff"]
    assert once.loc[("computer", "staff"), "slope"] == pytest.approx(np.cov(x, y)[0, 1] / x.std(ddof=1))


def test_leaving_regions_out_is_the_test_without_them(quotients, covariates):
    options = {"permutations": 999, "rng": 1}
    test = prerequisite_test(quotients, covariates, deletions=1, **options)
    for region in ("Almaty City", "Zhambyl"):
        fewer = prerequisite_test(quotients, covariates, without=[region], deletions=0, **options).to_frame()
        left = test.influence.xs(region, level="region")
        for column in ("r", "p_value", "p_robust"):
            assert left[column].to_numpy() == pytest.approx(fewer[column].to_numpy(), rel=1e-9)
        # Slopes without a region keep the unit of all regions.
        unit = covariates.std() / covariates.drop(index=region).std()
        assert left["slope"].to_numpy() == pytest.approx(fewer["slope"] * np.tile(unit, 11))
    worst = test.influence["p_value"].groupby(["sector", "covariate"], sort=False).max()
    pd.testing.assert_series_equal(test.table["worst_p"], worst, check_names=False)


def test_a_finding_that_holds_without_any_two_regions_is_supported():
    x = np.arange(17.0)
    found = labelled(10 + x + np.tile([1, -1, 0.5], 6)[:17], x)
    assert found["label"] == "supported"
    assert found["rests_on"] == ""
    assert found["worst_p"] < 0.01


def test_a_finding_of_one_region_is_named():
    x = np.arange(17.0)
    noise = np.tile([1, -1, 0.5, -0.5], 5)[:17]
    found = labelled(10 + 0.105 * x + noise, x)
    assert (found["label"], found["rests_on"]) == ("rests on one region", "r16")
    assert found["worst_p"] == pytest.approx(0.08, abs=0.02)
    # Its p-value by permutations is small because of one region; the robust one is not.
    x, y = np.tile([-1.0, 1.0, 0.0], 6)[:17], np.tile([-0.2, 0.3, 0.1, -0.1, 0.2], 4)[:17]
    x[4], y[4] = 2.5, 2.0
    alone = labelled(10 + y, x)
    assert (alone["label"], alone["rests_on"]) == ("unequal variance", "r04")


def test_a_finding_of_two_regions_is_named():
    x, y = np.tile([-0.3, 0.3, 0.0], 6)[:17], np.tile([0.2, 0.1, -0.2, -0.1], 5)[:17]
    x[[3, 9]] += 3
    y[[3, 9]] += 3
    found = labelled(y + 10, x)
    assert (found["label"], found["rests_on"]) == ("rests on two regions", "r03 and r09")
    assert labelled(y + 10, x, deletions=1)["label"] == "supported"


def test_a_mark_of_one_region_can_show_nothing():
    y = np.random.default_rng(0).lognormal(size=17)
    y[3] = 1000
    found = labelled(y, np.arange(17) == 3)
    assert found["p_value"] == pytest.approx(1 / 17)
    assert found["label"] == "unattainable"
    assert np.isnan(found["detectable"])
    assert np.isinf([found["low"], found["high"]]).all()
    only = labelled(np.where(np.arange(17) == 3, 5.0, 0.0), np.arange(17.0) ** 1.5)
    assert only["label"] == "unattainable"
    # A region more in the mark, and 136 arrangements, can.
    assert labelled(y, (np.arange(17) == 3) | (np.arange(17) == 8))["label"] != "unattainable"


def test_the_same_activity_is_never_a_finding():
    x = np.arange(17.0)
    assert labelled(x + 10, x)["label"] == "supported"
    found = labelled(x + 10, x, same_activity=[("sector", "x")])
    assert found["label"] == "same activity"
    assert np.isnan(found["p_familywise"])
    beside = pd.DataFrame({"c": np.sin(x)}, REGIONS)
    found = labelled(2 * x + 10, x, controls=beside)
    ends = [found["slope"]] * 2
    assert found[["low", "high"]].tolist() == pytest.approx(ends)
    assert found[["p_value", "p_robust"]].tolist() == [1e-4, pytest.approx(0, abs=1e-12)]


def test_only_the_permutation_p_is_small_where_variances_differ(quotients, covariates):
    table = prerequisite_test(quotients, covariates[["staff"]], rng=1, deletions=0).to_frame()
    row = table.loc[("programming", "staff")]
    assert row["p_value"] < 0.01
    assert row["p_robust"] > 0.05
    assert row["label"] == "unequal variance"


def test_formulas_make_controls_and_transforms(drawn):
    quotients, covariates = drawn["quotients"], drawn["covariates"]
    made = prerequisite_test(
        quotients, covariates, controls="exp(x1) + `x2`", transform="log(quotient + 1)", **QUICK
    )
    beside = pd.DataFrame({"a": np.exp(covariates["x1"]), "b": covariates["x2"]})
    given = prerequisite_test(quotients, covariates[["x0"]], controls=beside, **QUICK)
    pd.testing.assert_frame_equal(made.to_frame(), given.to_frame(), rtol=1e-9)


@pytest.mark.parametrize(
    ("transform", "forth"), [("none", lambda q: q), ("symmetric", lambda q: (q - 1) / (q + 1))]
)
def test_named_transforms(drawn, transform, forth):
    quotients, covariates = drawn["quotients"], drawn["covariates"]
    test = prerequisite_test(quotients, covariates, transform=transform, **QUICK)
    y, x = forth(quotients["s3"]), covariates["x1"]
    assert test.table.loc[("s3", "x1"), "r"] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert (test.expected >= 0).all(axis=None)


def test_the_design_is_told_and_flagged(drawn):
    covariates = drawn["covariates"].assign(port=(np.arange(17) == 5).astype(int))
    covariates["like0"] = covariates["x0"] + 0.1 * covariates["x1"]
    design = prerequisite_test(drawn["quotients"], covariates, **QUICK).design
    assert design.loc["port", ["leverage", "region"]].tolist() == [pytest.approx(1), "r05"]
    assert "leverage" in design.loc["port", "flags"]
    assert design.loc["x0", "correlated_with"] == "like0"
    assert design.loc["x0", "correlation"] == pytest.approx(covariates["x0"].corr(covariates["like0"]))
    assert design.loc["x0", "flags"] == "correlation"
    assert (design["rank"] == 2).all()


def simulated(errors, x, controls=None, **options):
    """Share of null hypotheses rejected at 5 %, by p-value; a column of errors each."""
    low = errors.min()
    table = pd.DataFrame(errors - low, REGIONS)
    beside = None if controls is None else pd.DataFrame(controls, REGIONS)
    given = {**QUICK, "transform": "none", **options}
    found = prerequisite_test(table, pd.DataFrame({"x": x}, REGIONS), controls=beside, **given).to_frame()
    return (found[["p_value", "p_robust"]] <= 0.05).mean()


@pytest.mark.parametrize("width", [0, 2])
def test_permutations_reject_one_null_hypothesis_in_twenty(width):
    rng = np.random.default_rng(1)
    rejected = []
    for law in (
        rng.standard_normal,
        lambda size: rng.standard_t(2, size),
        lambda size: rng.lognormal(size=size),
    ):
        for _ in range(4):  # designs
            controls = rng.normal(size=(17, width)) if width else None
            rejected.append(simulated(law((17, 500)), rng.normal(size=17), controls)["p_value"])
    # 6,000 tables: standard error .3 percentage points, and errors of one law more alike.
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.012)


def test_robust_p_values_guard_against_variance_that_grows_with_the_covariate():
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(6):
        x = rng.normal(size=17)
        shares.append(simulated(np.exp(x)[:, None] * rng.normal(size=(17, 500)), x))
    mean = pd.concat(shares, axis=1).mean(axis=1)
    assert mean["p_value"] > 0.15
    assert mean["p_robust"] < 0.08


def test_four_of_five_detectable_correlations_are_found():
    rng = np.random.default_rng(4)
    x = rng.normal(size=17)
    table = labelled(rng.lognormal(size=17), x, deletions=0)
    assert table["detectable"] == pytest.approx(0.588, abs=5e-4)
    z = (x - x.mean()) / x.std()
    slope = 0.588 / np.sqrt(1 - 0.588**2)
    found = simulated(slope * z[:, None] + rng.normal(size=(17, 2000)), x)
    assert found["p_value"] == pytest.approx(0.8, abs=0.03)


def test_one_family_in_twenty_has_a_false_finding():
    rng = np.random.default_rng(6)
    quotients = pd.DataFrame(rng.lognormal(size=(17, 2000)), REGIONS)
    covariates = pd.DataFrame(rng.normal(size=(17, 4)), REGIONS)
    covariates[4] = covariates[0] + 0.5 * covariates[1]
    table = prerequisite_test(quotients, covariates, family="sector", **QUICK).table
    assert (table["p_familywise"].groupby("sector").min() <= 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (table["p_value"].groupby("sector").min() <= 0.05).mean() > 0.12


def changed(table, **columns):
    return table.assign(**columns)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda d: {"covariates": changed(d["covariates"], twin=2 - d["covariates"]["x0"])},
            "x0 and twin are",
        ),
        (
            lambda d: {"covariates": changed(d["covariates"], flat=1.0)},
            "covariate flat is the same in all 17",
        ),
        (lambda d: {"covariates": d["covariates"].mask(d["covariates"] > 1.5)}, "covariates must be finite"),
        (lambda d: {"quotients": changed(d["quotients"], none=0.0)}, "sector none is the same in all 17"),
        (lambda d: {"quotients": d["quotients"].mask(d["quotients"] > 5)}, "quotients must be finite"),
        (lambda d: {"quotients": d["quotients"].iloc[:5]}, "There are 5 regions; at least 6"),
        (lambda d: {"controls": changed(d["controls"], c2=d["controls"]["c0"] ** 2)}, "makes 4 regressors"),
        (
            lambda d: {"controls": d["covariates"][["x1"]] * 2},
            "covariate x1 is a combination of the controls",
        ),
        (
            lambda d: {"controls": d["controls"].assign(c1=3 * d["controls"]["c0"])},
            "controls .* are collinear",
        ),
        (lambda d: {"controls": np.log1p(d["quotients"][["s1"]])}, "sector s1 is a combination"),
        (lambda _: {"controls": "x1 +"}, "is no formula that can be computed"),
        (lambda _: {"controls": "x7"}, "uses x7"),
        (lambda _: {"controls": "log(x0 - 9)"}, "must be finite"),
        (lambda _: {"controls": "x0 + x1 + x2"}, "uses every covariate"),
        (lambda _: {"transform": "log"}, "transform is 'log'; it must be one of log1p"),
        (lambda _: {"transform": "poly(quotient, 2)"}, "makes 2 columns"),
        (lambda _: {"same_activity": [("s1", "x9")]}, "covariate that is not given: x9"),
        (lambda _: {"same_activity": ["s1"]}, "pairs .sector, covariate. were expected"),
        (lambda _: {"without": ["Gotham"]}, "without names regions"),
        (lambda _: {"without": "r01"}, "names of regions were expected"),
        (lambda _: {"deletions": 3}, "deletions is 3"),
    ],
)
def test_unfit_input_is_refused_by_name(drawn, change, said):
    given = {"quotients": drawn["quotients"], "covariates": drawn["covariates"], **change(drawn)}
    if "quotients" in change(drawn) and len(given["quotients"]) < 17:
        given["covariates"] = given["covariates"].loc[given["quotients"].index]
    with pytest.raises(InputError, match=said):
        prerequisite_test(**given)


def test_covariates_of_another_division_are_refused_with_what_differs(quotients, covariates):
    later = covariates.rename(index={"Karaganda": "Ulytau"})
    with pytest.raises(RegionError, match="covariates lacks Karaganda; covariates has Ulytau"):
        prerequisite_test(quotients, later)


def test_control_that_many_regions_can_carry(quotients, covariates):
    controls = covariates[["product"]].assign(square=covariates["product"] ** 2)
    test = prerequisite_test(quotients, covariates[["staff"]], controls=controls, **QUICK)
    assert (test.design["rank"] == 4).all()


def test_a_covariate_of_one_region_alone_is_not_supported_however_many_regions_there_are():
    """Its slope is that region's distance from the mean of the others, whose variance says nothing of it."""
    regions = [f"r{number}" for number in range(61)]
    values = pd.DataFrame(np.random.default_rng(1).lognormal(size=(61, 40)), regions)
    mark = pd.DataFrame({"mark": [1.0] + [0.0] * 60}, regions)
    found = prerequisite_test(values, mark, permutations=99, rng=1).to_frame()
    assert (found["p_robust"] == 1).all()
    assert (found["p_value"] <= 0.05).any()
    assert not (found["label"] == "supported").any()
