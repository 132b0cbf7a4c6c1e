"""Firth's logistic model against R, and what separation and equal sectors make of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spatialkz import threshold_odds
from spatialkz.errors import InputError, RegionError

REFERENCE = Path(__file__).parents[1] / "reference" / "odds" / "odds.csv"
CITIES = ["programming", "computer", "information"]


@pytest.fixture(scope="module")
def covariates(study):
    return study.covariates.transformed[["R&D personnel", "GRP per head"]]


@pytest.fixture(scope="module")
def found(quotients, covariates):
    return threshold_odds(quotients, covariates)


def test_estimates_tests_and_intervals_are_those_of_r(found):
    """brglm2 for estimates, a direct search over the penalized likelihood for the rest."""
    expected = pd.read_csv(REFERENCE).set_index(["sector", "covariate"])
    table = found.to_frame()[list(expected)]
    for column in expected:
        wanted = expected.loc[table.index, column].to_numpy()
        assert table[column].to_numpy() == pytest.approx(wanted, abs=1e-8)


def test_the_figures_of_the_issue_are_for_a_standard_deviation_on_n_degrees_of_freedom(found):
    """brglm2 with z-scores on n in place of n − 1; limits by firthmodels 0.8.2 (Python)."""
    table = found.to_frame().xs("R&D personnel", level="covariate")
    assert table.loc["computer", ["intercept", "slope"]].tolist() == pytest.approx(
        [-3.63318218, 2.52558793 * np.sqrt(17 / 16)], abs=1e-7
    )
    assert table.loc["research", ["intercept", "slope"]].tolist() == pytest.approx(
        [-1.98517349, 2.68620162 * np.sqrt(17 / 16)], abs=1e-7
    )
    assert table.loc["computer", ["low", "high"]].tolist() == pytest.approx(
        [0.61042139, 8.03893404], abs=1e-6
    )


def test_separation_is_named(found):
    told = found.to_frame()["separation"]
    assert set(told[told == "complete"].index) == {(sector, "R&D personnel") for sector in CITIES}
    lq = pd.DataFrame({"law": [0.5, 0.6, 0.7, 1.2, 1.5, 1.1]}, index=list("abcdef"))
    meeting = pd.DataFrame({"x": [1, 2, 3, 3, 4, 5]}, index=lq.index)
    told = {name: threshold_odds(lq, x).to_frame() for name, x in {"up": meeting, "down": -meeting}.items()}
    assert {name: table["separation"].item() for name, table in told.items()} == dict.fromkeys(
        told, "quasi-complete"
    )
    assert told["up"]["slope"].item() == pytest.approx(-told["down"]["slope"].item())
    assert np.isfinite(told["up"][["low", "high"]]).all(axis=None)


def test_sectors_with_the_same_regions_are_one_test(found, quotients, covariates):
    assert found.same == {"programming": ["computer", "information"]}
    table = found.to_frame()
    once = threshold_odds(quotients.drop(columns=CITIES[1:]), covariates).to_frame()
    assert once["p_adjusted"].to_dict() == {
        pair: p for pair, p in table["p_adjusted"].items() if pair[0] not in CITIES[1:]
    }
    for sector in CITIES[1:]:
        assert (table.loc[sector, "same_as"] == "programming").all()
        assert table.loc[sector, "p_adjusted"].tolist() == table.loc["programming", "p_adjusted"].tolist()
    assert "one test" in found.summary()


def test_neither_order_nor_scale_changes_anything(found, quotients, covariates, shuffled):
    other = threshold_odds(quotients, shuffled(covariates) * 7 - 3).to_frame()
    numbers = found.to_frame().select_dtypes("number")
    pd.testing.assert_frame_equal(other[list(numbers)], numbers, rtol=1e-6)


def test_it_keeps_its_level_with_seventeen_regions():
    """1,000 outcomes that know nothing of a skewed covariate: the test is careful, never too sharp."""
    draw = np.random.default_rng(4)
    marks = draw.permuted(np.repeat([[1.0] * 4 + [0.5] * 13], 1000, axis=0), axis=1).T
    lq = pd.DataFrame(marks).add_prefix("s")
    p = threshold_odds(lq, pd.DataFrame({"x": draw.lognormal(size=17)})).to_frame()["p_value"]
    assert stats.binomtest(int((p <= 0.05).sum()), len(p), 0.05, alternative="greater").pvalue > 0.01
    assert (p <= 0.05).any()


def test_what_has_no_odds_is_refused(quotients, covariates):
    for threshold, told in ((1e-9, r"All regions reach.*chemical"), (100, "No region reaches.*chemical")):
        with pytest.raises(InputError, match=told):
            threshold_odds(quotients, covariates, threshold=threshold)
    with pytest.raises(InputError, match=r"differ.*constant: same"):
        threshold_odds(quotients, covariates.assign(same=1.0))
    with pytest.raises(RegionError, match="covariates lacks Akmola"):
        threshold_odds(quotients, covariates.drop(index="Akmola"))
