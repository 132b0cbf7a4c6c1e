"""Tables with known values written in random styles, and files broken at random, as hypothesis strategies."""

import csv
import io
import zipfile
from dataclasses import dataclass, field

import numpy as np
import openpyxl
import pandas as pd
from hypothesis import strategies as st

from spatialkz.errors import InputError
from spatialkz.tables import TableOptions, read_table_file

NAMES = [
    *"Akmola|Aktobe|West Kazakhstan|North-East|Île-de-France|Łódzkie|São Paulo|O'Brien|NA|None|x|Ð".split(
        "|"
    ),
    *"Акмолинская|г. Алматы|Восточный район|Юг|Ақтөбе облысы|Қостанай|Шымкент қаласы|01|02007|62.1".split(
        "|"
    ),
    *'A; B|A, B and C|the "Big" one|1st Avenue|(disputed)|Zone (2)|#1|Nur-Sultan / Astana|Totnes|2nd'.split(
        "|"
    ),
    *["a|b", "5 villages", "St. Gallen"],
]
SECTORS = [
    *"steel|software|C|J|IT|mining and quarrying|Промышленность|Ғылым|10|62|C.20|D-35|x|c|n/a".split("|"),
    *"agriculture, fishing|2019|2020|2021|Gas; steam|R&D|jobs (thousand)|№ 5|µ".split("|"),
]
LEADS = ["region", "Region", "Регион", "", "Аймақ", "Kreis", "code", "Oblast / rayon"]
TITLES = [
    "Gross value added, 2022", "Table 1", "million tenge", "Численность, человек; 2022 год", "", "a;b;c",
    "2022", "Table 2,Jobs,2022", "Region\tyear", "as of 1 January 2022: 1,5 million", "* revised",
]  # fmt: skip
NOTES = [
    "Source: Bureau of National Statistics, 2022", "Источник: БНС; расчёты авторов", "1) preliminary",
    "* revised", "Note: 1,234 of them abroad", "²) without the city", "", "Дереккөз: ҰСБ",
    "The figures of regions that were founded in June 2022 are those of their parts before.",
]  # fmt: skip
MARKS = ["x", "-", "–", "…", "...", "(D)", "n/a", ":", "", "geheim"]
GROUPS = {".": ["", "", ",", " ", "\u00a0", "'"], ",": ["", "", ".", " ", "\u202f", "’"]}
FEET = ["²", "*", " 1)", "¹⁾"]


@dataclass
class Written:
    """A file, what it is read with, and the table it holds (NaN where a cell is suppressed)."""

    content: bytes
    name: str
    options: dict = field(default_factory=dict)
    table: pd.DataFrame | None = None  # None: it has no header, and must be refused


@st.composite
def written(draw) -> Written:
    """A table with known values, in a random style."""
    pick = lambda items: draw(st.sampled_from(items))  # noqa: E731
    often = lambda: draw(st.integers(0, 3)) == 0  # noqa: E731
    regions = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=7, unique=True))
    sectors = draw(st.lists(st.sampled_from(SECTORS), min_size=1, max_size=5, unique=True))
    digits, decimal = draw(st.integers(0, 3)), pick(".,")
    group = pick(GROUPS[decimal])
    largest = 10 ** draw(st.integers(1, 8))
    shape = (len(regions), len(sectors))
    scaled = [[draw(st.integers(0, largest)) for _ in sectors] for _ in regions]
    numbers = np.array(scaled, dtype=float) / 10**digits
    table = pd.DataFrame(np.round(numbers, digits), index=regions, columns=sectors)
    kind = pick(["csv", "csv", "csv", "xlsx", "parquet"])
    typed = kind == "parquet" or (kind == "xlsx" and draw(st.booleans()))
    cells = [
        [value if typed else shown(value, digits, decimal, group) for value in row]
        for row in table.to_numpy()
    ]
    options: dict = {}
    mark = pick(MARKS)
    hidden = {(i, j) for i in range(shape[0]) for j in range(shape[1]) if draw(st.integers(0, 9)) == 0}
    hidden = hidden if often() else set()
    meaning = pick(["zero", "suppressed"])
    for i, j in hidden:
        cells[i][j] = mark
        table.iloc[i, j] = 0.0 if meaning == "zero" else np.nan
    if hidden and draw(st.integers(0, 4)) != 0:
        options["unknown"] = {mark: meaning}
    if not typed and often():
        i, j = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
        cells[i][j] += pick(FEET) if (i, j) not in hidden else ""
    if often():
        options["decimal"] = decimal
    shown_regions = [name + (pick(FEET) if draw(st.integers(0, 15)) == 0 else "") for name in regions]
    lead = pick(LEADS)
    long = often()
    if long:
        rows = [[lead or "region", "sector", "value"]]
        rows += [[a, b, cells[i][j]] for i, a in enumerate(shown_regions) for j, b in enumerate(sectors)]
        options |= {"region": lead or "region", "sector": "sector", "value": "value"}
    else:
        rows = [[lead, *sectors], *([a, *row] for a, row in zip(shown_regions, cells, strict=True))]
    if kind == "parquet":
        return packed(rows, options, table)
    headless = not long and not hidden and draw(st.integers(0, 15)) == 0
    rows = rows[1:] if headless else framed(draw, rows, long)
    expected = None if headless else table
    if kind == "xlsx":
        return Written(as_book(rows), "table.xlsx", options, expected)
    return Written(*as_text(draw, rows, options), options, expected)


