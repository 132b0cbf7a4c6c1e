"""Rows, columns and codes that are sums of others."""

import pandas as pd

from . import AS_LONG, HEADER, LONG, ROWS, TABLE, Case, book, text, written

PLAIN = written()
SUMS = TABLE.sum().round(1)
TOTALS = [
    "Total",
    "TOTAL",
    "Grand Total",
    "All regions",
    "Republic of Kazakhstan",
    "United States",
    "Итого",
    "ИТОГО:",
    "Всего",
    "Всего по республике",
    "Республика Казахстан",
    "Казахстан, всего",
    "Общий итог",
    "Барлығы",
    "Жиыны",
    "Қазақстан Республикасы",
    "Total*",
]


def with_row(label: str, scale: float = 1.0) -> str:
    return PLAIN + ",".join([f'"{label}"', *(f"{value * scale:.1f}" for value in SUMS)]) + "\n"


def with_column(label: str) -> str:
    return written(TABLE.assign(**{label: TABLE.sum(axis=1).round(1)}))


def coded(**columns: list[float]) -> str:
    return pd.DataFrame(columns, index=pd.Index(["X", "Y", "Z"], name="region")).to_csv()


CODED = {"C": [9.0, 5, 4], "C.20": [5.0, 2, 2], "C.21": [4.0, 3, 2], "J": [1.0, 7, 3]}
CASES = [
    *(
        Case(
            f"a total called {label}",
            text(with_row(label)),
            r"the row .* is a total of the others \(its name says so\), not a region",
        )
        for label in TOTALS
    ),
    *(
        Case(
            f"a total above, called {label}",
            text(PLAIN.replace("Akmola", f"{label},1,2,3\nAkmola", 1)),
            r"its name says so",
        )
        for label in ("Total", "Всего")
    ),
    Case(
        "a total without its name",
        text(with_row("All together now")),
        r"the row All together now is a total of the others \(it equals the sum",
    ),
    Case(
        "a total that was rounded",
        text(with_row("Country", 1.004)),
        r"the row Country is a total of the others \(it equals the sum",
    ),
    Case(
        "a large region is no total",
        text(with_row("Ulytau", 1.3)),
        pd.concat([TABLE, pd.DataFrame([(SUMS * 1.3).round(1)], ["Ulytau"])]),
    ),
    Case("the total is named", text(with_row("Total")), TABLE, {"total": "Total"}),
    Case(
        "the total is left out",
        text(with_row("Total")),
        TABLE,
        {"drop_regions": ("Total",)},
        notes="Total left out as stated",
    ),
    Case(
        "the total counts",
        text(with_row("Total")),
        pd.concat([TABLE, pd.DataFrame([SUMS], ["Total"])]),
        {"keep_sums": True},
    ),
    Case(
        "no such total",
        text(PLAIN),
        r"total names a row that table\.csv does not have: Total",
        {"total": "Total"},
    ),
    Case(
        "a total in a long table",
        text(LONG.to_csv(index=False) + "".join(f"Всего,{name},{value}\n" for name, value in SUMS.items())),
        r"the row Всего is a total",
        AS_LONG,
    ),
    Case("a total in a workbook", book([HEADER, *ROWS, ["Итого", *SUMS]]), r"the row Итого is a total"),
    *(
        Case(
            f"a column called {label}",
            text(with_column(label)),
            r"the column .* is a total of the others \(its name says so\), not a sector; make it the base",
        )
        for label in ("Total", "All sectors", "Всего", "Барлығы")
    ),
    Case(
        "a column that is the sum",
        text(with_column("GVA")),
        r"the column GVA is a total of the others \(it equals the sum",
    ),
    Case("the column is the base", text(with_column("Total")), TABLE, {"base": "Total"}),
    Case("the column is left out", text(with_column("Total")), TABLE, {"drop": ("Total",)}),
    Case(
        "a branch with the word total",
        text(written(TABLE.rename(columns={"information": "Total information"}))),
        TABLE.rename(columns={"information": "Total information"}),
    ),
    Case(
        "sections and divisions",
        text(coded(**CODED)),
        r"sector C contains C\.20, C\.21, so that activity is counted twice",
    ),
    Case(
        "sections and divisions, a Cyrillic letter",
        text(coded(**CODED).replace("C,", "С,", 1)),
        r"sector С contains C\.20, C\.21",
    ),
    Case(
        "sections and divisions both count",
        text(coded(**CODED)),
        pd.DataFrame(CODED, ["X", "Y", "Z"]),
        {"keep_sums": True},
    ),
    Case(
        "the section is left out",
        text(coded(**CODED)),
        pd.DataFrame(CODED, ["X", "Y", "Z"]).drop(columns="C"),
        {"drop": ("C",)},
    ),
    Case(
        "a range of sections",
        text(coded(**{"B-E": [9, 5, 4], "C": [5, 2, 2], "J": [1, 7, 3]})),
        r"sector B-E contains C",
    ),
    Case(
        "numbers that nest",
        text("region,26 electronics,261 components,262 computers,10 food\nX,3,1,2,7\nY,9,4,5,1\n"),
        r"sector 26 electronics contains 261 components, 262 computers",
    ),
    Case(
        "numbers that do not nest",
        text("region,1,10,11\nX,5,1,2\nY,9,4,6\n"),
        pd.DataFrame({"1": [5.0, 9], "10": [1.0, 4], "11": [2.0, 6]}, ["X", "Y"]),
    ),
    Case(
        "letters with numbers that do not nest",
        text("region,S1,S2,S10\nX,5,1,2\nY,9,4,6\n"),
        pd.DataFrame({"S1": [5.0, 9], "S2": [1.0, 4], "S10": [2.0, 6]}, ["X", "Y"]),
    ),
    Case(
        "letters that do not nest",
        text("region,I,IT,J\nX,5,1,2\nY,9,4,6\n"),
        pd.DataFrame({"I": [5.0, 9], "IT": [1.0, 4], "J": [2.0, 6]}, ["X", "Y"]),
    ),
]
