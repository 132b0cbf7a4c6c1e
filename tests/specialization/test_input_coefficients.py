"""Regional input coefficients and Flegg's delta against a published example and known answers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import location_quotient
from spatialkz.specialization.regionalization.flegg import augmented_flegg_quotient, flegg_quotient
from spatialkz.specialization.regionalization.input_coefficients import flegg_delta, regional_coefficients

few = settings(max_examples=25, deadline=None)
REFERENCE = Path(__file__).parents[1] / "reference" / "quotients"
SECTORS = ["1", "2", "3"]
# Torój (2024), table 4: flows and output of the country, output of the regions.
OUTPUT = pd.DataFrame({"1": [70.0, 30], "2": [20.0, 30], "3": [10.0, 70]}, index=["A", "B"])
FLOWS = pd.DataFrame([[40.0, 5, 5], [5, 15, 10], [5, 5, 25]], index=SECTORS, columns=SECTORS)
NATIONAL = FLOWS / OUTPUT.sum()
# Tables 6b and 7b, printed to three decimals.
PUBLISHED = {
    ("cross-industry", "A"): [[0.400, 0.100, 0.063], [0.029, 0.276, 0.125], [0.009, 0.031, 0.090]],
    ("cross-industry", "B"): [[0.212, 0.050, 0.021], [0.050, 0.300, 0.086], [0.050, 0.100, 0.313]],
    ("round", "A"): [[0.400, 0.100, 0.063], [0.033, 0.276, 0.125], [0.010, 0.031, 0.090]],
    ("round", "B"): [[0.212, 0.051, 0.025], [0.050, 0.300, 0.098], [0.050, 0.100, 0.313]],
}

outputs = arrays(float, (3, 3), elements=st.floats(0.1, 1e4)).map(
    lambda cells: pd.DataFrame(cells, index=list("abc"), columns=SECTORS)
)
coefficients = arrays(float, (3, 3), elements=st.floats(0.001, 0.3)).map(
    lambda cells: pd.DataFrame(cells, index=SECTORS, columns=SECTORS)
)


@pytest.mark.parametrize(("quotient", "region"), PUBLISHED)
def test_the_published_example(quotient, region):
    found = regional_coefficients(NATIONAL, OUTPUT, quotient=quotient, region=region)
    np.testing.assert_allclose(found, PUBLISHED[quotient, region], atol=5.1e-4)


def test_the_published_imports():
    """Torój's tables 6b and 7b also print the inputs that the region must import, to three decimals."""
    published = {
        "cross-industry": [[0.000, 1.980, 6.477], [10.006, 2.750, 0.000]],
        "round": [[0.000, 1.653, 6.389], [9.759, 1.867, 0.000]],
    }
    for quotient, wanted in published.items():
        for region, row in zip("AB", wanted, strict=True):
            own = regional_coefficients(NATIONAL, OUTPUT, quotient=quotient, region=region)
            imports = ((NATIONAL - own) * OUTPUT.loc[region]).sum(axis=1)
            np.testing.assert_allclose(imports, row, atol=5.1e-4)


@few
@given(coefficients, outputs, st.floats(0, 0.999))
def test_the_rule_cell_by_cell(national, values, delta):
    quotients = location_quotient(values)
    flegg = flegg_quotient(values, delta=delta)
    augmented = augmented_flegg_quotient(values, delta=delta)
    found = regional_coefficients(national, values, delta=delta)
    lifted = regional_coefficients(national, values, delta=delta, quotient="augmented")
    for region in values.index:
        for seller in SECTORS:
            for buyer in SECTORS:
                cell, whole = ((region, seller), buyer), national.loc[seller, buyer]
                assert found.loc[cell] == pytest.approx(min(1, flegg.loc[cell]) * whole)
                free = quotients.loc[region, buyer] > 1
                share = augmented.loc[cell] if free else min(1, augmented.loc[cell])
                assert lifted.loc[cell] == pytest.approx(share * whole)
    assert (found.to_numpy() <= np.tile(national, (3, 1)) + 1e-12).all()


@few
@given(coefficients, outputs)
def test_order_of_the_national_table_does_not_matter(national, values):
    wanted = regional_coefficients(national, values, region="b")
    pd.testing.assert_frame_equal(
        regional_coefficients(national.iloc[::-1, ::-1], values, region="b"), wanted
    )


@pytest.mark.parametrize("error", ["wape", "mape", "rmse"])
@pytest.mark.parametrize("quotient", ["flegg", "augmented"])
@pytest.mark.parametrize("delta", [0.0, 0.05, 0.2734, 0.995])
def test_a_known_delta_comes_back(error, quotient, delta):
    known = regional_coefficients(NATIONAL, OUTPUT, quotient=quotient, delta=delta, region="A")
    found = flegg_delta(NATIONAL, known, OUTPUT, region="A", quotient=quotient, error=error)
    assert found.delta == pytest.approx(delta, abs=1e-6)
    assert found.error == pytest.approx(0, abs=1e-3)
    assert (found.profile >= found.error - 1e-12).all()


@pytest.fixture(scope="module")
def random_tables():
    read = {
        name: pd.read_csv(REFERENCE / f"{name}.csv", index_col=0) for name in ("national", "regional", "jobs")
    }
    return read["national"], read["regional"], read["jobs"]


