"""How specialized each cell counts: 0 or 1 by a threshold, or by degrees that need none."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from spatialkz.errors import InputError, listing
from spatialkz.options import Grade
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import check_threshold
from spatialkz.tables import check_table

# With fewer, no arrangement of the regions is rare enough to be told from chance.
LEAST_REGIONS, LEAST_SECTORS = 5, 2


def checked_quotients(quotients: pd.DataFrame) -> pd.DataFrame:
    """Quotients with regions and sectors sorted, or one sentence on what is wrong with them.

    Sorted, so that the order of rows and columns does not decide which tables are drawn.
    """
    table = check_table(quotients, name="quotients", minimum=0, least_regions=LEAST_REGIONS)
    if table.shape[1] < LEAST_SECTORS:
        raise InputError(
            f"Co-location is about several sectors, but quotients has {table.shape[1]} "
            f"({listing(table.columns)})."
        )
    return table.sort_index().sort_index(axis=1)


def graded(table: pd.DataFrame, grade: Grade = "count", threshold: float = 1.0) -> pd.DataFrame:
    r"""Degree of specialization of each cell, region by sector.

    ``count`` is :math:`1[LQ \ge t]`, ``rank`` the rank of the region within the sector (1 the lowest, ties
    share their mean), ``log1p`` :math:`\ln(1 + LQ)`, ``symmetric`` :math:`(LQ - 1) / (LQ + 1)`. The last
    three need no threshold; ranks give every sector nearly the same weight, the other two give more to
    sectors whose quotients differ more.

    Raises
    ------
    InputError
        If the grade is unknown or the threshold is not positive.

    Examples
    --------
    >>> graded(pd.DataFrame({"steel": [0.4, 1.0, 3.0]}), "count")["steel"].tolist()
    [0.0, 1.0, 1.0]
    """
    if grade not in get_args(Grade):
        raise InputError(f"grade is {grade!r}; it must be one of {listing(get_args(Grade))}.")
    check_threshold(threshold)
    cells = graded_cells(table.to_numpy(dtype=np.float64), grade, threshold)
    return pd.DataFrame(cells, index=table.index, columns=table.columns)


def graded_cells(quotients: Floats, grade: Grade, threshold: float) -> Floats:
    """Return what :func:`graded` does for one table or many; shape (…, regions, sectors)."""
    if grade == "count":
        return np.asarray(quotients >= threshold, dtype=np.float64)
    if grade == "rank":
        return np.asarray(rankdata(quotients, axis=-2))
    return np.asarray(np.log1p(quotients) if grade == "log1p" else (quotients - 1) / (quotients + 1))


def varying(cells: Floats) -> np.ndarray:
    """Which columns are not the same everywhere."""
    return np.asarray(cells.max(axis=0) > cells.min(axis=0))


def alike(table: pd.DataFrame, threshold: float) -> list[list[str]]:
    """Groups of sectors that are specialized in exactly the same regions, neither none nor all of them.

    >>> table = pd.DataFrame({"law": [0.5, 2.0], "press": [0.1, 9.0], "steel": [1.5, 0.0], "art": [3.0, 3.0]})
    >>> alike(table, 1.0)
    [['law', 'press']]
    """
    cells = graded(table, "count", threshold).to_numpy()
    found: dict[bytes, list[str]] = {}
    for sector, column, varies in zip(table.columns, cells.T, varying(cells), strict=True):
        if varies:
            found.setdefault(column.tobytes(), []).append(str(sector))
    return [names for names in found.values() if len(names) > 1]


def why_undecided(cells: Floats, grade: Grade, threshold: float) -> str:
    """Why no co-location can be told from these graded cells; empty if it can.

    A sector that is the same everywhere can be permuted without effect, so two others are needed.
    """
    if varying(cells).sum() >= LEAST_SECTORS:
        return ""
    if grade == "count" and not cells.any():
        return f"every quotient is below the threshold {threshold:g}"
    if grade == "count" and cells.all():
        return f"every quotient reaches the threshold {threshold:g}"
    where = f" at threshold {threshold:g}" if grade == "count" else ""
    return f"fewer than two sectors differ between regions{where}"
