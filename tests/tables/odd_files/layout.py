"""Titles, headers of several lines, years and codes as header, empty columns."""

import pandas as pd

from . import AS_LONG, LONG, TABLE, both, two, written

PLAIN = written(delimiter=";")
BODY = PLAIN.split("\n", 1)[1]
TOP = "region;manufacturing;information;professional\n"
RU_TOP = "Регион;manufacturing;information;professional\n"


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
    *both(
        "an empty corner above one column, and a mark below",
        ";jobs\nN;x\nS;4\n",
        pd.DataFrame({"jobs": [0.0, 4]}, ["N", "S"]),
        {"unknown": {"x": "zero"}},
    ),
    *both(
        "an empty column in front of an empty corner above one column",
        "Jobs;;\n;;jobs\n;N;x\n;S;4\n",
        pd.DataFrame({"jobs": [0.0, 4]}, ["N", "S"]),
        {"unknown": {"x": "zero"}},
        notes=r"header in line 2; titles above it \(line 1\) left out",
    ),
    *both(
        "regions of two letters below the number of a column",
        "Регион;jobs\nА;1\nЮг;5\n#1;7\n",
        pd.DataFrame({"jobs": [5.0, 7]}, ["Юг", "#1"]),
        notes=r"the numbers of the columns \(line 2\) left out",
    ),
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
    *both(
        "a ruled line above the notes",
        "region;a;b\nN;1;2\nS;4;5\n__________\nStatistical office, 2024\n",
        pd.DataFrame([[1.0, 2], [4, 5]], ["N", "S"], ["a", "b"]),
        notes=r"notes \(lines 4–5\) left out",
    ),
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
