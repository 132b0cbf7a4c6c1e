"""Titles, headers of several lines, headings, notes, repeated headers, second tables."""

import pandas as pd

from . import AS_LONG, LONG, TABLE, Case, book, text, written

PLAIN = written(delimiter=";")
BODY = PLAIN.split("\n", 1)[1]
TOP = "region;manufacturing;information;professional\n"
RU_TOP = "Регион;manufacturing;information;professional\n"


def both(
    name: str, content: str, expected, options: dict | None = None, notes: str = "", merged: str = ""
) -> list[Case]:
    """The same rows as a text file and as a workbook."""
    rows = [
        [float(cell) if cell.replace(".", "", 1).isdecimal() else cell or None for cell in line.split(";")]
        for line in content.rstrip("\n").split("\n")
    ]
    options = options or {}
    return [
        *([] if merged else [Case(name, text(content), expected, options, notes)]),
        Case(f"{name}, in a workbook", book(rows, merged=merged), expected, options, notes),
    ]


def two(a: list[float], b: list[float], *regions: str, names: tuple[str, str] = ("a", "b")) -> pd.DataFrame:
    return pd.DataFrame({names[0]: a, names[1]: b}, index=list(regions))


TITLES = r"header in line 4; titles above it \(lines 1–2\) left out"
CASES = [
    *both(
        "a title",
        "Gross value added, 2022\n" + PLAIN,
        TABLE,
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both("titles and a blank line", "Value added\nmillion tenge, 2022\n\n" + PLAIN, TABLE, notes=TITLES),
    *both(
        "a title of two cells",
        "Table 1;Value added\n" + PLAIN,
        TABLE,
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both(
        "a title of two cells above two columns",
        "Table 1;Value added\nregion;jobs\nX;1\nY;2\n",
        pd.DataFrame({"jobs": [1.0, 2]}, ["X", "Y"]),
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both(
        "a title with a number above two columns",
        "Year;2022\nregion;jobs\nX;1\nY;2\n",
        r"second table begins|has no header|header in line 2|no number at line 2",
    ),
    *both(
        "a title of two cells above years",
        "Table 1;Value added\nregion;2022\nX;1\nY;2\n",
        pd.DataFrame({"2022": [1.0, 2]}, ["X", "Y"]),
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both(
        "lines skipped",
        "some;thing;else;here\n" + PLAIN,
        TABLE,
        {"skip": 1},
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both("all lines skipped", PLAIN, r"nothing below its first 9 lines", {"skip": 9}),
    *both(
        "the header is named",
        "some;thing;else;here\n" + PLAIN,
        TABLE,
        {"header": (2,)},
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both(
        "two lines of the header are named",
        "region;a;b\n;x;y\nN;1;2\nS;3;4\n",
        two([1, 3], [2, 4], "N", "S", names=("a: x", "b: y")),
        {"header": (1, 2)},
        notes=r"header in lines 1–2",
    ),
    *both(
        "a line between those of the header",
        "region;a;b\nsome;thing;else\n;x;y\nN;1;2\nS;3;4\n",
        two([1, 3], [2, 4], "N", "S", names=("a: x", "b: y")),
        {"header": (1, 3)},
        notes=r"header in lines 1–3; lines between \(line 2\) left out",
    ),
    *both(
        "no such line for a header",
        PLAIN,
        r"has no header in line 99; its lines that are not blank run from 1 to 5",
        {"header": (99,)},
    ),
    *both(
        "two lines of header",
        "region;industry;;services;\n;a;b;a;b\nN;1;2;3;4\nS;5;6;7;8\n",
        pd.DataFrame(
            [[1.0, 2, 3, 4], [5, 6, 7, 8]],
            ["N", "S"],
            ["industry: a", "industry: b", "services: a", "services: b"],
        ),
        notes=r"header in lines 1–2",
    ),
    *both(
        "two lines of header, merged",
        "region;industry;;services;\n;a;b;a;b\nN;1;2;3;4\nS;5;6;7;8\n",
        pd.DataFrame(
            [[1.0, 2, 3, 4], [5, 6, 7, 8]],
            ["N", "S"],
            ["industry: a", "industry: b", "services: a", "services: b"],
        ),
        notes=r"header in lines 1–2",
        merged="A1:A2 B1:C1 D1:E1",
    ),
    *both(
        "a common name over all columns, merged",
        "region;jobs, thousand;\n;a;b\nN;1;2\nS;5;6\n",
        two([1, 5], [2, 6], "N", "S"),
        notes=r"header in lines 1–2; 'jobs, thousand' over the columns left out",
        merged="A1:A2 B1:C1",
    ),
    *both(
        "a common name over all columns",
        "region;jobs;\n;a;b\nN;1;2\nS;5;6\n",
        two([1, 5], [2, 6], "N", "S"),
        notes=r"header in lines 1–2; 'jobs' over the columns left out",
    ),
    *both(
        "a column of its own beside a group",
        "region;all;industry;\n;;a;b\nN;1;2;3\nS;4;5;6\n",
        pd.DataFrame([[1.0, 2, 3], [4, 5, 6]], ["N", "S"], ["all", "industry: a", "industry: b"]),
        notes="header in lines 1–2",
    ),
    *both(
        "a line of units",
        TOP + ";million tenge;million tenge;million tenge\n" + BODY,
        TABLE,
        notes=r"header in lines 1–2; 'million tenge' over the columns left out",
    ),
    *both(
        "a line of different units",
        "region;a;b\n;jobs;plants\nN;1;2\nS;5;6\n",
        two([1, 5], [2, 6], "N", "S", names=("a: jobs", "b: plants")),
        notes=r"header in lines 1–2",
    ),
    *both(
        "years below names",
        "region;a;;b;\n;2021;2022;2021;2022\nN;1;2;3;4\nS;5;6;7;8\n",
        pd.DataFrame(
            [[1.0, 2, 3, 4], [5, 6, 7, 8]], ["N", "S"], ["a: 2021", "a: 2022", "b: 2021", "b: 2022"]
        ),
        notes=r"header in lines 1–2",
    ),
    *both(
        "years as header",
        "region;2020;2021;2022\nN;1;2;3\nS;4;5;6\n",
        pd.DataFrame([[1.0, 2, 3], [4, 5, 6]], ["N", "S"], ["2020", "2021", "2022"]),
    ),
    *both(
        "years as header below an empty corner",
        ";2020;2021\nN;1;2\nS;4;5\n",
        two([1, 4], [2, 5], "N", "S", names=("2020", "2021")),
    ),
    *both(
        "years as header beside an unknown word",
        "Kreis;2020;2021\nN;1;2\nS;4;5\n",
        two([1, 4], [2, 5], "N", "S", names=("2020", "2021")),
    ),
    *both(
        "one year beside an unknown word",
        "Kreis;2020\nN;1\nS;4\n",
        r"has no header: line 1.*holds numbers \(2020\)",
    ),
    *both(
        "one year beside an unknown word, named",
        "Kreis;2020\nN;1\nS;4\n",
        pd.DataFrame({"2020": [1.0, 4]}, ["N", "S"]),
        {"header": (1,)},
    ),
    *both("no header", BODY, r"has no header: line 1, the first of the table, holds numbers"),
    *both("no header, numbers like years", "North;2019;1850\nSouth;1900;2001\n", r"has no header: line 1"),
    *both(
        "codes of sectors as header",
        "region;62;63\nN;1;2\nS;4;5\n",
        two([1, 4], [2, 5], "N", "S", names=("62", "63")),
    ),
    *both("codes of sectors beside an unknown word", "Kreis;62;63\nN;1;2\nS;4;5\n", r"has no header: line 1"),
    *both("an empty corner", ";a;b\nN;1;2\nS;4;5\n", two([1, 4], [2, 5], "N", "S")),
    *both("an empty column in front", ";region;a;b\n;N;1;2\n;S;4;5\n", two([1, 4], [2, 5], "N", "S")),
    *both(
        "an empty column and a title in front",
        "Jobs;;;\n;region;a;b\n;N;1;2\n;S;4;5\n",
        two([1, 4], [2, 5], "N", "S"),
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both("an empty column between", "region;a;;b\nN;1;;2\nS;4;;5\n", two([1, 4], [2, 5], "N", "S")),
    *both(
        "an unnamed column with cells",
        "region;a;;b\nN;1;3;2\nS;4;;5\n",
        r"column 3 holds cells but has no name",
    ),
    *both(
        "a number for each column",
        RU_TOP + "А;1;2;3\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "numbers of the columns from 2",
        RU_TOP + "A;2;3;4\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "numbers of the columns from 1, the first among them",
        RU_TOP + "1;2;3;4\n" + BODY,
        TABLE,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "the number of one column",
        "Регион;jobs\nА;1\nNorth;5\nSouth;7\n",
        pd.DataFrame({"jobs": [5.0, 7]}, ["North", "South"]),
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "regions A, B, C with counts 1 and 2",
        "region;a;b\nA;1;2\nB;3;4\nC;5;6\n",
        two([1, 3, 5], [2, 4, 6], "A", "B", "C"),
    ),
    *both(
        "letters and numbers of the columns of a long table",
        "region;sector;value\nА;Б;1\n" + LONG.to_csv(sep=";", index=False, header=False),
        TABLE,
        AS_LONG,
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
    *both(
        "a source below",
        PLAIN + "Source: Bureau of National Statistics\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "a source with a year in a cell below",
        PLAIN + "Source: Bureau;2023;;\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "notes below",
        PLAIN + "\n1) preliminary\n* without Baikonur\n",
        TABLE,
        notes=r"notes \(lines 7–8\) left out",
    ),
    *both("a sentence below", PLAIN + "\nFigures were revised.\n", TABLE, notes=r"notes \(line 7\) left out"),
    *both(
        "a long note below",
        PLAIN
        + "Since 8 June 2022 the regions of Abai, Zhetisu and Ulytau stand apart from their former ones\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "примечание",
        PLAIN + "Примечание: предварительные данные\n",
        TABLE,
        notes=r"notes \(line 6\) left out",
    ),
    *both(
        "a word below that is no note",
        PLAIN + "Ulytau\n",
        r"line 6: 1 cells where the header|cell is empty at line 6",
    ),
    *both(
        "headings between",
        TOP + "в том числе:;;;\n" + BODY,
        TABLE,
        notes=r"headings в том числе: \(line 2\) left out",
    ),
    *both(
        "a merged heading between",
        TOP + "North and West;;;\n" + BODY,
        TABLE,
        notes=r"headings North and West \(line 2\) left out",
        merged="A2:D2",
    ),
    *both(
        "a heading that might be a region",
        TOP + "North and West;;;\n" + BODY,
        r"cell is empty at line 2, column 'manufacturing'",
    ),
    *both(
        "a region whose name ends in a colon",
        TOP + BODY + "Ulytau:;1;2;3\n",
        pd.concat([TABLE, pd.DataFrame([[1.0, 2, 3]], ["Ulytau:"], TABLE.columns)]),
    ),
    *both(
        "a header repeated after a page break",
        TOP + BODY.replace("Atyrau", TOP + "Atyrau"),
        TABLE,
        notes=r"the repeated header \(line 4\) left out",
    ),
    *both(
        "a second table below a blank line",
        PLAIN + "\n" + TOP + "Ulytau;1;2;3\n",
        r"line 7: here the header of a second table begins",
    ),
    *both(
        "a second table with other columns",
        PLAIN + "region;mining;trade;transport\nUlytau;1;2;3\n",
        r"line 6: here the header of a second table begins",
    ),
    *both(
        "a second table of other years",
        "region;2019;2020\nN;1;2\nS;4;5\nregion;2021;2022\nN;5;7\nW;1;2\n",
        r"line 4: here the header of a second table begins",
    ),
    *both(
        "a second table under another word",
        "region;2019;2020\nN;1;2\nS;4;5\nArea;2021;2022\nE;5;7\nW;1;2\n",
        r"line 4: here the header of a second table begins",
    ),
    *both(
        "a second table under a title, empty cells zero",
        PLAIN + "\nTable 2;;;\n" + TOP + "Ulytau;1;2;3\n",
        r"line 8: here the header of a second table begins",
        {"unknown": {"": "zero"}},
    ),
    *both(
        "a table beside another",
        "region;a;;region;b\nN;1;;E;2\nS;4;;W;5\n",
        r"more than one column named region \(columns 1, 4\)",
    ),
    *both(
        "two columns of one name",
        "region;IT;IT\nN;1;2\nS;4;5\n",
        r"more than one column named IT \(columns 2, 3\)",
    ),
    *both(
        "two columns of one name after trimming",
        "region;IT; IT \nN;1;2\nS;4;5\n",
        r"more than one column named IT",
    ),
    *both(
        "one column", "region\nN\nS\n", r"2 rows and 1 columns below its header; at least 1 and 2 are needed"
    ),
    *both("a header alone", TOP, r"0 rows and 4 columns below its header"),
    *both("one region", "region;a;b\nN;1;2\n", two([1], [2], "N")),
    *both("one number", "region;a\nN;1\n", pd.DataFrame({"a": [1.0]}, ["N"])),
    *both(
        "a pivot table",
        "Sum of jobs;Column Labels;;\nRow Labels;a;b;c\nN;1;2;7\nS;4;5;3\n",
        pd.DataFrame([[1.0, 2, 7], [4, 5, 3]], ["N", "S"], ["a", "b", "c"]),
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both("a long table", LONG.to_csv(sep=";", index=False), TABLE, AS_LONG),
    *both(
        "a long table with more columns",
        LONG.assign(unit="tenge").to_csv(sep=";", index=False),
        TABLE,
        AS_LONG,
    ),
    *both(
        "a long table with merged regions",
        LONG.assign(region=LONG["region"].where(~LONG["region"].duplicated(), "")).to_csv(
            sep=";", index=False
        ),
        TABLE,
        AS_LONG,
        merged="A2:A4 A5:A7 A8:A10 A11:A13",
    ),
    *both(
        "a long table with regions once",
        LONG.assign(region=LONG["region"].where(~LONG["region"].duplicated(), "")).to_csv(
            sep=";", index=False
        ),
        r"line 3: the 'region' cell is empty; write the name in every line",
        AS_LONG,
    ),
]