@pytest.mark.parametrize("error", ["wape", "mape", "rmse"])
def test_the_least_error_on_a_finer_grid(random_tables, error):
    national, regional, jobs = random_tables
    found = flegg_delta(national, regional, jobs, region="region C", error=error)

    def at(delta):
        estimate = regional_coefficients(national, jobs, delta=delta, region="region C").to_numpy().ravel()
        known = regional.to_numpy().ravel()
        if error == "wape":
            return 100 * abs(estimate - known).sum() / known.sum()
        if error == "mape":
            return 100 * np.mean(abs(estimate - known) / known)
        return np.sqrt(np.mean((estimate - known) ** 2))

    assert found.profile[0.3] == pytest.approx(at(0.3))
    assert found.profile.index[[0, -1]].tolist() == [0, 0.99]
    fine = min(at(delta) for delta in np.linspace(0, 0.9999, 301))
    assert found.error <= fine + 1e-9
    assert found.error == pytest.approx(at(found.delta))


def test_the_weighted_error_is_that_of_utilmio(random_tables):
    """WAPE(national, regional) of UtilMio 0.1.0 is a fraction; ours is in percent."""
    national, regional, jobs = random_tables
    peers = pd.read_csv(REFERENCE / "r_packages.csv").query("quantity == 'WAPE'")
    off = (national - regional).abs().to_numpy().sum() / regional.to_numpy().sum()
    assert off == pytest.approx(peers["value"].item(), rel=1e-13)
    found = flegg_delta(national, regional, jobs, region="region A")
    estimate = regional_coefficients(national, jobs, delta=0, region="region A")
    wanted = 100 * (estimate - regional).abs().to_numpy().sum() / regional.to_numpy().sum()
    assert found.profile[0.0] == pytest.approx(wanted)


def test_the_result_is_frozen_and_complete(random_tables):
    national, regional, jobs = random_tables
    found = flegg_delta(national, regional, jobs, region="region C", error="mape")
    with pytest.raises(ValueError, match="read-only"):
        found.profile.to_numpy()[0] = 0
    frame = found.to_frame()
    assert (frame.index.name, list(frame.columns), len(frame)) == ("delta", ["error"], 100)
    written = json.loads(json.dumps(found.to_dict()))
    assert written["delta"] == found.delta
    assert written["profile"]["0.3"] == pytest.approx(found.profile[0.3])
    assert written["cells"] == 25
    assert "region C" in found.summary()
    assert "mape" in found.summary()


def test_mape_leaves_out_coefficients_known_to_be_zero():
    known = regional_coefficients(NATIONAL, OUTPUT, delta=0.4, region="A")
    known.loc["1", "1"] = 0
    found = flegg_delta(NATIONAL, known, OUTPUT, region="A", error="mape")
    assert found.cells == 8
    assert found.delta == pytest.approx(0.4, abs=1e-6)


def test_the_summary_names_the_edge_of_the_range():
    found = flegg_delta(NATIONAL, NATIONAL, OUTPUT, region="A", error="rmse")
    assert found.delta < 1e-3
    assert "edge of the range" in found.summary()


def test_bad_coefficients_are_named():
    for table, complaint in (
        (NATIONAL.iloc[:2], r"must be square, sectors × sectors, but it is 2 × 3"),
        (NATIONAL.rename(index={"3": "4"}), r"national \(rows\) lacks 3; national \(rows\) has 4"),
        (NATIONAL.rename(columns={"3": "4"}), r"national \(columns\) lacks 3"),
        (NATIONAL - 0.06, r"must be at least 0, but 2 × 1 is -0\.01"),
        (NATIONAL.where(NATIONAL > 0.05), "is nan"),
    ):
        with pytest.raises(InputError, match=complaint):
            regional_coefficients(table, OUTPUT)
        with pytest.raises(InputError, match=complaint):
            flegg_delta(table, NATIONAL, OUTPUT, region="A")
        with pytest.raises(InputError, match=complaint.replace("national", "regional")):
            flegg_delta(NATIONAL, table, OUTPUT, region="A")


def test_other_bad_input_is_named():
    with pytest.raises(InputError, match="quotient is 'simple'"):
        regional_coefficients(NATIONAL, OUTPUT, quotient="simple")
    with pytest.raises(InputError, match="delta is 1"):
        regional_coefficients(NATIONAL, OUTPUT, delta=1)
    with pytest.raises(InputError, match="undefined: A × 3"):
        regional_coefficients(NATIONAL, OUTPUT.replace(10.0, 0.0))
    empty = regional_coefficients(NATIONAL, OUTPUT.replace(10.0, 0.0), absent="nan", region="A")
    assert empty.isna().all().tolist() == [False, False, True]
    with pytest.raises(InputError, match="quotient is 'round'"):
        flegg_delta(NATIONAL, NATIONAL, OUTPUT, region="A", quotient="round")
    with pytest.raises(InputError, match="error is 'mae'"):
        flegg_delta(NATIONAL, NATIONAL, OUTPUT, region="A", error="mae")
    with pytest.raises(RegionError, match="must name the region"):
        flegg_delta(NATIONAL, NATIONAL, OUTPUT, region=None)
    with pytest.raises(InputError, match="All coefficients of regional are 0"):
        flegg_delta(NATIONAL, NATIONAL * 0, OUTPUT, region="A")
    with pytest.raises(InputError, match="undefined: A × 3"):
        flegg_delta(NATIONAL, NATIONAL, OUTPUT.replace(10.0, 0.0), region="A")
    lone = NATIONAL * 0
    lone.loc["1", "3"] = 0.1  # its quotient is 5.6 at δ = 0 and above 1 for every δ
    with pytest.raises(InputError, match="the same for every delta"):
        flegg_delta(lone, NATIONAL, OUTPUT, region="A")
