"""Printed totals of a table, as limits of its sums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, listing
from spatialkz.tables.checks import check_labels, check_same_regions


@dataclass(frozen=True)
class Totals:
    """Limits of the sums of a table, by label; −∞ and ∞ where nothing was printed.

    Attributes
    ----------
    regions, sectors : DataFrame
        Columns ``low, high``.
    group_low, group_high : DataFrame, shape (regions, groups)
    grand : tuple of float
    groups : Series
        Sector → group.
    """

    regions: pd.DataFrame
    sectors: pd.DataFrame
    group_low: pd.DataFrame
    group_high: pd.DataFrame
    grand: tuple[float, float]
    groups: pd.Series

    @classmethod
    def of(
        cls,
        values: pd.DataFrame,
        *,
        region_totals: pd.Series | None = None,
        sector_totals: pd.Series | None = None,
        grand_total: float | None = None,
        group_totals: pd.DataFrame | None = None,
        groups: pd.Series | None = None,
        national: pd.Series | None = None,
        rounding: float = 0.0,
    ) -> Totals:
        """Check printed totals against the labels of a table."""
        if not isinstance(values, pd.DataFrame):
            raise InputError(f"values must be a pandas DataFrame, not {type(values).__name__}.")
        regions, sectors = values.index, values.columns
        check_labels(regions, "region")
        check_labels(sectors, "column")
        if not (np.isfinite(rounding) and rounding >= 0):
            raise InputError(f"rounding is {rounding}; it must be a non-negative number.")
        if group_totals is not None and groups is None:
            raise InputError("Totals of groups need groups, which say to which of them each sector belongs.")
        group_of = pd.Series("all", index=sectors) if groups is None else groups.reindex(sectors)
        if group_of.isna().any():
            raise InputError(f"groups has no entry for {listing(sectors[group_of.isna()])}.")
        group_of = group_of.astype(str)
        by_sector = _limits(sector_totals, sectors, "sector_totals", rounding)
        if national is not None:
            # The table may be a part of the country, so these bound its sums from above alone.
            by_sector["high"] = by_sector["high"].combine(
                _limits(national, sectors, "national", rounding)["high"], min
            )
        names = pd.Index(group_of.unique())
        printed = pd.DataFrame(np.nan, index=regions, columns=names)
        if group_totals is not None:
            unknown = group_totals.columns.difference(names)
            if len(unknown):
                raise InputError(
                    f"group_totals has {listing(unknown)}, but the groups of sectors are {listing(names)}."
                )
            for name in group_totals:
                printed[name] = _checked(group_totals[name], regions, f"group_totals ({name})")
        grand = np.nan if grand_total is None else float(grand_total)
        if np.isinf(grand) or grand < 0:
            raise InputError(f"grand_total is {grand:g}; a number of at least 0 was expected.")
        low, high = printed - rounding, printed + rounding
        return cls(
            regions=_limits(region_totals, regions, "region_totals", rounding),
            sectors=by_sector,
            group_low=low.fillna(-np.inf),
            group_high=high.fillna(np.inf),
            grand=(-np.inf, np.inf) if np.isnan(grand) else (grand - rounding, grand + rounding),
            groups=group_of,
        )

    def regrouped(self, groups: pd.Series) -> Totals:
        """The same totals for other groups of sectors; those by group are left out if groups differ."""
        if groups.equals(self.groups):
            return self
        names = pd.Index(groups.unique())
        nothing = pd.DataFrame(np.inf, index=self.regions.index, columns=names)
        return replace(self, groups=groups, group_low=-nothing, group_high=nothing)


def _limits(printed: pd.Series | None, labels: pd.Index, name: str, rounding: float) -> pd.DataFrame:
    found = pd.Series(np.nan, index=labels) if printed is None else _checked(printed, labels, name)
    return pd.DataFrame(
        {"low": (found - rounding).fillna(-np.inf), "high": (found + rounding).fillna(np.inf)}
    )


def _checked(printed: pd.Series, labels: pd.Index, name: str) -> pd.Series:
    if not isinstance(printed, pd.Series) or not pd.api.types.is_numeric_dtype(printed.dtype):
        raise InputError(f"{name} must be a Series of numbers by label, NaN where no total is published.")
    if not printed.index.is_unique:
        repeated = printed.index[printed.index.duplicated()].unique()
        raise InputError(f"{name} may name each label once, but these repeat: {listing(repeated)}.")
    check_same_regions(printed.index, labels, name)
    found = printed.loc[labels].astype("float64")
    wrong = found.index[(found < 0) | np.isinf(found)]
    if len(wrong):
        cells = [f"{label} is {found[label]:g}" for label in wrong]
        raise InputError(f"{name} must be finite and at least 0, but {listing(cells)}.")
    return found
