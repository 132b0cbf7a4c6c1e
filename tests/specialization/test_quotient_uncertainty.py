"""What else a quotient could be: rounding, sampling error, nothing."""

import numpy as np
import pandas as pd
import pytest

from spatialkz.specialization import (
    drawn_quotients,
    location_quotient,
    quotient_interval,
    quotient_test,
    table_quotients,
)
from spatialkz.tables import ActivityTable

JOBS = pd.DataFrame(
    np.random.default_rng(3).integers(5, 90, (9, 4)), index=list("abcdefghi"), columns=["s", "t", "u", "v"]
)


def test_counts_have_the_interval_of_their_test_and_volumes_none():
    counts, volumes = ActivityTable(JOBS, kind="counts"), ActivityTable(JOBS, kind="volumes")
    low, high = quotient_interval(counts)
    found = quotient_test(counts).to_frame()
    assert low.loc["c", "u"] == found.loc[("c", "u"), "low"]
    assert high.loc["c", "u"] == found.loc[("c", "u"), "high"]
    assert (low < table_quotients(counts)).all(axis=None)
    assert (table_quotients(counts) < high).all(axis=None)
    for end in quotient_interval(volumes):
        pd.testing.assert_frame_equal(end, table_quotients(volumes))


def test_drawn_counts_spread_as_the_binomial_interval_says():
    table = ActivityTable(JOBS, kind="counts")
    drawn = drawn_quotients(table, 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=0), location_quotient(JOBS), atol=0.02)
    q, share = JOBS.sum(), JOBS / JOBS.sum()
    base = JOBS.sum(axis=1) / JOBS.to_numpy().sum()
    expected = np.sqrt(share * (1 - share) / q).div(base, axis=0)
    np.testing.assert_allclose(drawn.std(axis=0), expected, rtol=0.04)


def test_a_draw_keeps_the_identity_of_quotients():
    """The mean quotient of a sector, weighted by base shares, is 1 in every draw."""
    drawn = drawn_quotients(ActivityTable(JOBS, kind="counts"), 50, np.random.default_rng(1))
    base = (JOBS.sum(axis=1) / JOBS.to_numpy().sum()).to_numpy()
    assert np.einsum("i,dij->dj", base, drawn) == pytest.approx(np.ones((50, 4)))


def test_published_quotients_stay_within_their_rounding(study):
    drawn = drawn_quotients(study.table, 100, np.random.default_rng(1))
    low, high = quotient_interval(study.table)
    assert (drawn >= low.to_numpy()).all()
    assert (drawn <= high.to_numpy()).all()
