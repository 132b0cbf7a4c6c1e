"""The two-dimensional quotient against a loop, its limits, and its continuity."""

from math import tanh

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import location_quotient
from spatialkz.specialization.regionalization.cross_industry import two_dimensional_quotient

few = settings(max_examples=25, deadline=None)
OUTPUT = pd.DataFrame({"1": [70.0, 30], "2": [20.0, 30], "3": [10.0, 70]}, index=["A", "B"])

tables = arrays(float, (4, 3), elements=st.floats(0.01, 1e5)).map(
    lambda cells: pd.DataFrame(cells, index=list("abcd"), columns=list("xyz"))
)
exponents = st.floats(0, 2)


@few
@given(tables, exponents, exponents)
def test_every_cell_equals_a_loop(values, alpha, beta):
    quotients, shares = location_quotient(values), values / values.sum()
    found = two_dimensional_quotient(values, alpha=alpha, beta=beta)
    for region in values.index:
        pd.testing.assert_frame_equal(
            found.loc[region], two_dimensional_quotient(values, alpha=alpha, beta=beta, region=region)
        )
        for seller in values:
            own = quotients.loc[region, seller]
            row = own if own <= 1 else 0.5 * tanh(own - 1) + 1
            for buyer in values:
                wanted = row**alpha * shares.loc[region, buyer] ** beta
                assert found.loc[(region, seller), buyer] == pytest.approx(wanted)


@few
@given(tables)
def test_limits(values):
    """Without exponents nothing changes; rows stay below 1.5, columns below 1."""
    assert (two_dimensional_quotient(values, alpha=0, beta=0) == 1).all(axis=None)
    assert (two_dimensional_quotient(values, alpha=1, beta=0) <= 1.5).all(axis=None)
    assert (two_dimensional_quotient(values, alpha=0, beta=0.5) <= 1).all(axis=None)


@few
@given(tables, st.floats(0.01, 100), st.permutations(list("xyz")))
def test_units_and_order_do_not_matter(values, unit, sectors):
    wanted = two_dimensional_quotient(values, alpha=0.5, beta=0.2, region="b")
    found = two_dimensional_quotient(values[sectors] * unit, alpha=0.5, beta=0.2, region="b")
    pd.testing.assert_frame_equal(found.loc[list("xyz"), list("xyz")], wanted, rtol=1e-9)


def test_rows_are_continuous_where_a_sector_is_average():
    near = [
        two_dimensional_quotient(
            pd.DataFrame({"x": [50 + shift, 50.0], "y": [50.0, 50]}, index=["N", "S"]),
            alpha=1,
            beta=0,
            region="N",
        ).loc["x", "y"]
        for shift in (-1e-7, 1e-7)
    ]
    assert near == pytest.approx([1, 1], abs=1e-8)


def test_absent_sectors_neither_sell_nor_buy():
    found = two_dimensional_quotient(OUTPUT.replace(10.0, 0.0), alpha=0.5, beta=0.5, region="A")
    assert (found["3"] == 0).all()
    assert (found.loc["3"] == 0).all()
    assert np.isfinite(found).all(axis=None)


def test_bad_input_is_named():
    for bad in (-0.1, np.nan, np.inf):
        with pytest.raises(InputError, match=f"alpha is {bad}"):
            two_dimensional_quotient(OUTPUT, alpha=bad, beta=0.1)
        with pytest.raises(InputError, match=f"beta is {bad}"):
            two_dimensional_quotient(OUTPUT, alpha=0.1, beta=bad)
    with pytest.raises(RegionError, match="region is 'C'"):
        two_dimensional_quotient(OUTPUT, alpha=0.1, beta=0.1, region="C")
    with pytest.raises(InputError, match="none in 2"):
        two_dimensional_quotient(OUTPUT.assign(**{"2": 0.0}), alpha=0.1, beta=0.1)
