"""Tables as offices make them: from the file to ranked candidates with one init and few edited lines."""

import tomllib

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely import box

from spatialkz import rank_candidates, read_study, run_study
from spatialkz.specialization import quotient_interval, table_quotients
from spatialkz.study.init import init_study

QUICK = "permutations = 99\nresamples = 10\ndraws = 100\nsimulations = 600\n"


def squares(folder, name, columns):
    """A map of nine squares, three by three."""
    places = [(k % 3, k // 3) for k in range(9)]
    shapes = [box(x, y, x + 1, y + 1) for x, y in places]
    gpd.GeoDataFrame(columns, geometry=shapes, crs=3857).to_file(folder / name)


# --- the quarterly census of the BLS: long, codes that nest, flags of what is not disclosed, base elsewhere

FIPS = [f"0{1001 + 2 * k}" for k in range(9)]
BLS_JOBS = {  # industry → level, jobs by county; None is not disclosed
    "11": (74, [40, None, 25, 31, 18, 22, None, 35, 27]),
    "31-33": (74, [900, 700, 850, 400, 1200, 300, 450, 800, 600]),
    "311": (75, [300, 200, 350, 100, 200, 100, 150, 300, 200]),
    "334": (75, [None, 500, 400, 200, 900, 100, 200, 300, 300]),
    "51": (74, [90, 60, 20, 15, 210, 25, 30, 45, 20]),
    "54": (74, [150, 300, 80, 60, 420, 75, 90, 110, 70]),
}
BLS_ALL_JOBS = [4000, 5200, 3100, 1900, 7800, 1700, 2300, 4100, 2600]


def bls(folder):
    head = (
        "area_fips,own_code,industry_code,agglvl_code,size_code,year,qtr,disclosure_code,"
        "annual_avg_estabs,annual_avg_emplvl"
    )
    lines = [head]
    for year in (2021, 2022):
        for industry, (level, jobs) in BLS_JOBS.items():
            for place, count in zip(FIPS, jobs, strict=True):
                known = "" if count is not None else "N"
                count = 0 if count is None else count + 7 * (year == 2021)
                lines.append(f'"{place}","5","{industry}","{level}","0","{year}","A","{known}",12,{count}')
    (folder / "counties.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    base = ["area_fips,own_code,industry_code,year,annual_avg_emplvl"]
    base += [
        f'"{place}","0","10","{year}",{jobs}'
        for year in (2021, 2022)
        for place, jobs in zip(FIPS, BLS_ALL_JOBS, strict=True)
    ]
    (folder / "all_industries.csv").write_text("\n".join(base) + "\n", encoding="utf-8")
    squares(folder, "map.gpkg", {"GEOID": FIPS, "NAME": [f"County {k}" for k in range(9)]})
    return folder / "counties.csv"


LEFT_OUT = '# base = "total"   # column or file with the base of each region; left out: the sum of its row'
BLS_EDITS = {
    LEFT_OUT: 'base = { file = "all_industries.csv", value = "annual_avg_emplvl", where = { year = 2022 } }'
}


# --- areas of Wales: long, five years written 2015.0, the whole among its parts, other names than the map's

AREAS = ["Anglesey", "Gwynedd", "Conwy", "The Vale of Glamorgan", "Cardiff", "Newport", "Powys"]
AREAS += ["Swansea", "Bridgend"]
MAPPED = [
    {"Anglesey": "Isle of Anglesey", "The Vale of Glamorgan": "Vale of Glamorgan"}.get(a, a) for a in AREAS
]
WELSH_JOBS = {
    "software": [20, 30, 10, 45, 900, 200, 15, 310, 60],
    "aerospace": [0, 10, 400, 800, 50, 100, 0, 25, 90],
    "food": [500, 420, 380, 150, 700, 260, 610, 330, 240],
    "footwear": [0] * 9,
}


def welsh(folder):
    lines = ["location,industry,year,employment,business_counts"]
    for year in (2014, 2015):
        for industry, jobs in WELSH_JOBS.items():
            jobs = [count + 10 * (year == 2014) * (count > 0) for count in jobs]
            lines.append(f"wales,{industry},{year}.0,{sum(jobs)},{sum(jobs) / 5}")
            lines += [
                f"{area},{industry},{year}.0,{count},{count / 5}"
                for area, count in zip(AREAS, jobs, strict=True)
            ]
    (folder / "industries.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    squares(folder, "areas.geojson", {"code": [f"W0600{k:04d}" for k in range(9)], "name": MAPPED})
    return folder / "industries.csv"


# --- an office's workbook in Russian: titles, merged headers, footnotes, a total row, x and -

OBLASTS = "Акмолинская Актюбинская Алматинская Атырауская Западно-Казахстанская Жамбылская Карагандинская "
OBLASTS += "Костанайская Кызылординская Мангистауская Павлодарская Северо-Казахстанская Туркестанская "
OBLASTS = [*(OBLASTS + "Восточно-Казахстанская").split(), "г. Астана2)", "г. Алматы", "г. Шымкент"]
RUSSIAN_JOBS = [
    [30.5 + 7 * (k * 5 % 11), 2.5 + 3 * (k * 7 % 5), 0.5 + (k * 3 % 7), 18.0 + 2 * (k % 4)] for k in range(17)
]
RUSSIAN_JOBS[9][2] = 0.0  # printed as -
HIDDEN_AT = (8, 2)  # printed as x


def russian(folder):
    book = openpyxl.Workbook()
    book.active["A1"] = "Содержание"
    sheet = book.create_sheet("Таблица 1")
    sheet["A1"] = "Занятые по видам экономической деятельности, 2022 год"
    sheet.merge_cells("A1:F1")
    sheet["A2"] = "тысяч человек"
    sheet["A4"], sheet["B4"], sheet["C4"] = "Регион", "Всего", "по видам"
    for cells in ("A4:A5", "B4:B5", "C4:F4"):
        sheet.merge_cells(cells)
    for column, name in zip("CDEF", ("Промышленность", "Связь1)", "Наука", "Образование"), strict=True):
        sheet[f"{column}5"] = name
    whole = [sum(column) for column in zip(*RUSSIAN_JOBS, strict=True)]
    for line, (name, jobs) in enumerate(
        zip(["Республика Казахстан", *OBLASTS], [whole, *RUSSIAN_JOBS], strict=True), 6
    ):
        cells = [name, sum(jobs), *jobs]
        if line - 7 == HIDDEN_AT[0]:
            cells[2 + HIDDEN_AT[1]] = "x"
        if line - 7 == 9:
            cells[4] = "-"
        if line - 7 == 15:
            cells[3] = f"{jobs[1]:.1f}²".replace(".", ",")
        for column, cell in enumerate(cells, 1):
            sheet.cell(line, column, cell)
    for line, note in enumerate(
        ("1) Без филиалов.", "2) До 2022 года - г. Нур-Султан.", "x - данные конфиденциальны"), 25
    ):
        sheet.cell(line, 1, note)
    book.save(folder / "занятые.xlsx")
    return folder / "занятые.xlsx"


CASES = {"bls": (bls, BLS_EDITS), "welsh": (welsh, {}), "russian": (russian, {})}


def edited(started, edits):
    text = started.path.read_text(encoding="utf-8")
    for old, new in edits.items():
        assert text.splitlines().count(old) == 1
        text = text.replace(old, new)
    started.path.write_text(text + QUICK, encoding="utf-8")
    return read_study(started.path)


@pytest.mark.parametrize("name", CASES)
def test_from_the_file_to_ranked_candidates(name, tmp_path):
    make, edits = CASES[name]
    assert len(edits) <= 3
    study = edited(init_study(make(tmp_path)), edits)
    ranking = rank_candidates(study, rng=1)
    quotients = table_quotients(study.table)
    reached = quotients.stack()
    found = ranking.candidates.set_index(["region", "sector"])["lq"]
    pd.testing.assert_series_equal(
        found.sort_index(), reached[reached >= 1].sort_index(), check_names=False, check_index_type=False
    )
    folder = run_study(study, tmp_path / "results", seed=1)
    assert len(pd.read_csv(folder / "areas.csv")) == len(study.table.regions)


def test_what_a_bls_table_becomes(tmp_path):
    started = init_study(bls(tmp_path))
    written = tomllib.loads(started.path.read_text(encoding="utf-8"))
    assert written["table"] == {
        "file": "counties.csv",
        "region": "area_fips",
        "where": {"year": 2022, "agglvl_code": 74, "disclosure_code": ""},
        "sector": "industry_code",
        "value": "annual_avg_emplvl",
        "absent": "suppressed",
        "kind": "counts",
    }
    assert written["geography"] == {"boundaries": "map.gpkg"}
    assert any("N in 'disclosure_code' were taken as suppressed" in asked for asked in started.questions)
    table = edited(started, BLS_EDITS).table
    assert sorted(table.regions) == FIPS  # zeros in front are kept
    assert table.sectors.tolist() == ["11", "31-33", "51", "54"]  # one level only
    # LQ = (900 / 4000) / (6200 / 32700)
    assert table_quotients(table).loc["01001", "31-33"] == pytest.approx(900 / 4000 * 32700 / 6200)
    low, high = quotient_interval(table)
    assert low.loc["01003", "11"] == 0
    assert high.loc["01003", "11"] > table_quotients(table).loc["01003", "11"]


def test_what_a_welsh_table_becomes(tmp_path):
    started = init_study(welsh(tmp_path))
    written = tomllib.loads(started.path.read_text(encoding="utf-8"))
    assert written["table"] == {
        "file": "industries.csv",
        "region": "location",
        "where": {"year": 2015},
        "sector": "industry",
        "value": "employment",
        "total": "wales",
        "drop": ["footwear"],
        "kind": "counts",
        "rename": {"Anglesey": "Isle of Anglesey", "The Vale of Glamorgan": "Vale of Glamorgan"},
    }
    study = edited(started, {})
    assert study.table.regions.tolist() == MAPPED
    jobs = pd.DataFrame(WELSH_JOBS, index=MAPPED).drop(columns="footwear")
    by_hand = jobs.loc["Cardiff", "software"] / jobs.loc["Cardiff"].sum()
    by_hand /= jobs["software"].sum() / jobs.to_numpy().sum()
    assert table_quotients(study.table).loc["Cardiff", "software"] == pytest.approx(by_hand)
    assert len(study.graph["Cardiff"]) == 8  # the square in the middle


def test_what_an_office_workbook_becomes(tmp_path):
    started = init_study(russian(tmp_path))
    written = tomllib.loads(started.path.read_text(encoding="utf-8"))
    assert written["table"] == {
        "file": "занятые.xlsx",
        "region": "Регион",
        "unknown": {"x": "suppressed", "-": "zero"},
        "total": "Республика Казахстан",
        "base": "Всего",
        "kind": "volumes",
    }
    assert any("footnote marks" in note for note in started.notes)
    table = edited(started, {}).table
    assert "г. Астана" in table.regions
    sector = table.sectors[2]
    hidden, alike = table.regions[HIDDEN_AT[0]], table.regions[9]
    # Its row's total tells the one suppressed cell; a dash is a zero.
    assert table.values.loc[hidden, sector] == pytest.approx(RUSSIAN_JOBS[8][2])
    assert table.values.loc[alike, sector] == 0
    assert table.values.loc["г. Алматы", table.sectors[1]] == RUSSIAN_JOBS[15][1]
