"""All that is asked of a study's covariates, put together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import spatialkz
from spatialkz.errors import InputError
from spatialkz.prerequisites import (
    check_prerequisites,
    policy_contrast,
    prerequisite_findings,
    prerequisite_study,
    prerequisite_test,
    spatial_diagnostics,
    threshold_odds,
)
from spatialkz.spatial import residual_moran
from spatialkz.tables import covariate_rows, covariate_table


@pytest.fixture(scope="module")
def found(quick):
    return prerequisite_study(quick, rng=5)


def of_table(table):
    rows = covariate_rows(table.rename_axis("region").reset_index(), "covariates.csv")
    return covariate_table(rows)


def test_the_parts_are_those_of_the_single_functions(found, quick):
    quotients, known = quick.table.values, quick.covariates
    shared = {"permutations": 199, "rng": 5}
    test = prerequisite_test(quotients, known.transformed, same_activity=known.same_activity, **shared)
    pd.testing.assert_frame_equal(found.test.to_frame(), test.to_frame())
    odds = threshold_odds(quotients, known.transformed)
    pd.testing.assert_frame_equal(found.odds.to_frame(), odds.to_frame())
    contrast = policy_contrast(quotients, quick.policies, **shared)
    pd.testing.assert_frame_equal(found.contrast.to_frame(), contrast.to_frame())
    one = known.transformed[["GRP per head"]]
    space = spatial_diagnostics(np.log1p(quotients), one, quick.graph, draws=999, rng=5).to_frame()
    own = found.space.xs("GRP per head", level="covariate")
    pd.testing.assert_frame_equal(own, space.rename_axis(["sector", "test"]), check_like=True)


def test_the_table_has_the_exact_test_of_the_residuals(found, quick):
    table = found.to_frame()
    X, y = quick.covariates.transformed[["education"]], np.log1p(quick.table.values)
    exact = residual_moran(y["research"], quick.graph, X).to_frame().loc["research"]
    row = table.loc[("research", "education")]
    assert row["residual_moran"] == pytest.approx(exact["statistic"])
    assert row["residual_moran_p"] == pytest.approx(exact["p_value"])
    assert len(table) == 11 * 11
    assert found.to_dict()["notes"] == []
    assert len(found.to_dict()["space"]) == 121 * 5


def test_regions_out_of_step_are_those_of_expected_and_observed(found, quick):
    quotients = quick.table.values
    table = found.mismatches(quotients, 1.0)
    told = found.test.skill.index[found.test.skill > 0]
    assert 0 < len(told) < 11
    for region, row in table.iterrows():
        expected, there = found.test.expected.loc[region, told] >= 1, quotients.loc[region, told] >= 1
        for column, cells in (
            ("expected_absent", expected & ~there),
            ("unexpected_present", there & ~expected),
        ):
            named = [] if row[column] == "none" else row[column].split("; ")
            assert named == list(told[cells])
    assert found.mismatches(quotients, 100.0).eq("none").all(axis=None)
    nothing = replace(found, test=replace(found.test, skill=-abs(found.test.skill)))
    assert nothing.mismatches(quotients, 1.0).shape == (17, 0)


def test_areas_of_a_run_carry_what_was_found(results, findings):
    areas = pd.read_csv(results / "areas.csv", keep_default_na=False).set_index("region")
    told = findings.prerequisites.mismatches(findings.quotients, 1.0)
    pd.testing.assert_frame_equal(areas[told.columns].loc[told.index], told, check_dtype=False)


def test_what_is_the_same_everywhere_is_left_out_and_named(quick):
    quotients = quick.table.values[["research", "computer"]].assign(still=0.5)
    table = quick.covariates.values[["population", "education"]].assign(flat=3.0)
    found = prerequisite_findings(quotients, of_table(table), permutations=99, rng=1)
    assert set(found.to_frame().index.get_level_values("sector")) == {"research", "computer"}
    assert list(found.covariates.values) == ["population", "education"]
    assert "sector still" in found.notes[0]
    assert "covariate flat" in found.notes[1]
    assert found.space is None
    assert found.contrast is None
    assert "residual_moran" not in found.to_frame()


def test_policies_that_cannot_be_tested_are_noted(quick):
    quotients = quick.table.values.drop(columns="programming")
    known = of_table(quick.covariates.values[["education"]])
    given = {"policies": quick.policies, "permutations": 99, "rng": 1}
    found = prerequisite_findings(quotients, known, **given)
    assert list(found.contrast.to_frame().index) == ["special economic zone", "technopark"]
    everywhere = {"aid": quotients.notna()}
    found = prerequisite_findings(quotients, known, **{**given, "policies": everywhere})
    assert found.contrast is None
    assert found.notes[0].startswith("What policies name was not tested. ")


def test_controls_hold_in_the_residuals_too(quick):
    quotients = quick.table.values[["research", "computer"]]
    known = of_table(quick.covariates.values[["population", "education", "GRP per head"]])
    given = {"controls": "log(population)", "permutations": 99, "rng": 1}
    found = prerequisite_findings(quotients, known, quick.graph, **given)
    assert list(found.covariates.values) == ["education", "GRP per head"]
    X = known.values[["education"]].assign(population=np.log(known.values["population"]))
    exact = residual_moran(np.log1p(quotients["computer"]), quick.graph, X).to_frame().loc["computer"]
    row = found.to_frame().loc[("computer", "education")]
    assert row["residual_moran_p"] == pytest.approx(exact["p_value"])


def test_sectors_that_are_everywhere_or_nowhere_have_no_odds(quick):
    quotients = quick.table.values[["research"]] / 100
    known = of_table(quick.covariates.values[["education"]])
    assert prerequisite_findings(quotients, known, permutations=99, rng=1).odds is None


def test_a_study_without_covariates_has_none_and_collinear_ones_are_refused_at_once(quick):
    other = spatialkz.load_study("kazakhstan-gva-2022")
    assert prerequisite_study(other, rng=1) is None
    check_prerequisites(other)
    context = quick.context
    twice = context.covariates[context.covariates["indicator"] == "education"]
    again = pd.concat([context.covariates, twice.assign(indicator="schools")])
    study = replace(quick, context=replace(context, covariates=again, covariate_list=None))
    with pytest.raises(InputError, match="education and schools are collinear"):
        check_prerequisites(study)
