"""Studies with periods: read from long and wide files, led to one division, breaks kept."""

import pytest

import spatialkz
from spatialkz.datasets import data_path
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import table_quotients
from spatialkz.study import read_study, study_files

WIDE = "region,year,law,steel,base\n" + "".join(
    f"{region},{year},{year - 2000 + place},{2 * place + 1},{500 + place}\n"
    for year in (2010, 2011, 2012)
    for place, region in enumerate("ABCD")
)
PAIRS = "A,B\nB,C\nC,D\n"


def write(folder, text=WIDE, periods='column = "year"', table='region = "region"\nbase = "base"'):
    (folder / "table.csv").write_text(text)
    (folder / "pairs.csv").write_text(PAIRS)
    (folder / "study.toml").write_text(
        f'[table]\nfile = "table.csv"\n{table}\n[periods]\n{periods}\n[geography]\ngraph = "pairs.csv"\n'
    )
    return folder / "study.toml"


def test_the_bundled_series_is_on_the_regions_of_2018():
    study = spatialkz.load_study("kazakhstan-gva")
    panel = study.panel
    assert panel.periods == list(range(2011, 2026))
    assert panel.breaks == {2023: "recalculation to the System of National Accounts 2008"}
    assert len(study.table.regions) == 17
    assert study.table.sectors.tolist()[1] == "Information and communication"
    # Table 5927 for 2022: East Kazakhstan with Abai, million tenge of manufacturing.
    source = spatialkz.datasets.read_table("gva_by_region").query("year == 2022").set_index("region")["C"]
    assert panel.tables[2022].values.at["East Kazakhstan", "Manufacturing"] == pytest.approx(
        source["VKO"] + source["ABY"]
    )
    with pytest.raises(InputError, match="the series breaks"):
        panel.between()


def test_quotients_of_2020():
    """Base gross regional product; computed from table 5927 by hand: 425,379 of 7,834,828 and so on."""
    table = spatialkz.load_study("kazakhstan-gva").panel.tables[2020]
    found = table_quotients(table)["Information and communication"].sort_values(ascending=False)
    assert found.index[:2].tolist() == ["Nur-Sultan", "Almaty City"]
    assert found.iloc[:3].round(2).tolist() == [2.97, 2.64, 0.38]
    year = spatialkz.load_study("kazakhstan-gva-2020")
    assert table_quotients(year.table)["Information and communication"][found.index].equals(found)


def test_wide_and_long_files_are_one(tmp_path):
    wide = read_study(write(tmp_path)).panel
    rows = [line.split(",") for line in WIDE.splitlines()[1:]]
    long = "region,year,sector,value\n" + "".join(
        f"{region},{year},{sector},{value}\n"
        for region, year, *cells in rows
        for sector, value in zip(("law", "steel", "base"), cells, strict=True)
    )
    (tmp_path / "other").mkdir()
    options = 'region = "region"\nsector = "sector"\nvalue = "value"\nbase = "base"'
    other = read_study(write(tmp_path / "other", long, table=options)).panel
    assert other.periods == wide.periods == [2010, 2011, 2012]
    for period in wide.periods:
        assert other.tables[period].values.equals(wide.tables[period].values)


def test_one_period_is_studied_by_itself(tmp_path):
    path = write(tmp_path, periods='column = "year"\nat = 2011\nfirst = 2011')
    study = read_study(path)
    assert study.table.values.at["A", "law"] == 11
    assert study.panel.periods == [2011, 2012]
    assert study_files(path, {"table": {"where": {"year": 2010}}}).study().table.values.at["A", "law"] == 10


def test_regions_that_are_joined_need_a_crosswalk_of_the_same_form(tmp_path):
    text = WIDE + "E,2012,1,1,500\nF,2012,2,2,500\n".replace("E", "D1").replace("F", "D2")
    text = text.replace("D,2012,15,7,503\n", "")
    with pytest.raises(RegionError, match=r"appear or vanish between 2010 and 2012.*crosswalk"):
        read_study(write(tmp_path, text))
    (tmp_path / "walk.csv").write_text("2000,2012\nA,A\nB,B\nC,C\nD,D1\nD,D2\n")
    periods = 'column = "year"\ncrosswalk = "walk.csv"\ndivision = "2000"'
    study = read_study(write(tmp_path, text, periods))
    assert study.table.regions.tolist() == list("ABCD")
    assert study.table.values.loc["D"].tolist() == [3, 3]
    assert "Tables on other divisions were summed to 2000." in study.notes
    with pytest.raises(RegionError, match=r"year 2012: Its regions are not those of a division in walk\.csv"):
        read_study(write(tmp_path, text.replace("D2", "D3"), periods))


@pytest.mark.parametrize(
    ("text", "periods", "complaint"),
    [
        (WIDE + "A,2012,1,1,500\n", 'column = "year"', "year 2012: .*A stands more than once"),
        (WIDE, 'column = "month"', "has no column month"),
        (WIDE, 'column = "year"\nfirst = 1999', "first is 1999; there are 2010, 2011, 2012"),
        (WIDE, 'column = "year"\nat = 1999', "no period '1999'"),
        (WIDE, 'column = "year"\nbreaks = { 1999 = "why" }', r"\[periods.breaks\] names 1999"),
        (WIDE.replace("D,2012", "D,"), 'column = "year"', "line 13: the year is empty"),
        (WIDE, 'column = "year"\ndivision = "2000"', "division goes with crosswalk"),
        (WIDE.replace("D,2012,15", "D,2012,-15"), 'column = "year"', "year 2012: .*D × law is -15"),
    ],
)
def test_faulty_periods(tmp_path, text, periods, complaint):
    with pytest.raises(InputError, match=complaint):
        read_study(write(tmp_path, text, periods))


def test_a_table_on_another_division_says_so(tmp_path):
    text = data_path("kazakhstan-gva-2022", "study.toml").read_text(encoding="utf-8")
    text = text.replace("../", data_path().as_posix() + "/")
    (tmp_path / "own.toml").write_text(text.replace("kazakhstan-2022", "kazakhstan-2018"), encoding="utf-8")
    with pytest.raises(
        RegionError,
        match=r"Abai \(ABY\), Ulytau \(ULT\), Jetisu \(ZHT\) are regions since 2022, and this is .*2018",
    ):
        read_study(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_text(text.replace("year = 2022", "year = 2020"), encoding="utf-8")
    with pytest.raises(RegionError, match="These are the 17 regions of 2018 to 2022"):
        read_study(tmp_path / "own.toml")
