"""Names of regions and sectors, selection of rows and columns, and what is named twice."""

import pandas as pd

from . import AS_LONG, LONG, TABLE, Case, book, text, written

PLAIN = written()
YEARS = pd.concat([LONG.assign(year=2021, value=LONG["value"] / 2), LONG.assign(year=2022)])
WIDE_YEARS = pd.concat([(TABLE / 2).round(2).assign(year=2021), TABLE.assign(year=2022)]).reset_index()
YEARS_AS_TEXT = YEARS.assign(year=YEARS["year"].astype(float)).to_csv(index=False)


def two(*regions: str, column: str = "a") -> pd.DataFrame:
    return pd.DataFrame({column: [1.0, 2]}, index=list(regions))


def names(first: str, second: str) -> str:
    return f'region;a\n"{first}";1\n"{second}";2\n'


CASES = [
    Case(
        "names are trimmed",
        text(names("  Akmola ", "West\u00a0\u00a0Kazakhstan")),
        two("Akmola", "West Kazakhstan"),
    ),
    Case("letters are composed", text(names("Almaty\u0301", "И\u0306рбит")), two("Almatý", "Йрбит")),
    Case("a region twice", text(names("Akmola", "Akmola")), r"Akmola stands more than once, in lines 2, 3"),
    Case(
        "a region twice after trimming",
        text(names("Akmola", " Akmola\u00a0")),
        r"Akmola stands more than once, in lines 2, 3",
    ),
    Case(
        "a region twice after its mark is off",
        text(names("Akmola", "Akmola*")),
        r"Akmola stands more than once",
    ),
    Case(
        "Latin and Cyrillic letters",
        text(names("Kostanay", "Коstanay")),
        r"two regions that look alike, 'Kostanay' and 'Коstanay' "
        r"\(letter 1 is (Cyrillic in the one and Latin|Latin in the one and Cyrillic)",
    ),
    Case(
        "a mark that cannot be seen",
        text(names("Akmola", "Ak\u200bmola")),
        r"look alike.*marks that cannot be seen \(U\+200B\)",
    ),
    Case(
        "capital letters alone",
        text(names("Восток", "восток")),
        r"look alike.*they differ in capital letters only",
    ),
    Case(
        "sectors that differ in capitals",
        text("region;IT;it\nX;1;2\nY;3;4\n"),
        r"two sectors that look alike, 'IT' and 'it'",
    ),
    Case(
        "sectors that differ in capitals, renamed",
        text("region;IT;it\nX;1;2\nY;3;4\n"),
        pd.DataFrame({"IT": [1.0, 3], "informatics": [2.0, 4]}, ["X", "Y"]),
        {"rename": {"it": "informatics"}},
    ),
    Case(
        "a footnote digit at a name",
        text(names("г. Астана1)", "Шымкент²")),
        two("г. Астана", "Шымкент"),
        notes=r"footnote marks of г\. Астана1\), Шымкент² taken off",
    ),
    Case(
        "a bracket that is no footnote",
        text(names("Zone (part 1)", "Zone (2)")),
        two("Zone (part 1)", "Zone (2)"),
    ),
    Case(
        "footnotes of sectors in a long table",
        text(LONG.replace("information", "information*").to_csv(index=False)),
        TABLE,
        AS_LONG,
        notes=r"footnote marks of information\* taken off",
    ),
    Case("numbers as names", text("code,a\n01,1\n02,2\n"), two("01", "02")),
    Case("numbers as names, with .0", text("code,a\n1.0,1\n2.0,2\n"), two("1.0", "2.0")),
    Case("an empty name", text(names("", "X")), r"line 2: the 'region' cell is empty"),
    Case("a name of formula signs", text(names("=cmd|x", "@y")), two("=cmd|x", "@y")),
    Case("an emoji and a bell", text(names("🏔 Almaty", "a\x07b")), two("🏔 Almaty", "a\x07b")),
    Case("Excel's error as a name", text(names("#N/A", "X")), r"line 2: the 'region' cell is the error #N/A"),
    Case("a hash in front of a name", text(names("#1 North", "X")), two("#1 North", "X")),
    Case(
        "the region is not the first column",
        text("a,b,region\n1,2,X\n3,4,Y\n"),
        pd.DataFrame({"a": [1.0, 3], "b": [2.0, 4]}, ["X", "Y"]),
        {"region": "region"},
    ),
    Case(
        "no such region column",
        text(PLAIN),
        r"has no column county; there are region, manufacturing",
        {"region": "county"},
    ),
    Case(
        "a region column nearly so called",
        text(PLAIN),
        r"has no column Region; these look alike.*'Region' and 'region'",
        {"region": "Region"},
    ),
    Case(
        "a column for two purposes",
        text(LONG.to_csv(index=False)),
        r"column 'region' is named for two purposes",
        {"region": "region", "sector": "region", "value": "value"},
    ),
    Case(
        "a second column of text",
        text("code,name,a\nX,North,1\nY,South,2\n"),
        r"no number at line 2, column 'name' \('North'\)",
    ),
    Case(
        "a second column of text left out",
        text("code,name,a\nX,North,1\nY,South,2\n"),
        two("X", "Y"),
        {"drop": ("name",)},
    ),
    Case(
        "no such column to leave out",
        text(PLAIN),
        r"drop names columns that table\.csv does not have: trade",
        {"drop": ("trade",)},
    ),
    Case("all columns left out", text("region,a\nX,1\nY,2\n"), r"no column beside region", {"drop": ("a",)}),
    Case("one column kept", text(PLAIN), TABLE[["information"]], {"value": "information"}),
    Case(
        "a region left out",
        text(PLAIN),
        TABLE.drop(index="Atyrau"),
        {"drop_regions": ("Atyrau",)},
        notes="Atyrau left out as stated",
    ),
    Case(
        "no such region to leave out",
        text(PLAIN),
        r"drop_regions names regions that table\.csv does not have: Atirau; perhaps 'Atirau' for 'Atyrau'",
        {"drop_regions": ("Atirau",)},
    ),
    Case(
        "all regions left out",
        text("region,a\nX,1\n"),
        r"no row left after drop_regions",
        {"drop_regions": ("X",)},
    ),
    Case(
        "regions and sectors renamed",
        text("region,a\nX,1\nY,2\n"),
        two("North", "Y", column="jobs"),
        {"rename": {"X": "North", "a": "jobs"}},
    ),
    Case(
        "two regions renamed to one",
        text("region,a\nX,1\nY,2\n"),
        r"rename gives two regions of table\.csv one name: N",
        {"rename": {"X": "N", "Y": "N"}},
    ),
    Case(
        "no such label to rename",
        text("region,a\nX,1\nY,2\n"),
        r"rename names labels that table\.csv does not have: Z",
        {"rename": {"Z": "N"}},
    ),
    Case("a year kept", text(YEARS.to_csv(index=False)), TABLE, {**AS_LONG, "where": {"year": 2022}}),
    Case(
        "a year kept by its text",
        text(YEARS.to_csv(index=False)),
        TABLE,
        {**AS_LONG, "where": {"year": "2022"}},
    ),
    Case("a year written as a fraction", text(YEARS_AS_TEXT), TABLE, {**AS_LONG, "where": {"year": 2022}}),
    Case("a list of one year", text(YEARS_AS_TEXT), TABLE, {**AS_LONG, "where": {"year": ["2022"]}}),
    Case(
        "two years of one table",
        text(WIDE_YEARS.to_csv(index=False)),
        r"Akmola stands more than once, in lines 2, 6",
        {"where": {"year": [2021, 2022]}},
    ),
    Case(
        "the columns that choose are no sectors",
        text("region,year,a\nX,2021,1\nY,2022,2\nZ,2020,3\n"),
        two("X", "Y"),
        {"where": {"year": [2021, 2022]}},
    ),
    Case(
        "no such year",
        text(YEARS_AS_TEXT),
        r"no row where year is 2019; it has 2021\.0, 2022\.0",
        {**AS_LONG, "where": {"year": 2019}},
    ),
    Case(
        "a list of no years",
        text(YEARS_AS_TEXT),
        r"no row where year is one of no values",
        {**AS_LONG, "where": {"year": []}},
    ),
    Case(
        "a code is no number",
        text("region,code,a\nX,01,1\nY,1,2\n"),
        pd.DataFrame({"a": [1.0]}, ["X"]),
        {"where": {"code": "01"}},
    ),
    Case(
        "a region of flagged rows only",
        text("region,sector,flag,jobs\nX,a,,1\nX,b,,2\nY,a,,3\nY,b,N,0\nZ,a,N,0\nZ,b,N,0\n"),
        pd.DataFrame([[1.0, 2.0], [3.0, float("nan")]], ["X", "Y"], ["a", "b"]),
        {
            "region": "region",
            "sector": "sector",
            "value": "jobs",
            "where": {"flag": ""},
            "absent": "suppressed",
        },
        notes="Z left without a row by where, and so out of the table; 1 absent pairs taken as suppressed",
        hidden=frozenset({("Y", "b")}),
    ),
    Case("no such column to choose by", text(PLAIN), r"has no column year", {"where": {"year": 2022}}),
    Case(
        "years not told apart",
        text(YEARS.to_csv(index=False)),
        r"Akmola × manufacturing stands more than once, in lines 2, 14; the column 'year' tells them apart",
        AS_LONG,
    ),
    Case(
        "years of a wide table not told apart",
        text(WIDE_YEARS.to_csv(index=False)),
        r"the column 'year' tells them apart",
    ),
    Case(
        "a pair twice",
        text(LONG.to_csv(index=False) + "Akmola,information,5\n"),
        r"Akmola × information stands more than once, in lines 3, 14\.",
        AS_LONG,
    ),
    Case(
        "a sector without a value column",
        text(PLAIN),
        r"both its sector and its value column",
        {"sector": "information"},
    ),
    Case(
        "sectors of a long table left out",
        text(LONG.to_csv(index=False)),
        TABLE[["manufacturing", "professional"]],
        {**AS_LONG, "drop": ("information",)},
    ),
    Case(
        "all sectors of a long table left out",
        text("region,sector,value\nX,a,1\n"),
        r"no row left after drop",
        {**AS_LONG, "drop": ("a",)},
    ),
    Case(
        "numbers as sectors of a long table",
        book([["region", "sector", "value"], ["X", 62, 1], ["X", 63.0, 2]]),
        pd.DataFrame({"62": [1.0], "63": [2.0]}, ["X"]),
        AS_LONG,
    ),
    Case(
        "a region called Name",
        text(PLAIN + "Name,1,2,3\n"),
        pd.concat([TABLE, pd.DataFrame([[1.0, 2, 3]], ["Name"], TABLE.columns)]),
    ),
]
