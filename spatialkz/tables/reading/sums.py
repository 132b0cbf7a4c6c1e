"""Rows, columns and codes that are sums of others, and would be counted twice."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache

import numpy as np
import pandas as pd

from spatialkz import datasets
from spatialkz.errors import InputError, listing
from spatialkz.tables.labels import LOOK_ALIKE

# A printed total differs from the sum of rounded cells.
_NEAR, _ALL_NEAR, _EXACT = 0.02, 0.01, 1e-9
_TOTAL = re.compile(r"(grand total|total|общий итог|итого|всего|барлығы|жиыны)\b", re.IGNORECASE)
_ALL_OF = re.compile(r"[\s,:–—-]+(total|всего|итого|барлығы)$", re.IGNORECASE)
_LETTER_RANGE = re.compile(r"^([A-Z])\s?[-–]\s?([A-Z])(?:[\s:,_]|$)")
_NUMBER_RANGE = re.compile(r"^(\d{2})\s?[-–]\s?(\d{2})(?:[\s:,_]|$)")  # 31-33 of NAICS
_CODE = re.compile(r"^([A-Z]{0,2}[.\-]?\d*(?:\.\d+)*)(?:[\s:,_]|$)")


def total_rows(values: pd.DataFrame) -> dict[str, str]:
    """Rows that are totals of the others, each with what tells it.

    A row is one by its name (Total, Итого, Барлығы, the country …), or if it equals the sum of at least three
    others: within 2 % in the median column and by weight of the columns, and all together within 1 %.

    Parameters
    ----------
    values : DataFrame
        Regions × sectors; NaN where a cell is suppressed.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1, 2, 4, 7], "b": [5, 1, 3, 9]}, index=["N", "E", "S", "All of it"])
    >>> total_rows(table)
    {'All of it': 'it equals the sum of the others'}
    """
    found = {
        str(label): "its name says so" for label in values.index.tolist() if _names_total(label, row=True)
    }
    others = values.drop(index=[label for label in values.index.tolist() if str(label) in found])
    if others.shape[0] > 3 and others.shape[1] > 1:
        found |= dict.fromkeys(map(str, _sums(others)), "it equals the sum of the others")
    return found


def total_columns(values: pd.DataFrame) -> dict[str, str]:
    """Columns that are totals of the others, as :func:`total_rows` tells them, or exactly of two others."""
    found = {
        str(label): "its name says so" for label in values.columns.tolist() if _names_total(label, row=False)
    }
    others = values.drop(columns=[label for label in values.columns.tolist() if str(label) in found])
    if others.shape[1] > 2 and others.shape[0] > 2:
        exact = others.shape[1] == 3
        found |= dict.fromkeys(map(str, _sums(others.T, exact)), "it equals the sum of the others")
    return found


def _sums(values: pd.DataFrame, exact: bool = False) -> list[object]:
    cells = values.to_numpy(dtype=float)
    cells = cells[:, np.isfinite(cells).all(axis=0) & (cells > 0).any(axis=0)]
    if cells.shape[1] < 2:
        return []
    totals = cells.sum(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        off = np.abs(2 * cells - totals)
        if exact:
            near = (off <= _EXACT * totals).all(axis=1)
        else:
            typical = np.median(off / totals, axis=1) <= _NEAR
            near = typical & (off.sum(axis=1) <= _NEAR * totals.sum())
        all_near = np.abs(2 * cells.sum(axis=1) - totals.sum()) <= _ALL_NEAR * totals.sum()
    return list(values.index[near & all_near])


def _names_total(label: object, *, row: bool) -> bool:
    text = str(label).rstrip(":. ")
    if match := _TOTAL.match(text):
        # A column may be the total of something that has no parts in the table.
        return row or not re.match(r" (?!по )\w", text[match.end() :])
    return not {text.casefold(), _ALL_OF.sub("", text).casefold()}.isdisjoint(_total_labels())


@cache
def _total_labels() -> frozenset[str]:
    return frozenset(datasets.read_table("total_labels", text=True)["label"].str.casefold())


def nested_codes(values: pd.DataFrame) -> dict[str, list[str]]:
    """Sectors whose codes contain those of other sectors in the table: section C of divisions C.20 and C.21.

    The code is the label, or what stands before its first space. A letter contains the codes that begin with
    it; a code that ends in a digit contains longer ones that begin with it if a point parts them, or if their
    sum is what it holds.

    Examples
    --------
    >>> table = pd.DataFrame([[9, 5, 4, 2]], columns=["C", "C.20", "C.21", "J"])
    >>> nested_codes(table)
    {'C': ['C.20', 'C.21']}
    """
    looks = {label: str(label).translate(LOOK_ALIKE) for label in values.columns}
    codes = {label: match[1] for label, text in looks.items() if (match := _CODE.match(text)) and match[1]}
    found: dict[str, list[str]] = {}
    for label, text in looks.items():
        if span := _LETTER_RANGE.match(text):
            inner = [other for other, code in codes.items() if span[1] <= code[0] <= span[2]]
            inner = [other for other in inner if not codes[other][1:2].isalpha()]
            if inner:
                found[str(label)] = [str(other) for other in inner]
        elif span := _NUMBER_RANGE.match(text):
            inner = [
                other for other, code in codes.items() if code.isdigit() and span[1] <= code[:2] <= span[2]
            ]
            direct = min((len(codes[other]) for other in inner), default=0)
            sums = values[[other for other in inner if len(codes[other]) == direct]].sum(axis=1)
            if inner and len(values) > 1 and np.allclose(sums, values[label], rtol=1e-6, atol=1e-9):
                found[str(label)] = [str(other) for other in inner]
    ordered = sorted(codes, key=lambda label: codes[label])
    starts = [codes[label] for label in ordered]
    for label, code in codes.items():
        within = ordered[bisect_right(starts, code) : bisect_right(starts, code + "\uffff")]
        inner = [other for other in within if codes[other][len(code)] in ".-0123456789"]
        if code[-1].isdigit() and inner and "." not in codes[inner[0]][len(code) :][:1]:
            # 1 is no part of 10 and 11 unless the numbers say so.
            direct = min(len(codes[other]) for other in inner)
            sums = values[[other for other in inner if len(codes[other]) == direct]].sum(axis=1)
            whole = values[label]
            if len(values) < 2 or not np.allclose(sums, whole, rtol=1e-6, atol=1e-9):
                continue
        if inner:
            found[str(label)] = [str(other) for other in inner]
    return found


def refuse_sums(values: pd.DataFrame, source: str, *, sectors: bool) -> None:
    """Refuse rows, columns and codes that are sums of others.

    Raises
    ------
    InputError
        With the row, column or code, and what to write to leave it out or to keep it.
    """
    if rows := total_rows(values):
        label, why = next(iter(rows.items()))
        raise InputError(
            f"{source}: the row {listing(rows)} is a total of the others ({why}), not a region; keep it as "
            f'the national total (total = "{label}", --total), leave it out (drop_regions, --drop-region), '
            "or say that such rows count (keep_sums = true, --keep-sums)."
        )
    if not sectors:
        return
    if columns := total_columns(values):
        label, why = next(iter(columns.items()))
        raise InputError(
            f"{source}: the column {listing(columns)} is a total of the others ({why}), not a sector; make "
            f'it the base (base = "{label}", --base), leave it out (drop, --drop), or say that such columns '
            "count (keep_sums = true, --keep-sums)."
        )
    if nested := nested_codes(values):
        label, inner = next(iter(nested.items()))
        raise InputError(
            f"{source}: the sector {label} contains {listing(inner)}, so that activity is counted twice; "
            "leave one side out (drop, --drop), or say that both count (keep_sums = true, --keep-sums)."
        )
