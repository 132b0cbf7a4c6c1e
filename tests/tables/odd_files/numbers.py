"""Numbers: decimal marks, thousands, footnotes, and what is none."""

import pandas as pd

from . import ROWS, TABLE, Case, book, changed, text, written

GERMAN = "region;a;b\nAlpha;1.204,50;87,25\nBeta;310,00;55.000,25\nGamma;950,75;1.100,00\n"
GERMAN_TABLE = pd.DataFrame(
    {"a": [1204.5, 310.0, 950.75], "b": [87.25, 55000.25, 1100.0]}, index=["Alpha", "Beta", "Gamma"]
)
QUOTED = "".join(
    ",".join(f'"{cell}"' for cell in line.split(";")) + "\n"
    for line in written(delimiter=";", group=",").splitlines()
)


def one(cell: str) -> str:
    """The table with one cell (Akmola, information) as it is written here."""
    return written(delimiter=";").replace("17432.1", cell)


def column(*cells: str) -> str:
    return "region;jobs\n" + "".join(f"R{k};{cell}\n" for k, cell in enumerate(cells, 1))


def jobs(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"jobs": values}, index=[f"R{k}" for k in range(1, len(values) + 1)])


NOT_A_NUMBER = [
    "1,2,3.5",
    "12 1",
    "1 2 3",
    "1_204",
    "0x1F",
    "1.2.3",
    "--5",
    "5-",
    "(123)",
    "$5",
    "5 €",
    "1/2",
    "1e",
    "١٢",
    "１２",
    "TRUE",
    "2020-01-01",
    "12:30",
    "1..5",
    "+-3",
    "5abcd",
    "=1+1",
    "Infinity",
    "1e999",
    "9" * 400,
    "#DIV/0!",
]

CASES = [
    Case("German thousands and decimals", text(GERMAN), GERMAN_TABLE),
    Case("German in a workbook as text", book([line.split(";") for line in GERMAN.split()]), GERMAN_TABLE),
    Case("German with tabs", text(GERMAN.replace(";", "\t")), GERMAN_TABLE),
    Case("decimal comma", text(written(delimiter=";", decimal=",")), TABLE),
    Case("decimal comma, tabs", text(written(delimiter="\t", decimal=",")), TABLE),
    Case(
        "decimal comma, points between thousands", text(written(delimiter=";", decimal=",", group=".")), TABLE
    ),
    Case(
        "decimal comma, spaces between thousands", text(written(delimiter=";", decimal=",", group=" ")), TABLE
    ),
    Case("hard spaces", text(written(delimiter=";", decimal=",", group="\u00a0")), TABLE),
    Case("narrow hard spaces", text(written(delimiter=";", decimal=",", group="\u202f")), TABLE),
    Case("thin spaces", text(written(delimiter=";", decimal=".", group="\u2009")), TABLE),
    Case("English thousands", text(written(delimiter=";", group=",")), TABLE),
    Case("English thousands, quoted", text(QUOTED), TABLE),
    Case("Swiss thousands", text(written(delimiter=";", group="'")), TABLE),
    Case("Swiss thousands, curly", text(written(delimiter=";", group="’")), TABLE),
    Case("whole numbers alone", text(column("1204", "5", "1000000")), jobs(1204, 5, 1000000)),
    Case("what one cell leaves open another decides", text(column("1.204", "5,5", "7")), jobs(1204, 5.5, 7)),
    Case(
        "what one cell leaves open another decides, the other way",
        text(column("1.204", "5.5", "7")),
        jobs(1.204, 5.5, 7),
    ),
    Case("two groups decide", text(column("1.204.300", "1.204", "7")), jobs(1204300, 1204, 7)),
    Case("a zero in front decides", text(column("0,204", "1,204")), jobs(0.204, 1.204)),
    Case(
        "another column decides",
        text("region;a;b\nX;1,204;2.5\nY;455,000;1.25\n"),
        pd.DataFrame({"a": [1204.0, 455000], "b": [2.5, 1.25]}, index=["X", "Y"]),
    ),
    Case(
        "a column left out does not decide",
        text("region;a;b\nX;1,204;2.5\nY;455,000;1.25\n"),
        r"'1,204', '455,000' could be a decimal sign or separate thousands, and no other cell tells which",
        {"drop": ("b",)},
    ),
    Case(
        "nothing decides, point",
        text(column("1.204", "455.000")),
        r"'1\.204', '455\.000' could be a decimal sign",
    ),
    Case("nothing decides, comma", text(column("1,234", "7")), r"say which mark is the decimal one"),
    Case("the user decides, comma", text(column("1.204", "455.000")), jobs(1204, 455000), {"decimal": ","}),
    Case("the user decides, point", text(column("1.204", "455.000")), jobs(1.204, 455), {"decimal": "."}),
    Case(
        "cells contradict each other",
        text(column("1.5", "2,5", "1,234")),
        r"other cells write both '1\.5' and '2,5'",
    ),
    Case("each cell certain by itself", text(column("1.5", "2,5")), jobs(1.5, 2.5)),
    Case(
        "the stated mark does not fit",
        text(column("1.5", "2,5")),
        r"no number at line 2, column 'jobs' \('1\.5'\)",
        {"decimal": ","},
    ),
    Case("a mark that is none", text(column("1")), r"decimal mark is ';'; it must be", {"decimal": ";"}),
    Case("true minus", text(one("−17432.1")), changed({("Akmola", "information"): -17432.1})),
    Case("exponents", text(one("1.74321E+4")), TABLE),
    Case("a point at the end and in front", text(column("5.", ".5")), jobs(5, 0.5)),
    Case("spaces around", text(one("  17432.1\t")), TABLE),
    Case("a plus sign", text(one("+17432.1")), TABLE),
    Case("footnote digit", text(one("17 432,1²")), TABLE, notes="footnote marks taken off 1 number"),
    Case("footnote star", text(one("17432.1**")), TABLE, notes="footnote marks taken off 1 number"),
    Case("footnote in brackets", text(one("17432.1 1)")), TABLE, notes="footnote marks taken off 1 number"),
    Case(
        "footnotes not wanted",
        text(one("17432.1²")),
        r"no number at line 2, column 'information' \('17432.1²'\)",
        {"footnotes": False},
    ),
    Case("line end within a number", text(one('"12\n345"')), r"no number at line 2, column 'information'"),
    Case("percent", text(one("17.5%")), r"write percent as plain numbers"),
    Case(
        "text among numbers in a workbook",
        book([["region", "a"], *[[row[0], row[1]] for row in ROWS], ["X", "n.n."]]),
        r"no number at line 6, column 'a' \('n\.n\.'\)",
    ),
    Case(
        "numbers as text and as numbers",
        book([["region", "a"], ["X", "1 204,5"], ["Y", 2.5], ["Z", "7"]]),
        pd.DataFrame({"a": [1204.5, 2.5, 7]}, index=["X", "Y", "Z"]),
    ),
    Case(
        "text numbers that stay open in a workbook",
        book([["region", "a"], ["X", "1.204"], ["Y", 2.5]]),
        r"'1\.204' could be a decimal sign",
    ),
    Case(
        "true and false in a workbook",
        book([["region", "a"], ["X", True], ["Y", 2.5]]),
        r"no number at .*'TRUE'",
    ),
    *(
        Case(f"no number: {cell[:12]}", text(one(cell)), r"no number at line 2, column 'information'")
        for cell in NOT_A_NUMBER
    ),
]
