"""Stars by hand, and certain and possible stars against every table within the intervals."""

import numpy as np
import pandas as pd
import pytest

from spatialkz.candidates.evidence.stars_and_formation import stars
from spatialkz.errors import InputError, RegionError

REGIONS = [f"R{i:02d}" for i in range(17)]


@pytest.fixture
def tables():
    rng = np.random.default_rng(2)
    size = pd.DataFrame(rng.lognormal(size=(17, 3)).round(2) + 0.01, index=REGIONS, columns=list("abc"))
    return size, size * 1.3, size.div(size.sum(axis=1), axis=0)


@pytest.mark.parametrize(("rounding", "regions", "cells"), [("ceil", 2, 6), ("floor", 1, 5), ("round", 2, 5)])
def test_a_tenth_of_17_regions_and_51_cells(tables, rounding, regions, cells):
    found = stars(*tables, rounding=rounding)
    by_sector = found["size_certain"].unstack()
    assert (by_sector.sum() == regions).all()
    for sector in "abc":
        assert set(by_sector.index[by_sector[sector]]) == set(tables[0][sector].nlargest(regions).index)
    assert found["focus_certain"].sum() == cells
    assert set(found.index[found["focus_certain"]]) == set(tables[2].stack().nlargest(cells).index)
    assert (found["specialization_certain"] == (tables[1] >= 2).stack()).all()
    parts = ["size_certain", "specialization_certain", "focus_certain"]
    assert (found["stars_low"] == found[parts].sum(axis=1)).all()
    assert (found["stars_low"] == found["stars_high"]).all()


def test_a_whole_number_is_not_rounded_up():
    table = pd.DataFrame({"a": np.arange(1.0, 31.0)})
    assert stars(table, table, table, rounding="ceil")["size_certain"].sum() == 3
    assert stars(table, table, table, rounding="floor")["size_certain"].sum() == 3


def test_ties_at_the_border_are_all_in_and_zero_is_out():
    tied = pd.DataFrame({"a": [5.0, 5.0, 5.0, 1.0], "b": [7.0, 0.0, 0.0, 0.0]})
    found = stars(tied, tied, tied, size_share=0.5, focus_within="sector", focus_share=0.5)
    assert found["size_certain"].unstack()["a"].tolist() == [True, True, True, False]
    assert found["size_certain"].unstack()["b"].tolist() == [True, False, False, False]


def test_within_the_region():
    table = pd.DataFrame({"a": [5.0, 1.0], "b": [4.0, 9.0]}, index=["North", "South"])
    found = stars(table, table, table, focus_within="region", focus_share=0.5, size_share=0.5)
    assert found["focus_certain"].unstack().to_numpy().tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("seed", range(3))
def test_certain_and_possible_stars_are_those_over_all_corners(seed):
    """The top changes only through the order of values, so the corners of the box hold every case."""
    rng = np.random.default_rng(seed)
    low = pd.DataFrame(rng.integers(0, 6, (6, 1)).astype(float), columns=["a"])
    high = low + rng.integers(0, 4, (6, 1))
    found = stars((low, high), (low, high), (low, high), size_share=0.3, focus_share=0.3)
    corners = []
    for code in range(2**6):
        chosen = np.array([code >> i & 1 for i in range(6)], dtype=bool)[:, None]
        table = low.where(~chosen, high)
        corners.append(stars(table, table, table, size_share=0.3)["size_certain"].to_numpy())
    assert found["size_certain"].tolist() == np.all(corners, axis=0).tolist()
    assert found["size_possible"].tolist() == np.any(corners, axis=0).tolist()


def test_rows_are_joined_by_label(tables):
    size, quotient, focus = tables
    pd.testing.assert_frame_equal(
        stars(size, quotient.iloc[::-1], focus[["c", "a", "b"]]), stars(size, quotient, focus)
    )


def test_bad_input_is_refused(tables):
    size, quotient, focus = tables
    with pytest.raises(InputError, match="10% of 7 cells are rounded to none"):
        stars(size.head(7), quotient.head(7), focus.head(7), rounding="floor")
    with pytest.raises(InputError, match="above its high end in R00 × a"):
        stars((size + 1, size), quotient, focus)
    with pytest.raises(RegionError, match="focus lacks R00"):
        stars(size, quotient, focus.iloc[1:])
    with pytest.raises(InputError, match="rounding is 'up'"):
        stars(size, quotient, focus, rounding="up")
    with pytest.raises(InputError, match="focus_share is 0"):
        stars(size, quotient, focus, focus_share=0)
    with pytest.raises(InputError, match="size_within is 'country'"):
        stars(size, quotient, focus, size_within="country")
    with pytest.raises(InputError, match="tuple of 3"):
        stars((size, size, size), quotient, focus)
