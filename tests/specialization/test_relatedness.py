from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError
from spatialkz.specialization.quotients import breadth, location_quotient
from spatialkz.specialization.relatedness import density, proximity, relatedness_test

REFERENCE = Path(__file__).parent.parent / "reference" / "concentration"


def random_quotients():
    return location_quotient(pd.read_csv(REFERENCE / "table.csv", index_col=0).drop(columns="population"))


def off_diagonal(table):
    cells = table.to_numpy(copy=True)
    np.fill_diagonal(cells, 0)
    return cells


@pytest.mark.parametrize(("method", "theirs"), [("conditional", "max"), ("cosine", "sqrt")])
def test_proximity_against_econcomplex(method, theirs):
    expected = pd.read_csv(REFERENCE / "proximity.csv", index_col=[0, 1])[f"econcomplex_proximity_{theirs}"]
    found = proximity(random_quotients(), method=method)
    np.testing.assert_allclose(off_diagonal(found), expected.unstack(), atol=1e-11)
    assert (np.diag(found) == 1).all()


def test_density_against_econcomplex_and_econgeo():
    expected = pd.read_csv(REFERENCE / "density.csv", index_col=[0, 1])
    found = density(random_quotients()) * 100
    np.testing.assert_allclose(found, expected["econcomplex"].unstack(), atol=1e-9)
    np.testing.assert_allclose(found, expected["econgeo"].unstack(), atol=5e-3)


def test_another_cosine_is_another_number():
    """EconGeo normalizes by sums of co-occurrences, not by numbers of regions."""
    theirs = pd.read_csv(REFERENCE / "proximity.csv", index_col=[0, 1])["econgeo_relatedness_cosine"]
    assert theirs["S2", "S5"] == pytest.approx(0.3354, abs=5e-5)
    assert proximity(random_quotients(), method="cosine").loc["S2", "S5"] == pytest.approx(0.8660, abs=5e-5)


quotient_tables = arrays(float, (8, 5), elements=st.sampled_from([0, 0.5, 0.99, 1, 1.5, 4])).map(
    lambda a: pd.DataFrame(a, index=list("abcdefgh"), columns=list("vwxyz"))
)


@settings(deadline=None)
@given(quotient_tables, st.sampled_from(["conditional", "cosine"]))
def test_proximity_is_symmetric_bounded_and_blind_to_labels(quotients, method):
    assume(((quotients >= 1).sum() > 0).all())
    found = proximity(quotients, method=method)
    np.testing.assert_allclose(found, found.T)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all(axis=None)
    assert (found <= proximity(quotients, method="cosine") + 1e-12).all(axis=None)
    order = list("zxvwy")
    pd.testing.assert_frame_equal(proximity(quotients[order][::-1], method=method), found.loc[order, order])


@settings(deadline=None)
@given(quotient_tables)
def test_density_is_bounded_and_full_where_everything_else_is(quotients):
    assume(((quotients >= 1).sum() > 0).all())
    quotients.loc["h"] = 2.0
    found = density(quotients)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all(axis=None)
    np.testing.assert_allclose(found.loc["h"], 1)
    # The sector itself plays no part in the density around it.
    without = quotients.copy()
    without.loc["a", "v"] = 0 if quotients.loc["a", "v"] >= 1 else 2.0
    given_proximity = proximity(quotients)
    assert density(without, given_proximity).loc["a", "v"] == pytest.approx(found.loc["a", "v"])


def test_threshold_and_given_proximities():
    quotients = pd.DataFrame({"x": [2, 1.2, 0], "y": [2, 0, 1.1], "z": [0, 3, 2]}, index=list("abc"))
    assert proximity(quotients, 2).loc["x", "y"] == 1
    assert proximity(quotients).loc["x", "y"] == 0.5
    flat = pd.DataFrame(1, index=list("zyx"), columns=list("xyz"))
    np.testing.assert_allclose(density(quotients, flat).loc["a"], [0.5, 0.5, 1])


def test_a_sector_related_to_none_has_density_zero():
    quotients = pd.DataFrame({"x": [2, 2, 0], "y": [2, 0, 0], "z": [0, 0, 2]}, index=list("abc"))
    found = density(quotients)
    assert (found["z"] == 0).all()
    assert not found.isna().any(axis=None)


def test_p_values_over_all_permutations():
    quotients = pd.DataFrame(
        {"x": [2, 2, 2, 0, 0, 0], "y": [2, 2, 0, 0, 2, 0], "z": [2, 2, 2, 2, 0, 0]}, index=list("abcdef")
    )
    found = relatedness_test(quotients).to_frame()
    for one, other in combinations("xyz", 2):
        held = set(np.flatnonzero(quotients[one] >= 1))
        together = len(held & set(np.flatnonzero(quotients[other] >= 1)))
        sets = list(combinations(range(6), int((quotients[other] >= 1).sum())))
        counts = np.array([len(held & set(s)) for s in sets])
        row = found.loc[one, other]
        assert row["together"] == together
        assert row["expected"] == pytest.approx(counts.mean())
        assert row["p_value"] == pytest.approx((counts >= together).mean())
        larger = max(len(held), len(sets[0]))
        assert row["proximity"] == pytest.approx(proximity(quotients).loc[one, other])
        assert row["expected_proximity"] == pytest.approx(counts.mean() / larger)
        assert row["standard_deviation"] == pytest.approx(counts.std() / larger)


def test_what_the_papers_table_can_show(quotients):
    """The page of the method quotes these: no pair of sectors stands out, and density is breadth again."""
    test = relatedness_test(quotients)
    table = test.to_frame()
    assert len(table) == 55
    assert (table["proximity"] > table["expected_proximity"]).sum() == 42
    assert (table["p_value"] <= 0.05).sum() == 11
    assert table["p_adjusted"].min() == pytest.approx(0.135, abs=5e-4)
    assert table["proximity"].mean() == pytest.approx(0.331, abs=5e-4)
    assert table["expected_proximity"].mean() == pytest.approx(0.161, abs=5e-4)
    assert table["standard_deviation"].mean() == pytest.approx(0.153, abs=5e-4)
    flat = density(quotients).stack()
    wide = breadth(quotients).reindex(flat.index.get_level_values(0))
    assert np.corrcoef(flat, wide)[0, 1] == pytest.approx(0.964, abs=5e-4)
    assert "exact" in test.summary()


def test_bad_input_is_refused_by_name():
    quotients = random_quotients()
    with pytest.raises(InputError, match="specialized in S1, S2"):
        proximity(quotients.assign(S1=0.2, S2=0.9))
    with pytest.raises(InputError, match="specialized in S2, S3, S4, S5, S6"):
        relatedness_test(quotients, 3.8)
    with pytest.raises(InputError, match="two sectors; there is only S1"):
        proximity(quotients[["S1"]])
    with pytest.raises(InputError, match="1 regions"):
        proximity(quotients.iloc[:1])
    with pytest.raises(InputError, match="R1 × S1 is nan"):
        density(quotients.assign(S1=np.nan))
    with pytest.raises(InputError, match="threshold is 0"):
        density(quotients, threshold=0)
    with pytest.raises(InputError, match="method is 'jaccard'"):
        proximity(quotients, method="jaccard")
    with pytest.raises(InputError, match="differ in S6"):
        density(quotients, proximity(quotients.drop(columns="S6")))
    lopsided = proximity(quotients)
    lopsided.loc["S1", "S2"] = 0.9
    with pytest.raises(InputError, match="symmetric"):
        density(quotients, lopsided)
