"""What every stage demands of a region × variable table, said once."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, RegionError, listing

_LARGEST = 1e70
#: What neither XML nor a workbook can hold.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_labels(labels: pd.Index, what: str) -> None:
    """Refuse labels that are missing, repeat or have several levels; of regions or sectors, without order."""
    if isinstance(labels, pd.MultiIndex):
        raise RegionError(f"Each {what} needs one label, but they have {labels.nlevels} levels.")
    if labels.hasnans:
        raise RegionError(f"A {what} label is missing at position {int(np.argmax(labels.isna())) + 1}.")
    if not labels.is_unique:
        repeated = labels[labels.duplicated()].unique()
        raise RegionError(f"Each {what} may stand once, but these repeat: {listing(repeated)}.")
    if what in {"region", "sector"} and labels.dtype == object:
        try:
            labels.sort_values()
        except TypeError:
            kinds = sorted({type(label).__name__ for label in labels})
            raise RegionError(f"Labels of {what}s must be of one kind, but are {listing(kinds)}.") from None


def check_table(
    values: pd.DataFrame | pd.Series,
    *,
    name: str = "values",
    minimum: float | None = None,
    least_regions: int = 2,
) -> pd.DataFrame:
    """Return ``values`` as a float table with unique labels and finite cells, or say what is wrong.

    Parameters
    ----------
    values : DataFrame or Series
        Rows are regions, columns variables; a Series becomes one column.
    name : str
        What the table is called in an error sentence.
    minimum : float, optional
        The smallest value allowed.
    least_regions : int
        The smallest number of rows allowed.

    Raises
    ------
    InputError
        On empty, non-numeric, missing, infinite, too large or too small cells, naming region and column.
    RegionError
        On missing or repeated labels.

    Examples
    --------
    >>> check_table(pd.Series([1, 2], index=["a", "b"], name="x")).loc["b", "x"]
    np.float64(2.0)
    """
    if isinstance(values, pd.Series):
        values = values.to_frame(name if values.name is None else values.name)
    if not isinstance(values, pd.DataFrame):
        raise InputError(f"{name} must be a pandas DataFrame or Series, not {type(values).__name__}.")
    check_labels(values.index, "region")
    check_labels(values.columns, "column")
    if len(values) < least_regions or values.shape[1] < 1:
        raise InputError(
            f"{name} has {len(values)} regions and {values.shape[1]} columns; "
            f"at least {least_regions} and 1 are needed."
        )
    numeric = [pd.api.types.is_numeric_dtype(t) and not pd.api.types.is_bool_dtype(t) for t in values.dtypes]
    if not all(numeric):
        text = [column for column, ok in zip(values.columns, numeric, strict=True) if not ok]
        raise InputError(f"{name} must hold numbers, but these columns do not: {listing(text)}.")
    table = values.astype("float64")
    cells = table.to_numpy()
    _refuse(table, ~np.isfinite(cells), f"{name} must be finite, but")
    # So that fourth powers stay finite.
    _refuse(table, np.abs(cells) > _LARGEST, f"{name} must not exceed {_LARGEST:g} in size, but")
    if minimum is not None:
        _refuse(table, cells < minimum, f"{name} must be at least {minimum:g}, but")
    return table


def _refuse(table: pd.DataFrame, bad: np.ndarray, complaint: str) -> None:
    """Raise with the region, column and value of the cells marked in ``bad``."""
    if bad.any():
        cells = [
            f"{table.index[i]!s} × {table.columns[j]!s} is {table.iloc[i, j]:g}" for i, j in np.argwhere(bad)
        ]
        raise InputError(f"{complaint} {listing(cells)}.")


def check_same_regions(labels: pd.Index, expected: pd.Index, what: str, against: str = "the table") -> None:
    """Refuse two label sets that differ, naming what either side lacks."""
    lacking = expected.difference(labels)
    extra = labels.difference(expected)
    parts = []
    if len(lacking):
        parts.append(f"{what} lacks {listing(lacking)}")
    if len(extra):
        parts.append(f"{what} has {listing(extra)}, which {against} does not")
    if parts:
        raise RegionError("; ".join(parts) + ".")