def shown(value: float, digits: int, decimal: str, group: str) -> str:
    return f"{value:,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


def framed(draw, rows: list[list], long: bool) -> list[list]:
    """Rows with what offices write around and between them."""
    head, body = rows[0], rows[1:]
    width = len(head)
    heads = [head]
    if not long and width > 2 and draw(st.integers(0, 5)) == 0:
        heads = [[head[0], *["thousand"] * (width - 1)], ["", *head[1:]]]
    elif not long and width > 2 and draw(st.integers(0, 9)) == 0:
        heads = [head, ["", *["million tenge"] * (width - 1)]]
    if not long and draw(st.integers(0, 9)) == 0:
        body = [["А", *map(str, range(1, width))], *body]
    if draw(st.integers(0, 9)) == 0:
        body.insert(draw(st.integers(0, len(body))), ["в том числе:", *[""] * (width - 1)])
    if draw(st.integers(0, 15)) == 0:
        body.insert(draw(st.integers(0, len(body))), heads[-1])
    titles = [[title] for title in draw(st.lists(st.sampled_from(TITLES), max_size=2))]
    notes = [[note] for note in draw(st.lists(st.sampled_from(NOTES), max_size=3))]
    rows = [*titles, *heads, *body, *notes]
    if draw(st.integers(0, 15)) == 0:
        rows = [["", *row] for row in rows]
    return rows


def as_text(draw, rows: list[list], options: dict) -> tuple[bytes, str]:
    delimiter = draw(st.sampled_from(";;,\t|"))
    buffer = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=ending)
    padded = draw(st.booleans())
    width = max(map(len, rows))
    for row in rows:
        writer.writerow([*row, *[""] * (width - len(row))] if padded else row)
    text = buffer.getvalue()
    if draw(st.integers(0, 9)) == 0:
        text = f"sep={delimiter}{ending}{text}"
    encoding = draw(
        st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1251", "kz1048", "cp1252"])
    )
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        encoding, content = "utf-8", text.encode()
    if draw(st.booleans()):
        options["encoding"] = encoding
    if draw(st.integers(0, 3)) == 0:
        options["delimiter"] = delimiter
    return content, "table.csv"


def as_book(rows: list[list]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def packed(rows: list[list], options: dict, table: pd.DataFrame) -> Written:
    frame = pd.DataFrame(rows[1:], columns=[str(name) or "region" for name in rows[0]])
    for column in frame.columns[1:]:
        if any(isinstance(cell, str) for cell in frame[column]):
            frame[column] = frame[column].map(
                lambda cell: cell if isinstance(cell, str) else repr(float(cell))
            )
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return Written(buffer.getvalue(), "table.parquet", options, table)


@st.composite
def broken(draw) -> Written:
    """A file of :func:`written` with bytes lost, doubled, changed or added, of a workbook in its parts."""
    whole = draw(written())
    content = whole.content
    if whole.name == "table.xlsx" and draw(st.booleans()):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        chosen = draw(st.sampled_from([name for name in sorted(parts) if name.startswith("xl/")]))
        parts[chosen] = mutated(draw, parts[chosen])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        content = buffer.getvalue()
    else:
        content = mutated(draw, content)
    return Written(content, draw(st.sampled_from([whole.name, "table.csv", "table.xlsx"])), whole.options)


def mutated(draw, content: bytes) -> bytes:
    # No draw may depend on the length: a workbook holds the time when it was written.
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, 9999)) * len(content) // 9999
        end = start + draw(st.integers(0, 12))
        head, span, tail = content[:start], content[start:end], content[end:]
        what = draw(st.sampled_from(["lose", "double", "change", "add", "mark", "cut"]))
        if what == "lose":
            content = head + tail
        elif what == "double":
            content = head + span + span + tail
        elif what == "change":
            content = head + draw(st.binary(min_size=12, max_size=12))[: len(span)] + tail
        elif what == "add":
            content = head + draw(st.binary(max_size=6)) + content[start:]
        elif what == "mark":
            content = (
                head + draw(st.sampled_from([b'"', b";", b",", b"\0", b"\n", b"x", b"9"])) + content[start:]
            )
        elif start > len(content) // 2:
            content = head
    return content


def read(file: Written, folder) -> str:
    """Read a file and say how that ended: read, refused, or what went wrong."""
    path = folder / file.name
    path.write_bytes(file.content)
    try:
        found = read_table_file(path, TableOptions(**file.options))
    except InputError as error:
        said = str(error)
        return (
            "refused" if len(said.splitlines()) == 1 and said.endswith(".") else f"not one sentence: {said!r}"
        )
    values, hidden = found.values, found.hidden
    if not (values.isna() == hidden).all(axis=None) or np.isinf(values.to_numpy()).any():
        return "numbers that are none"
    if file.table is None:
        return "read"
    same = list(values.index) == list(file.table.index) and list(values.columns) == list(file.table.columns)
    if not same or not np.array_equal(values.to_numpy(), file.table.to_numpy(), equal_nan=True):
        return f"another table: {values!r} for {file.table!r}"
    return "read"
