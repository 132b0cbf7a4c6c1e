"""Additive, normalized and standardized quotients against loops, identities, and peers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import location_quotient
from spatialkz.specialization.variants import (
    additive_quotient,
    log_standardized_quotient,
    normalized_rca,
    standardized_quotient,
)

few = settings(max_examples=25, deadline=None)
REFERENCE = Path(__file__).parents[1] / "reference" / "quotients"

tables = arrays(float, (5, 4), elements=st.floats(0.001, 1e6)).map(
    lambda cells: pd.DataFrame(cells, index=list("abcde"), columns=list("wxyz"))
)


@pytest.fixture(scope="module")
def jobs():
    return pd.read_csv(REFERENCE / "jobs.csv", index_col="region")


@pytest.fixture(scope="module")
def peers():
    return pd.read_csv(REFERENCE / "r_packages.csv").set_index(["package", "quantity"]).sort_index()


def peer(peers, package, quantity):
    return peers.loc[(package, quantity)].pivot(index="row", columns="column", values="value")


def test_simple_quotients_are_those_of_three_packages(jobs, peers):
    """REAT 3.0.2 locq with a larger base; EconGeo 2.0 and econcomplex 1.0.1 with row sums."""
    all_jobs = pd.read_csv(REFERENCE / "all_jobs.csv", index_col="region")["all jobs"]
    pd.testing.assert_frame_equal(
        location_quotient(jobs, all_jobs), peer(peers, "REAT", "locq"), check_names=False, rtol=1e-13
    )
    quotients = location_quotient(jobs)
    pd.testing.assert_frame_equal(
        quotients, peer(peers, "EconGeo", "location_quotient"), check_names=False, rtol=1e-13
    )
    pd.testing.assert_frame_equal(
        quotients, pd.read_csv(REFERENCE / "econcomplex.csv", index_col="region"), rtol=1e-13
    )
    # EconGeo's rca is the same, but rounded to two digits.
    pd.testing.assert_frame_equal(quotients.round(2), peer(peers, "EconGeo", "rca"), check_names=False)


def test_cells_by_hand():
    """Two regions of base 40 and 60, one sector of 30 and 10."""
    values = pd.DataFrame({"steel": [30.0, 10]}, index=["N", "S"])
    base = pd.Series({"N": 40.0, "S": 60.0})
    assert additive_quotient(values, base)["steel"].tolist() == pytest.approx([0.75 - 0.4, 1 / 6 - 0.4])
    found = additive_quotient(values, base, share_of="sector")
    assert found["steel"].tolist() == pytest.approx([0.75 - 0.4, 0.25 - 0.6])
    # 30/100 − 40·40/100², 10/100 − 40·60/100²
    assert normalized_rca(values, base)["steel"].tolist() == pytest.approx([0.14, -0.14])


@few
@given(tables)
def test_differences_and_the_ratio_say_the_same(values):
    quotients = location_quotient(values)
    base_share = values.sum(axis=1) / values.to_numpy().sum()
    sector_share = values.sum() / values.to_numpy().sum()
    excess = quotients - 1
    for found, wanted in (
        (additive_quotient(values), excess * sector_share),
        (additive_quotient(values, share_of="sector"), excess.mul(base_share, axis=0)),
        (normalized_rca(values), (excess * sector_share).mul(base_share, axis=0)),
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-12)
        assert found.abs().to_numpy().max() <= 1


@few
@given(tables)
def test_sums(values):
    base_share = values.sum(axis=1) / values.to_numpy().sum()
    composition = additive_quotient(values)
    np.testing.assert_allclose(composition.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(composition.mul(base_share, axis=0).sum(), 0, atol=1e-12)
    np.testing.assert_allclose(additive_quotient(values, share_of="sector").sum(), 0, atol=1e-12)
    normalized = normalized_rca(values)
    np.testing.assert_allclose(normalized.sum(), 0, atol=1e-12)
    np.testing.assert_allclose(normalized.sum(axis=1), 0, atol=1e-12)


@few
@given(tables, st.floats(0.1, 10))
def test_larger_bases_and_groups_keep_the_sums_over_regions(values, more):
    groups = pd.Series({"w": "industry", "x": "industry", "y": "services", "z": "services"})
    base = values.T.groupby(groups).sum().T * (1 + more)
    for found in (
        normalized_rca(values, base, groups=groups),
        additive_quotient(values, base, groups=groups, share_of="sector"),
    ):
        np.testing.assert_allclose(found.sum(), 0, atol=1e-12)


@pytest.mark.parametrize("function", [additive_quotient, normalized_rca])
@few
@given(values=tables, unit=st.floats(0.01, 100))
def test_units_and_row_order_do_not_matter(function, values, unit):
    wanted = function(values)
    pd.testing.assert_frame_equal(function(values * unit), wanted, atol=1e-12)
    pd.testing.assert_frame_equal(function(values[::-1]).loc[values.index], wanted, atol=1e-12)


@few
@given(tables)
def test_normalized_values_stay_within_a_quarter(values):
    assert normalized_rca(values).abs().to_numpy().max() <= 0.25 + 1e-12


def test_the_extremes_of_the_normalized_value():
    """Two equal regions, each alone in its sector: 1/4, the bound of Yu et al. (2009)."""
    values = pd.DataFrame({"x": [1.0, 0], "y": [0.0, 1]}, index=["N", "S"])
    assert normalized_rca(values).to_numpy().tolist() == [[0.25, -0.25], [-0.25, 0.25]]


def test_standard_scores_equal_a_loop(jobs):
    quotients = location_quotient(jobs)
    for ddof in (0, 1):
        for found, of in (
            (standardized_quotient(quotients, ddof=ddof), float),
            (log_standardized_quotient(quotients, ddof=ddof), np.log10),
        ):
            for sector in quotients:
                column = [of(cell) for cell in quotients[sector]]
                mean = sum(column) / len(column)
                spread = (sum((cell - mean) ** 2 for cell in column) / (len(column) - ddof)) ** 0.5
                np.testing.assert_allclose(found[sector], [(cell - mean) / spread for cell in column])


def test_scores_are_within_a_sector_unlike_those_of_reat(jobs):
    """REAT 3.0.2 locq2(LQ.norm="OG") gives 1.03007 in region A, chemicals: it subtracts means of regions."""
    score = standardized_quotient(location_quotient(jobs)).loc["region A", "chemicals"]
    assert score == pytest.approx(0.6620226, abs=5e-8)  # R: scale(EconGeo::location_quotient(jobs))


@few
@given(tables, st.floats(0.1, 10))
def test_scores_have_mean_zero_spread_one_and_no_unit(quotients, factor):
    assume((quotients.max() > 1.01 * quotients.min()).all())
    for function in (standardized_quotient, log_standardized_quotient):
        found = function(quotients)
        np.testing.assert_allclose(found.mean(), 0, atol=1e-8)
        np.testing.assert_allclose(found.std(), 1, rtol=1e-8)
        pd.testing.assert_frame_equal(function(quotients * factor), found, atol=1e-7)


def test_a_floor_is_the_only_way_to_score_the_logarithm_of_zero():
    table = pd.DataFrame({"x": [0.0, 0.001, 1.0]}, index=list("abc"))
    with pytest.raises(InputError, match="there is 0 in a × x; give floor"):
        log_standardized_quotient(table)
    found = log_standardized_quotient(table, floor=0.005)["x"]
    assert found["a"] == found["b"]
    assert found.tolist() == pytest.approx([-1 / 3**0.5, -1 / 3**0.5, 2 / 3**0.5])
    for floor in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="must be a positive number"):
            log_standardized_quotient(table, floor=floor)


def test_bad_input_is_named():
    values = pd.DataFrame({"steel": [3.0, 1], "law": [1.0, 3]}, index=["N", "S"])
    for function in (additive_quotient, normalized_rca):
        with pytest.raises(InputError, match="none in law"):
            function(values.assign(law=0.0))
        with pytest.raises(InputError, match=r"zero in S \(base\)"):
            function(values.mul([1, 0], axis=0))
        with pytest.raises(InputError, match="N × steel is -1"):
            function(values.replace(3.0, -1.0).set_axis(["steel", "law"], axis=1))
        with pytest.raises(InputError, match="N × steel is nan"):
            function(values.where(values != 3.0))
        with pytest.raises(RegionError, match="base lacks S"):
            function(values, pd.Series({"N": 9.0, "X": 9.0}))
        with pytest.raises(InputError, match="no entry for law"):
            function(values, groups=pd.Series({"steel": "industry"}))
        with pytest.raises(InputError, match="1 regions"):
            function(values.loc[["N"]])
    with pytest.raises(InputError, match="share_of is 'region'"):
        additive_quotient(values, share_of="region")
    with pytest.raises(InputError, match="all the same in law"):
        standardized_quotient(pd.DataFrame({"steel": [1.0, 2], "law": [1.0, 1 + 1e-15]}))
    with pytest.raises(InputError, match="ddof is 2"):
        standardized_quotient(values, ddof=2)
    with pytest.raises(InputError, match="at least 0"):
        standardized_quotient(-values)
