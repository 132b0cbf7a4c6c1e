"""Parts of growth: REAT's help page, hand calculation, and sums that are exact."""

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz.change import shift_share
from spatialkz.errors import InputError
from spatialkz.tables import ActivityTable, Panel

# help(shift) of R's REAT 3.0.3, after Farhauer & Kröll (2013): three regions that make up the nation.
BEFORE = pd.DataFrame([[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]], list("ABC"), list("wxyz"))
AFTER = pd.DataFrame([[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]], list("ABC"), list("wxyz"))
LINE = Graph.from_arrays(list("ABBC"), list("BACB"), [1.0] * 4)


def panel(*tables, kind="counts", **options):
    return Panel({year: ActivityTable(table, kind=kind, **options) for year, table in enumerate(tables)})


REAT = panel(BEFORE, AFTER)


def test_the_help_page_of_reat():
    """Its methods Dunn and Esteban; the parts are summed over four industries."""
    found = shift_share(REAT).by_region()
    assert found["change"].tolist() == [25, 55, 85]
    np.testing.assert_allclose(found["national"], [27, 24, 114])
    np.testing.assert_allclose(found["mix"], [1, -1, 0], atol=1e-9)
    np.testing.assert_allclose(found["regional"], [-3, 32, -29])
    parts = shift_share(REAT, method="esteban-marquillas").by_region()
    # Of region A: 180/1100 × (400 (100/90 − 1.1) + 150 (2 − 1.4) + 150 (1 − .9) + 400 (55/60 − 1.2)).
    assert parts.loc["A", "competitive"] == pytest.approx(-0.6363636363636364)
    assert parts.loc["A", "allocation"] == pytest.approx(-2.3636363636363633)


@pytest.mark.parametrize("method", ["classic", "esteban-marquillas", "spatial", "dynamic"])
def test_parts_add_up(method):
    draw = np.random.default_rng(3)
    tables = [pd.DataFrame(draw.integers(1, 500, (3, 4)), list("ABC"), list("wxyz")) for _ in range(4)]
    found = shift_share(panel(*tables), method=method, graph=LINE if method == "spatial" else None)
    table = found.to_frame()
    np.testing.assert_allclose(table[found.parts].sum(axis=1), table["change"], atol=1e-9)
    # Over all regions, what is not the country's growth is nothing.
    sums = table[found.parts].sum()
    assert sums["mix"] == pytest.approx(0, abs=1e-9)
    if method in ("classic", "dynamic"):
        assert sums["regional"] == pytest.approx(0, abs=1e-9)


def test_growth_among_neighbors_by_hand():
    """A has B alone as neighbor: 60 → 85 in w, against 400 → 440 in the country."""
    found = shift_share(REAT, method="spatial", graph=LINE).to_frame().loc[("A", "w")]
    assert found["neighbors"] == pytest.approx(90 * (85 / 60 - 440 / 400))
    assert found["own"] == pytest.approx(90 * (100 / 90 - 85 / 60))


def test_dynamic_is_the_sum_of_its_steps():
    middle = (BEFORE + AFTER) // 2
    whole = shift_share(panel(BEFORE, middle, AFTER), method="dynamic").to_frame()
    steps = [shift_share(panel(*pair)).to_frame() for pair in ((BEFORE, middle), (middle, AFTER))]
    np.testing.assert_allclose(whole["regional"], steps[0]["regional"] + steps[1]["regional"])


def test_what_the_base_holds_beside_the_sectors_is_a_sector():
    found = shift_share(spatialkz.load_study("kazakhstan-gva").panel, 2011, 2020)
    grown = found.by_region().loc["Nur-Sultan"]
    base = spatialkz.datasets.read_table("gva_by_region").query("region == 'AST'").set_index("year")["GRP"]
    assert grown["before"] == pytest.approx(base[2011])
    assert grown["change"] == pytest.approx(base[2020] - base[2011])
    assert grown[found.parts].sum() == pytest.approx(grown["change"], abs=1e-6)


def test_a_cell_that_begins_at_nothing():
    before = BEFORE.copy()
    before.loc["A", "w"] = 0
    found = shift_share(panel(before, AFTER)).to_frame().loc[("A", "w")]
    assert found[["national", "mix", "regional"]].tolist() == [0, 0, 100]
    with pytest.raises(InputError, match=r"begin at 0 have no growth rate \(A × w\)"):
        shift_share(panel(before, AFTER), method="esteban-marquillas")
    with pytest.raises(InputError, match="the country has nothing in w"):
        shift_share(panel(BEFORE.assign(w=0), AFTER))


def test_wrong_use():
    with pytest.raises(InputError, match="a graph"):
        shift_share(REAT, method="spatial")
    with pytest.raises(InputError, match=r"[aA] graph"):
        shift_share(REAT, graph=LINE)
    with pytest.raises(InputError, match="quotients have no growth"):
        shift_share(panel(BEFORE, AFTER, kind="quotients"))
