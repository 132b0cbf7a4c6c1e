import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import breadth, location_quotient, symmetric_quotient, table_quotients


def test_value_of_reat():
    """R package REAT 3.0.3, help page of locq: locq(1714, 79006, 879213, 15593224) = 0.3847623."""
    region = pd.DataFrame({"sector": [1714.0, 879213.0 - 1714.0]}, index=["Göttingen", "rest"])
    base = pd.Series({"Göttingen": 79006.0, "rest": 15593224.0 - 79006.0})
    assert location_quotient(region, base).loc["Göttingen", "sector"] == pytest.approx(0.3847623, abs=5e-8)


tables = arrays(float, (5, 4), elements=st.floats(0.001, 1e6)).map(
    lambda cells: pd.DataFrame(cells, index=list("abcde"), columns=list("wxyz"))
)


@given(tables)
def test_base_shares_times_quotients_add_up_to_one(values):
    base = values.sum(axis=1)
    total = (location_quotient(values).mul(base / base.sum(), axis=0)).sum()
    np.testing.assert_allclose(total, 1, atol=1e-12)


@given(tables, st.floats(0.01, 100))
def test_units_and_row_order_do_not_matter(values, unit):
    quotients = location_quotient(values)
    pd.testing.assert_frame_equal(location_quotient(values * unit), quotients)
    pd.testing.assert_frame_equal(location_quotient(values[::-1]).loc[values.index], quotients)


def test_groups_take_their_own_base():
    values = pd.DataFrame({"steel": [30.0, 10], "cars": [10.0, 10], "law": [5.0, 15]}, index=["N", "S"])
    groups = pd.Series({"law": "services", "steel": "industry", "cars": "industry"})
    quotients = location_quotient(
        values.assign(it=[5.0, 5]), groups=pd.concat([groups, pd.Series({"it": "services"})])
    )
    assert quotients.loc["N", "steel"] == pytest.approx((30 / 40) / (40 / 60))
    assert quotients.loc["N", "law"] == pytest.approx((5 / 20) / (10 / 30))
    with pytest.raises(InputError, match="group of one sector: law"):
        location_quotient(values, groups=groups)
    base = pd.DataFrame({"services": [10.0, 30], "industry": [50.0, 50]}, index=["N", "S"])
    quotients = location_quotient(values, base, groups=groups)
    assert quotients.loc["N", "steel"] == pytest.approx((30 / 50) / (40 / 100))
    assert quotients.loc["N", "law"] == pytest.approx((5 / 10) / (20 / 40))


def test_bad_margins_are_refused():
    values = pd.DataFrame({"steel": [3.0, 1], "law": [1.0, 3]}, index=["N", "S"])
    with pytest.raises(InputError, match="none in law"):
        location_quotient(values.assign(law=0.0))
    with pytest.raises(InputError, match=r"zero in S \(base\)"):
        location_quotient(values, pd.Series({"N": 1.0, "S": 0.0}))
    with pytest.raises(RegionError, match="base lacks S"):
        location_quotient(values, pd.Series({"N": 1.0, "X": 1.0}))
    with pytest.raises(InputError, match="no entry for law"):
        location_quotient(values, groups=pd.Series({"steel": "industry"}))
    base = pd.DataFrame({"industry": [1.0, 1], "trade": [1.0, 1]}, index=["N", "S"])
    with pytest.raises(InputError, match="none for group services"):
        location_quotient(values, base, groups=pd.Series({"steel": "industry", "law": "services"}))
    with pytest.raises(
        InputError, match=r"cannot be smaller than one of them, but it is in N × steel \(3 > 2\)"
    ):
        location_quotient(values, pd.Series({"N": 2.0, "S": 9.0}))
    assert location_quotient(values, pd.Series({"N": 2.0, "S": 9.0}), contained=False).loc["N", "steel"] > 1
    with pytest.raises(InputError, match="N × steel is -1"):
        location_quotient(values.replace(3.0, -1.0))


def test_breadth_of_the_paper(study):
    found = breadth(study.table.values)
    wanted = {
        "Almaty City": 10,
        "Nur-Sultan": 6,
        "East Kazakhstan": 4,
        "Mangistau": 3,
        "Karaganda": 0,
        "Pavlodar": 0,
    }
    assert found[list(wanted)].to_dict() == wanted
    assert found.sum() == 41


def test_symmetric_quotients_keep_the_order_and_mirror_reciprocals():
    quotients = pd.DataFrame({"x": [0.0, 0.25, 1.0, 4.0, 12.79]}, index=list("abcde"))
    symmetric = symmetric_quotient(quotients)["x"]
    assert symmetric.is_monotonic_increasing
    assert symmetric["b"] == pytest.approx(-symmetric["d"])


def test_a_study_of_volumes_gets_quotients_and_a_published_one_keeps_its_own(study):
    import spatialkz

    assert table_quotients(study.table).loc["Zhambyl", "chemical"] == 12.79
    volumes = spatialkz.load_study("kazakhstan-gva-2020").table
    shares = volumes.base["GRP"] / volumes.base["GRP"].sum()
    np.testing.assert_allclose(table_quotients(volumes).mul(shares, axis=0).sum(), 1, atol=1e-12)
