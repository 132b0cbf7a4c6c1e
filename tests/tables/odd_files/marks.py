"""Marks of unknown cells, empty cells and flags."""

import pandas as pd

from . import AS_LONG, HEADER, LONG, ROWS, TABLE, Case, book, changed, text, written

KEY = ("Akmola", "information")
HIDDEN = frozenset({KEY})
USUAL = [
    "-",
    "–",
    "—",
    "−",
    "x",
    "X",
    "х",
    "Х",
    "*",
    ":",
    "c",
    "s",
    "z",
    "..",
    "...",
    "…",
    "n/a",
    "N/A",
    "na",
    "NaN",
    "ND",
    "null",
    "None",
    "(D)",
    "(s)",
    ".",
    "#",
]


def one(cell: str) -> str:
    return written(delimiter=";").replace("17432.1", cell)


CASES = [
    *(
        Case(
            f"not stated: {mark!r}",
            text(one(mark)),
            r"marks of unknown cells: .* \(1 times, first at line 2, column "
            r"'information'\); say what each means",
        )
        for mark in USUAL
    ),
    Case(
        "stated as suppressed",
        text(one("x")),
        changed({KEY: float("nan")}),
        {"unknown": {"x": "suppressed"}},
        hidden=HIDDEN,
    ),
    Case(
        "Cyrillic for Latin",
        text(one("х")),
        changed({KEY: float("nan")}),
        {"unknown": {"x": "suppressed"}},
        hidden=HIDDEN,
    ),
    Case("stated as zero", text(one("–")), changed({KEY: 0.0}), {"unknown": {"-": "zero"}}),
    Case("dots for an ellipsis", text(one("…")), changed({KEY: 0.0}), {"unknown": {"...": "zero"}}),
    Case(
        "a mark of one's own",
        text(one("geheim")),
        changed({KEY: float("nan")}),
        {"unknown": {"geheim": "suppressed"}},
        hidden=HIDDEN,
    ),
    Case(
        "an error of a formula, stated", text(one("#N/A")), changed({KEY: 0.0}), {"unknown": {"#N/A": "zero"}}
    ),
    Case(
        "one mark of two is stated",
        text(one("x").replace("28275.0", ":")),
        r"marks of unknown cells: ':' \(1 times",
        {"unknown": {"x": "zero"}},
    ),
    Case("text goes before marks", text(one("x").replace("28275.0", "lots")), r"no number at .*'lots'"),
    Case("an empty cell", text(one("")), r"cell is empty at line 2, column 'information'; write 0"),
    Case("empty cells of blanks", text(one("   ")), r"cell is empty at line 2, column 'information'"),
    Case(
        "an empty cell in a workbook",
        book([HEADER, ["Akmola", 1, None, 2], *ROWS[1:]]),
        r"cell is empty at line 2, column 'information'",
    ),
    Case("an empty cell stated as zero", text(one("")), changed({KEY: 0.0}), {"unknown": {"": "zero"}}),
    Case(
        "an empty cell stated as suppressed",
        text(one("")),
        changed({KEY: float("nan")}),
        {"unknown": {"": "suppressed"}},
        hidden=HIDDEN,
    ),
    Case(
        "a region without any number",
        text(written(delimiter=";") + "Ulytau;;;\n"),
        pd.concat([TABLE, pd.DataFrame(0.0, index=["Ulytau"], columns=TABLE.columns)]),
        {"unknown": {"": "zero"}},
        notes="Ulytau without any number, as empty cells are stated to be",
    ),
    Case("a flag not stated", text(one("17432.1 b")), r"if b may follow a number, say so"),
    Case(
        "a flag stated",
        text(one("17432.1 b")),
        TABLE,
        {"unknown": {"b": "flag"}},
        notes="flags taken off 1 number",
    ),
    Case(
        "a flag without a space",
        text(one("17432.1p")),
        TABLE,
        {"unknown": {"p": "flag"}},
        notes="flags taken off 1 number",
    ),
    Case(
        "another flag than the stated one",
        text(one("17432.1 e")),
        r"if e may follow a number",
        {"unknown": {"b": "flag"}},
    ),
    Case(
        "a mark with an unknown meaning",
        text(one("x")),
        r"said to mean 'nothing'; it must be one of zero",
        {"unknown": {"x": "nothing"}},
    ),
    Case(
        "a mark with two meanings",
        text(one("x")),
        r"given two meanings: zero and suppressed",
        {"unknown": {"x": "zero", "X": "suppressed"}},
    ),
    Case("a number as a mark", text(one("x")), r"mark '9' is a number", {"unknown": {"9": "zero"}}),
    Case(
        "all cells of a region are marks",
        text(written(delimiter=";") + "Ulytau;x;x;x\n"),
        pd.concat([TABLE, pd.DataFrame(float("nan"), index=["Ulytau"], columns=TABLE.columns)]),
        {"unknown": {"x": "suppressed"}},
        hidden=frozenset(("Ulytau", sector) for sector in TABLE),
    ),
    Case(
        "all cells of the first region are marks",
        text(one("x").replace("903772.8", "x").replace("28275.0", "x")),
        changed({("Akmola", sector): float("nan") for sector in TABLE}),
        {"unknown": {"x": "suppressed"}},
        hidden=frozenset(("Akmola", sector) for sector in TABLE),
    ),
    Case(
        "all cells of the first region are marks, and the corner is empty",
        text(";a;b\nNorth;x;x\nSouth;1;2\n"),
        pd.DataFrame({"a": [0.0, 1], "b": [0.0, 2]}, index=["North", "South"]),
        {"unknown": {"x": "zero"}},
    ),
    Case(
        "columns called as marks are",
        text("region;x;c\nNorth;1;x\nSouth;3;4\n"),
        pd.DataFrame({"x": [1.0, 3], "c": [0.0, 4]}, index=["North", "South"]),
        {"unknown": {"x": "zero"}},
    ),
    Case(
        "regions called as marks are",
        text("region;a\nNA;1\nNone;2\nnull;3\nx;4\n"),
        pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=["NA", "None", "null", "x"]),
    ),
    Case(
        "regions called as marks are, in a workbook",
        book([["region", "a"], ["NA", 1], ["None", 2], ["nan", 3]]),
        pd.DataFrame({"a": [1.0, 2, 3]}, index=["NA", "None", "nan"]),
    ),
    Case(
        "no header but marks", text("North;x;-\nSouth;1;2\n"), r"has no header: line 1.*'-', which stands for"
    ),
    Case(
        "absent pairs not stated",
        text(LONG.drop(index=1).to_csv(index=False)),
        r"1 region × sector pairs have no row \(Akmola × information\)",
        AS_LONG,
    ),
    Case(
        "absent pairs are zero",
        text(LONG.drop(index=1).to_csv(index=False)),
        TABLE.assign(**changed({KEY: 0.0}))[["manufacturing", "professional", "information"]],
        {**AS_LONG, "absent": "zero"},
        notes="1 absent pairs taken as zero",
    ),
    Case(
        "absent pairs are suppressed",
        text(LONG.drop(index=1).to_csv(index=False)),
        changed({KEY: float("nan")})[["manufacturing", "professional", "information"]],
        {**AS_LONG, "absent": "suppressed"},
        notes="1 absent pairs taken as suppressed",
        hidden=HIDDEN,
    ),
    Case(
        "marks in a long table",
        text(LONG.astype(str).replace("17432.1", "(D)").to_csv(index=False)),
        changed({KEY: float("nan")}),
        {**AS_LONG, "unknown": {"(D)": "suppressed"}},
        hidden=HIDDEN,
    ),
]
