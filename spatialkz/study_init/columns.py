"""What the columns of a table are: labels, values, years, flags of suppressed cells."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from spatialkz.regions.names import known_names
from spatialkz.tables.labels import tidy_distinct, tidy_label, without_mark
from spatialkz.tables.reading.numbers import USUAL_MARKS, is_number, mark_of

_CODE_NAME = re.compile(
    r"(^|[\W_])(code|codes|id|fips|geoid|geo|naics|nace|isic|sic|okved|nuts|lvl|level|код|schlüssel|ags)"
    r"($|[\W_\d])",
    re.IGNORECASE,
)
_LEVEL_NAME = re.compile(r"lvl|level|уровень|ebene|niveau", re.IGNORECASE)
_FLAG = re.compile(r"\(?[A-Za-z*]{1,2}\)?")
_YEARS = range(1900, 2101)
_MOSTLY = 0.9
_HALF = 0.5
_FEW = 20


@dataclass(frozen=True)
class Columns:
    """Columns of a table by what they are.

    Attributes
    ----------
    region : str
    labels : tuple of str
        Others that hold names or codes, not all the same.
    values, years, flags : tuple of str
        Columns of numbers, of years, and of marks that stand beside suppressed values.
    """

    region: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    years: tuple[str, ...]
    flags: tuple[str, ...]


def tell_columns(frame: pd.DataFrame, places: Collection[str]) -> Columns:
    """Tell what the columns are; ``places`` are names and codes of regions that a map or list has."""
    names = [str(column) for column in frame]
    numbers = [name for name in names if _numeric(frame[name])]
    years = tuple(name for name in numbers if _all_years(frame[name]))
    codes = {name for name in numbers if name not in years and _codes(frame[name], name)}
    values = tuple(
        name for name in numbers if name not in {*years, *codes} and not _numbers_rows(frame[name])
    )
    labels = [name for name in names if name in codes or name not in numbers]
    flags = tuple(name for name in labels if _flags(frame, name, values))
    labels = [name for name in labels if name not in flags and tidy_distinct(frame[name]).nunique() > 1]
    region = _region(frame, labels, places) if labels else names[0]
    return Columns(
        region,
        tuple(name for name in labels if name != region),
        tuple(name for name in values if name != region),
        years,
        flags,
    )


def region_labels(column: pd.Series) -> pd.Series:
    """Labels of regions without footnote marks."""
    return tidy_distinct(column).map(without_mark)


def year_of(cell: object) -> int:
    """Year of a cell such as ``2015.0``."""
    return int(float(tidy_label(cell)))


def key_columns(frame: pd.DataFrame, columns: Columns) -> tuple[str, tuple[str, ...]] | None:
    """The column that with the region tells rows apart, and those of which one value must be taken first."""
    names = [name for name in columns.labels if frame[name].nunique(dropna=False) > 1]
    keys = {name: tidy_distinct(frame[name]) for name in names} | {
        columns.region: region_labels(frame[columns.region])
    }
    table = pd.DataFrame(keys)
    by_size = sorted(names, key=lambda name: -table[name].nunique())
    few = [name for name in names if table[name].nunique() <= _FEW]
    for count in range(3):
        for sector in by_size:
            for taken in combinations([name for name in few if name != sector], count):
                if not table.duplicated([columns.region, sector, *taken]).any():
                    return sector, taken
    return None


def level_column(frame: pd.DataFrame, sector: str, columns: Columns) -> str | None:
    """The column that says on which level of a classification a sector stands."""
    for name in columns.labels:
        if name != sector and _LEVEL_NAME.search(name):
            levels = tidy_distinct(frame[name]).groupby(tidy_distinct(frame[sector])).nunique()
            if (levels == 1).all() and frame[name].nunique() > 1:
                return name
    return None


def _numeric(column: pd.Series) -> bool:
    cells = column[column.map(lambda cell: mark_of(cell) not in USUAL_MARKS | {""})]
    return len(cells) > 0 and cells.map(is_number).mean() >= _MOSTLY


def _all_years(column: pd.Series) -> bool:
    texts = tidy_distinct(column).unique()
    return all(re.fullmatch(r"\d{4}(\.0)?", text) and year_of(text) in _YEARS for text in texts)


def _codes(column: pd.Series, name: str) -> bool:
    texts = tidy_distinct(column)
    return bool(_CODE_NAME.search(name)) or bool(texts.str.fullmatch(r"0\d+").any())


def _numbers_rows(column: pd.Series) -> bool:
    return len(column) > 2 and [tidy_label(cell) for cell in column] == [
        str(k + 1) for k in range(len(column))
    ]


def _flags(frame: pd.DataFrame, name: str, values: tuple[str, ...]) -> bool:
    """Whether a column marks rows whose values are not published: they are then 0, empty, or a mark."""
    texts = tidy_distinct(frame[name])
    marked = texts != ""
    if not marked.any() or marked.all() or not all(_FLAG.fullmatch(text) for text in texts[marked].unique()):
        return False
    unpublished = frame.loc[marked, list(values)].map(
        lambda cell: mark_of(cell) in USUAL_MARKS | {"", "0", "0.0"}
    )
    return bool(unpublished.any(axis=1).all()) if len(values) else False


def _region(frame: pd.DataFrame, labels: list[str], places: Collection[str]) -> str:
    """The column whose labels are places; else the first."""
    shares = {}
    for name in labels:
        distinct = list(region_labels(frame[name]).unique())
        found = [label for label in distinct if label in places] if places else known_names(distinct)
        shares[name] = len(found) / len(distinct)
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= _HALF else labels[0]
