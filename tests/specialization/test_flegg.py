"""Flegg's quotients against hand calculation, a loop, and identities."""

from math import log2
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import location_quotient
from spatialkz.specialization.regionalization.cross_industry import cross_industry_quotient
from spatialkz.specialization.regionalization.flegg import (
    augmented_flegg_quotient,
    flegg_lambda,
    flegg_quotient,
)

few = settings(max_examples=25, deadline=None)
REFERENCE = Path(__file__).parents[1] / "reference" / "quotients"
OUTPUT = pd.DataFrame({"1": [70.0, 30], "2": [20.0, 30], "3": [10.0, 70]}, index=["A", "B"])

tables = arrays(float, (4, 3), elements=st.floats(0.01, 1e5)).map(
    lambda cells: pd.DataFrame(cells, index=list("abcd"), columns=list("xyz"))
)
deltas = st.floats(0, 0.999)


def test_lambda_by_hand():
    """log2(1.1) = 0.13750352, and its 0.3rd power 0.5514348."""
    assert flegg_lambda(0.1, 0.3) == pytest.approx(0.5514348, abs=5e-8)
    assert flegg_lambda(1.0, 0.5) == 1
    assert flegg_lambda(0.01, 0.0) == 1
    for share in (0.0, -0.1, 1.01, np.nan):
        with pytest.raises(InputError, match="above 0 and at most 1"):
            flegg_lambda(share)


def test_a_cell_by_hand():
    """Region A holds 100 of 230: λ = log2(1 + 100/230)^0.3 = 0.82226, and LQ = 1.61, 0.92, 0.2875."""
    weight = log2(330 / 230) ** 0.3
    cells = flegg_quotient(OUTPUT, region="A")
    assert cells.loc["1", "2"] == pytest.approx(1.75 * weight)
    assert cells.loc["2", "2"] == pytest.approx(0.92 * weight)
    augmented = augmented_flegg_quotient(OUTPUT, region="A")
    assert augmented.loc["2", "1"] == pytest.approx(0.92 / 1.61 * weight * log2(2.61))
    assert augmented.loc["1", "2"] == cells.loc["1", "2"]


@few
@given(tables, deltas)
def test_every_cell_equals_a_loop(values, delta):
    quotients = location_quotient(values)
    simple, augmented = (
        flegg_quotient(values, delta=delta),
        augmented_flegg_quotient(values, delta=delta),
    )
    for region in values.index:
        weight = log2(1 + values.loc[region].sum() / values.to_numpy().sum()) ** delta
        for seller in values:
            for buyer in values:
                own, other = quotients.loc[region, seller], quotients.loc[region, buyer]
                wanted = weight * (own if seller == buyer else own / other)
                assert simple.loc[(region, seller), buyer] == pytest.approx(wanted)
                wanted *= log2(1 + other) if other > 1 else 1
                assert augmented.loc[(region, seller), buyer] == pytest.approx(wanted)


@few
@given(tables, deltas, st.floats(0.01, 100))
def test_identities(values, delta, unit):
    """λ times the cross-industry quotient with the simple diagonal; without a unit; δ = 0 has λ = 1."""
    share = values.loc["a"].sum() / values.to_numpy().sum()
    cells = flegg_quotient(values, delta=delta, region="a")
    cross = cross_industry_quotient(values, region="a", diagonal="simple")
    pd.testing.assert_frame_equal(cells, cross * flegg_lambda(share, delta), rtol=1e-12)
    pd.testing.assert_frame_equal(flegg_quotient(values * unit, delta=delta, region="a"), cells, rtol=1e-9)
    pd.testing.assert_frame_equal(flegg_quotient(values, delta=0, region="a"), cross)
    augmented = augmented_flegg_quotient(values, delta=delta, region="a")
    quotients = location_quotient(values).loc["a"]
    assert (augmented >= cells).all(axis=None)
    plain = quotients.index[quotients <= 1]
    pd.testing.assert_frame_equal(augmented[plain], cells[plain])


@few
@given(tables, st.permutations(list("abcd")), st.permutations(list("xyz")))
def test_relabeling_moves_the_cells_along(values, regions, sectors):
    wanted = augmented_flegg_quotient(values)
    shuffled = augmented_flegg_quotient(values.loc[regions, sectors])
    pd.testing.assert_frame_equal(shuffled.reindex(wanted.index)[list("xyz")], wanted)


def test_where_utilmio_differs():
    """UtilMio 0.1.0 takes λ from the buying sector alone and 1 on the diagonal of the cross quotient."""
    jobs = pd.read_csv(REFERENCE / "jobs.csv", index_col="region")
    peers = pd.read_csv(REFERENCE / "r_packages.csv").query("package == 'UtilMio'")
    theirs = peers[peers["quantity"] == "FLQ"].pivot(index="row", columns="column", values="value")
    cross = cross_industry_quotient(jobs, region="region A")
    by_sector = np.log2(1 + jobs.loc["region A"] / jobs.sum()) ** 0.3
    np.testing.assert_allclose(theirs, cross * by_sector, rtol=1e-12)
    ours = flegg_quotient(jobs, region="region A")
    assert ours.loc["chemicals", "computers"] == pytest.approx(0.946144, abs=5e-7)
    assert theirs.loc["chemicals", "computers"] == pytest.approx(0.903563, abs=5e-7)


@pytest.mark.parametrize("function", [flegg_quotient, augmented_flegg_quotient])
def test_bad_input_is_named(function):
    for delta in (-0.1, 1.0, 2.0, np.nan):
        with pytest.raises(InputError, match=f"delta is {delta}; it must be at least 0 and below 1"):
            function(OUTPUT, delta=delta)
    with pytest.raises(InputError, match="undefined: A × 3"):
        function(OUTPUT.replace(10.0, 0.0))
    found = function(OUTPUT.replace(10.0, 0.0), absent="nan", region="A")
    assert found["3"].isna().all()
    assert np.isfinite(found[["1", "2"]]).all(axis=None)
    with pytest.raises(InputError, match="none in 3"):
        function(OUTPUT.assign(**{"3": 0.0}))
    with pytest.raises(RegionError, match="region is 'C'"):
        function(OUTPUT, region="C")
    with pytest.raises(RegionError, match="base lacks B"):
        function(OUTPUT, pd.Series({"A": 200.0, "C": 200.0}))
