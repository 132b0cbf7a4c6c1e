"""Cross-industry and Round's quotients against a published example, a loop, and UtilMio."""

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
from spatialkz.specialization.regionalization.cross_industry import cross_industry_quotient, round_quotient

few = settings(max_examples=25, deadline=None)
REFERENCE = Path(__file__).parents[1] / "reference" / "quotients"

# Torój (2024), table 4b: output of three sectors in two regions.
OUTPUT = pd.DataFrame({"1": [70.0, 30], "2": [20.0, 30], "3": [10.0, 70]}, index=["A", "B"])
# Tables 5a, 6a and 7a, printed to three decimals; off the diagonal, row by row.
SIMPLE = [[1.610, 0.920, 0.288], [0.531, 1.062, 1.548]]
CROSS = {
    "A": [1.750, 5.600, 0.571, 3.200, 0.179, 0.313],
    "B": [0.500, 0.343, 2.000, 0.686, 2.917, 1.458],
}
ROUND = {
    "A": [1.711, 4.416, 0.665, 2.524, 0.208, 0.305],
    "B": [0.509, 0.393, 1.728, 0.787, 2.520, 1.483],
}
OFF_DIAGONAL = ~np.eye(3, dtype=bool)

tables = arrays(float, (4, 3), elements=st.floats(0.01, 1e5)).map(
    lambda cells: pd.DataFrame(cells, index=list("abcd"), columns=list("xyz"))
)


@pytest.mark.parametrize("region", ["A", "B"])
def test_the_published_example(region):
    np.testing.assert_allclose(location_quotient(OUTPUT), SIMPLE, atol=5.1e-4)
    cross = cross_industry_quotient(OUTPUT, region=region)
    np.testing.assert_allclose(cross.to_numpy()[OFF_DIAGONAL], CROSS[region], atol=5.1e-4)
    found = round_quotient(OUTPUT, region=region)
    np.testing.assert_allclose(found.to_numpy()[OFF_DIAGONAL], ROUND[region], atol=5.1e-4)


def test_values_of_utilmio():
    """Region A against the country; its RLQ comes out transposed, its MOSLQ is the simple diagonal."""
    jobs = pd.read_csv(REFERENCE / "jobs.csv", index_col="region")
    peers = pd.read_csv(REFERENCE / "r_packages.csv").query("package == 'UtilMio'")

    def peer(quantity):
        cells = peers[peers["quantity"] == quantity]
        return cells.pivot(index="row", columns="column", values="value")

    for wanted, found in (
        (peer("CILQ"), cross_industry_quotient(jobs, region="region A")),
        (peer("MOSLQ"), cross_industry_quotient(jobs, region="region A", diagonal="simple")),
        (peer("RLQ").T, round_quotient(jobs, region="region A")),
    ):
        pd.testing.assert_frame_equal(found, wanted, check_names=False, rtol=1e-12)


@few
@given(tables)
def test_all_regions_are_the_regions_one_by_one_and_equal_a_loop(values):
    quotients = location_quotient(values)
    every = {
        "formula": cross_industry_quotient(values),
        "round": round_quotient(values),
        "simple": round_quotient(values, diagonal="simple"),
    }
    assert every["formula"].index.names == ["region", "selling"]
    assert every["formula"].columns.name == "buying"
    for region in values.index:
        pd.testing.assert_frame_equal(
            every["formula"].loc[region], cross_industry_quotient(values, region=region)
        )
        for seller in values:
            for buyer in values:
                own, other = quotients.loc[region, seller], quotients.loc[region, buyer]
                cell = (region, seller), buyer
                assert every["formula"].loc[cell] == pytest.approx(own / other)
                assert every["round"].loc[cell] == pytest.approx(own / log2(1 + other))
                wanted = own if seller == buyer else own / log2(1 + other)
                assert every["simple"].loc[cell] == pytest.approx(wanted)


@few
@given(tables, st.floats(1.01, 100))
def test_identities(values, factor):
    """CILQ has diagonal 1, is the reciprocal of its transpose, and the base cancels."""
    for region in values.index:
        cells = cross_industry_quotient(values, region=region)
        np.testing.assert_allclose(np.diag(cells), 1)
        np.testing.assert_allclose(cells * cells.T, 1, rtol=1e-12)
        base = values.sum(axis=1) * factor + np.arange(4)
        np.testing.assert_allclose(cells, cross_industry_quotient(values, base, region=region), rtol=1e-9)
        scaled = round_quotient(values * factor, region=region)
        np.testing.assert_allclose(scaled, round_quotient(values, region=region), rtol=1e-9)


@few
@given(tables, st.permutations(list("abcd")), st.permutations(list("xyz")))
def test_relabeling_moves_the_cells_along(values, regions, sectors):
    shuffled = round_quotient(values.loc[regions, sectors])
    pd.testing.assert_frame_equal(
        shuffled.reindex(round_quotient(values).index)[list("xyz")], round_quotient(values)
    )


@pytest.mark.parametrize("function", [cross_industry_quotient, round_quotient])
def test_a_sector_absent_from_a_region(function):
    values = OUTPUT.replace(10.0, 0.0)
    with pytest.raises(InputError, match=r"undefined: A × 3; say absent='nan'"):
        function(values)
    assert function(values, region="B").notna().all(axis=None)  # only the wanted region matters
    found = function(values, absent="nan", diagonal="simple")
    assert found.loc["A"]["3"].isna().all()
    assert found.drop(columns="3").notna().all(axis=None)
    assert (found.loc[("A", "3")].dropna() == 0).all()  # nothing to sell


@pytest.mark.parametrize("function", [cross_industry_quotient, round_quotient])
def test_bad_input_is_named(function):
    with pytest.raises(RegionError, match="region is 'C'"):
        function(OUTPUT, region="C")
    with pytest.raises(InputError, match="none in 2"):
        function(OUTPUT.assign(**{"2": 0.0}))
    with pytest.raises(InputError, match=r"zero in B \(base\)"):
        function(OUTPUT, pd.Series({"A": 200.0, "B": 0.0}))
    with pytest.raises(InputError, match="A × 1 is -70"):
        function(OUTPUT.replace(70.0, -70.0))
    with pytest.raises(InputError, match=r"smaller than one of them, but it is in A × 1 \(70 > 50\)"):
        function(OUTPUT, pd.Series({"A": 50.0, "B": 200.0}))
    with pytest.raises(InputError, match="absent is 'drop'"):
        function(OUTPUT, absent="drop")
    with pytest.raises(InputError, match="diagonal is 'one'"):
        function(OUTPUT, diagonal="one")
    with pytest.raises(InputError, match="one sector: 1"):
        function(OUTPUT[["1"]])
