import json

import numpy as np
import pandas as pd
import pytest

from spatialkz.datasets import data_path, read_table, study_names
from spatialkz.errors import InputError
from spatialkz.regions import resolve_regions

PACKAGE = json.loads(data_path("datapackage.json").read_text(encoding="utf-8"))
RESOURCES = {resource["path"]: resource for resource in PACKAGE["resources"]}


def test_every_table_is_described_and_every_description_has_its_table():
    found = {path.relative_to(data_path()).as_posix() for path in data_path().rglob("*.csv")}
    assert found == set(RESOURCES)


@pytest.mark.parametrize("path", RESOURCES)
def test_fields_source_unit_vintage_and_license_are_named(path):
    resource = RESOURCES[path]
    columns = pd.read_csv(data_path(*path.split("/")), nrows=0).columns.tolist()
    assert [field["name"] for field in resource["schema"]["fields"]] == columns
    assert all(field["description"] for field in resource["schema"]["fields"])
    for key in ("title", "table", "unit", "vintage", "sources", "licenses"):
        assert resource[key]


@pytest.fixture(scope="module")
def table1():
    return read_table("kazakhstan-2022/table1")


def test_table_1_is_whole(table1):
    assert len(table1) == 187
    assert table1.groupby("sector", sort=False).size().tolist() == [17] * 11
    assert table1.groupby("region", sort=False).size().tolist() == [11] * 17
    groups = read_table("kazakhstan-2022/sectors").groupby("group").size()
    assert groups.to_dict() == {"industry": 6, "services": 5}


def test_table_1_by_sums_over_the_printed_rows_and_columns(table1):
    """Sums in hundredths, added up by hand from the page: a slip in one cell shows in two of them."""
    hundredths = table1.assign(lq=(table1["lq"] * 100).round().astype(int))
    by_region = hundredths.groupby("region", sort=False)["lq"].sum()
    wanted = {
        "Akmola": 69 + 7 + 121 + 0 + 9 + 79 + 19 + 27 + 11 + 73 + 15,
        "Zhambyl": 1279 + 0 + 20 + 64 + 0 + 0 + 25 + 24 + 15 + 86 + 15,
        "North Kazakhstan": 34 + 50 + 173 + 1270 + 64 + 3 + 47 + 68 + 31 + 22 + 19,
        "Nur-Sultan": 14 + 2 + 121 + 210 + 43 + 0 + 208 + 161 + 212 + 106 + 69,
        "Almaty City": 34 + 313 + 168 + 453 + 191 + 231 + 144 + 167 + 125 + 154 + 144,
        "Shymkent": 38 + 849 + 45 + 19 + 326 + 0 + 23 + 32 + 64 + 12 + 16,
    }
    assert by_region[list(wanted)].to_dict() == wanted
    by_sector = hundredths.groupby("sector", sort=False)["lq"].sum()
    assert by_sector["vehicles"] == 79 + 5 + 790 + 5 + 3 + 194 + 231
    assert by_sector["research"] == (
        73 + 22 + 51 + 35 + 20 + 86 + 85 + 35 + 19 + 186 + 24 + 22 + 8 + 241 + 106 + 154 + 12
    )


def test_findings_about_the_paper_hold_in_its_table(table1):
    """The numbers that datapackage.json states under 'errata'."""
    quotients = table1.pivot_table(index="region", columns="sector", values="lq")
    assert quotients.to_numpy().max() == quotients.loc["Zhambyl", "chemical"] == 12.79
    odd = table1[(table1["lq"] >= 1) != (table1["bold"] == 1)]
    assert odd[["region", "sector", "lq"]].to_numpy().tolist() == [["Nur-Sultan", "electronics", 2.1]]
    assert quotients.loc["Karaganda"].max() == 0.85
    assert quotients.loc["Pavlodar"].max() == 0.77
    assert quotients["research"].nlargest(2).index.tolist() == ["East Kazakhstan", "Mangistau"]
    assert quotients["professional"].idxmax() == "Atyrau"
    assert quotients["electrical"].idxmax() == "Turkestan"
    assert (quotients["pharmaceutical"] >= 1).sum() == 3
    placement = read_table("kazakhstan-2022/placement").set_index("region")["tier"]
    assert placement.index[placement.isna()].tolist() == ["Turkestan"]
    breadth = (quotients >= 1).sum(axis=1).groupby(placement).mean()
    assert breadth.to_dict() == {1: 8.0, 2: 1.5, 3: 2.0, 4: 1.75}
    assert read_table("kazakhstan-2022/sez")["sez"].nunique() == 10


@pytest.mark.parametrize("name", ["table1", "placement", "sez", "technoparks", "sites"])
def test_every_region_named_in_the_tables_is_one_of_the_17(name):
    regions = read_table(f"kazakhstan-2022/{name}")["region"].dropna().unique()
    known = set(read_table("kazakhstan-2022/table1")["region"])
    assert set(regions) <= known
    assert resolve_regions(sorted(known), vintage=2018)["code"].nunique() == 17


def test_value_added_is_complete_and_manufacturing_lies_within_industry():
    table = read_table("gva_by_region")
    sizes = {2010: 16} | dict.fromkeys(range(2011, 2021), 17) | dict.fromkeys(range(2021, 2026), 20)
    assert table.groupby("year").size().to_dict() == sizes
    assert not table[["C", "J", "GRP"]].isna().to_numpy().any()
    assert table.index[table["M"].isna()].equals(table.index[table["year"] < 2014])
    whole = table.query("year in [2019, 2020, 2022]")
    assert not whole.isna().to_numpy().any()
    assert table.drop(whole.index)[["K", "P", "IND"]].isna().to_numpy().all()
    assert (whole["C"] <= whole["IND"] + 0.05).all()
    parts = whole[["J", "K", "M", "P", "IND"]].sum(axis=1)
    assert (parts < whole["GRP"]).all()
    assert (table[["C", "J", "M"]].sum(axis=1) < table["GRP"]).all()
    assert np.isclose(table.query("year == 2020")["GRP"].sum(), 70649033.2, rtol=1e-6)


def test_value_added_adds_up_to_the_country():
    """National figures of table 5927 and the workbook on gross regional product, million tenge."""
    sums = read_table("gva_by_region").groupby("year")[["C", "J", "GRP"]].sum()
    national = {
        2011: (3131187.0, 698970.9, 28243052.7),
        2020: (9235617.6, 1670561.0, 70649033.2),
        2025: (20627624.0, 4076628.7, 159608552.9),
    }
    for year, figures in national.items():
        assert sums.loc[year].tolist() == pytest.approx(figures, abs=0.1)


def test_unknown_tables_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no bundled table 'table9'; there are .*regions"):
        read_table("table9")
    assert study_names() == [
        "kazakhstan-2022",
        "kazakhstan-gva",
        "kazakhstan-gva-2020",
        "kazakhstan-gva-2022",
        "kazakhstan-rd-2022",
    ]
