"""Prerequisites against the level of all regions together."""

import pandas as pd
import pytest

from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError
from spatialkz.study import Study, StudyContext
from spatialkz.tables import prerequisite_quotients

ROWS = [
    ("a", "researchers", 30, 1000),
    ("a", "spending", 5, 50),
    ("b", "researchers", 10, 3000),
    ("b", "spending", 15, 150),
]
TABLE = pd.DataFrame(ROWS, columns=["region", "indicator", "value", "base"])


def test_quotients_by_hand():
    found = prerequisite_quotients(TABLE)
    assert found["researchers"].tolist() == pytest.approx([0.03 / 0.01, (10 / 3000) / 0.01])
    assert found["spending"].tolist() == pytest.approx([1, 1])
    assert found.index.name == "region"


def test_neither_the_order_of_rows_nor_text_matters():
    mixed = TABLE.iloc[[3, 0, 2, 1]].astype(str)
    pd.testing.assert_frame_equal(
        prerequisite_quotients(mixed).sort_index().sort_index(axis=1), prerequisite_quotients(TABLE)
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (TABLE.drop(columns="base"), "lacks the column base"),
        (TABLE.iloc[[0, 0, 1, 2, 3]], "has researchers of a twice"),
        (TABLE.iloc[:3], "no spending of b"),
        (TABLE.assign(value=[30, "", 10, 15]), "spending of a is ''"),
        (TABLE.assign(value=[30, 5, -1, 15]), "researchers of b is '-1'"),
        (TABLE.assign(base=[1000, 50, 0, 150]), "researchers of b is '10' of '0'"),
        (TABLE.assign(value=[0, 5, 0, 15]), "researchers is 0 in every region"),
    ],
)
def test_bad_tables_are_told_in_one_sentence(table, told):
    with pytest.raises(InputError, match=told):
        prerequisite_quotients(table)


def test_a_study_refuses_prerequisites_of_other_regions(study):
    known = study.context.prerequisites
    for wrong, told in (
        (known.replace({"region": {"Akmola": "Nowhere"}}), "lacks Akmola.*has Nowhere"),
        (known[known["region"] != "Akmola"], "lacks Akmola"),
    ):
        with pytest.raises(RegionError, match=told):
            Study(study.name, study.table, study.graph, context=StudyContext(prerequisites=wrong))


def test_the_bundled_table_is_the_sum_of_the_official_one(study):
    """The 20 regions of 2022 summed to the 17 before; spending in thousand tenge, product in millions."""
    official = read_table("innovation_by_region").set_index("region")
    value_added = read_table("gva_by_region").query("year == 2022").set_index("region")
    regions = read_table("regions").set_index("code")
    product = 1000 * value_added["GRP"]
    assert set(official.index) == set(value_added.index) == set(regions.index)
    sums = official.assign(product=product).groupby(regions["unit_2018"]).sum()
    sums = sums.set_axis(regions.loc[sums.index, "name_en_2018"], axis=0)
    wide = study.context.prerequisites.pivot(index="region", columns="indicator", values=["value", "base"])
    wide = wide.astype(float)
    for indicator, value, base in (
        ("research spending", "research_spending", "product"),
        ("researchers", "researchers", "population"),
        ("innovating enterprises", "innovating", "enterprises"),
        ("innovating manufacturers", "innovating_manufacturers", "manufacturers"),
    ):
        for column, name in (("value", value), ("base", base)):
            found = wide[column, indicator]
            assert found.to_dict() == pytest.approx(sums[name].to_dict(), abs=0.06)


def test_regional_sums_are_the_national_figures():
    """Bulletins of the Bureau of National Statistics on research and innovation, 2022."""
    sums = read_table("innovation_by_region").set_index("region").sum()
    assert sums["research_spending"] == pytest.approx(121_560_095.7, abs=0.2)
    assert sums[["researchers", "enterprises", "innovating"]].tolist() == [18_014, 30_750, 3_390]
    assert sums[["manufacturers", "innovating_manufacturers"]].tolist() == [4_421, 654]
