"""What tests of quotients accept, and the cells that each of them starts from and hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.errors import InputError, listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization.margins import Margins
from spatialkz.tables import ActivityTable, check_labels, check_table

Texts: TypeAlias = NDArray[np.object_]


def checked_counts(
    counts: pd.DataFrame | ActivityTable,
    base: pd.Series | pd.DataFrame | None,
    groups: pd.Series | None,
) -> tuple[pd.DataFrame, pd.Series | pd.DataFrame | None, pd.Series | None]:
    """Whole numbers only; an activity table brings its base and groups along."""
    if isinstance(counts, ActivityTable):
        if counts.kind == "quotients":
            raise InputError(
                "These are published quotients, but a test needs the counts behind them; without counts, use "
                "the intervals that rounding leaves (ActivityTable.interval)."
            )
        if counts.kind == "volumes":
            raise InputError(
                f"These are volumes ({counts.unit or 'no unit given'}), but a test needs counts, such as "
                "jobs; "
                "without counts, use the intervals that rounding leaves (ActivityTable.interval), or "
                "simulate "
                "from an error model of your own."
            )
        hidden = counts.hidden
        if hidden.any(axis=None):
            cells = [f"{hidden.index[i]} × {hidden.columns[j]}" for i, j in np.argwhere(hidden.to_numpy())]
            raise InputError(
                f"A test of quotients needs every count, but these cells are hidden: {listing(cells)}; "
                "quotient_interval gives the quotients that their intervals allow."
            )
        base = counts.base if base is None else base
        groups = counts.groups if groups is None else groups
        if counts.national is not None:
            _refuse_fractions(counts.national.to_frame("the country"), "national")
        counts = counts.values
    table = check_table(counts, name="counts", minimum=0)
    _refuse_fractions(table, "counts")
    if base is not None:
        bases = check_table(base, name="base", minimum=0)
        _refuse_fractions(bases, "base")
    return table, base, groups


def _refuse_fractions(table: pd.DataFrame, name: str) -> None:
    wrong = np.argwhere(table.to_numpy() % 1 != 0)
    if len(wrong):
        cells = [f"{table.index[i]} × {table.columns[j]} is {table.iloc[i, j]:.6g}" for i, j in wrong[:4]]
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        raise InputError(
            f"{name} must be whole numbers, but {listing(cells)}{more}; the sampling error of "
            "money and of full-time equivalents is not known (their quotients and ranks can be computed)."
        )


def cells_of(found: Margins) -> CountedCells:
    """Arrays of the margins, once no count exceeds its base even by one."""
    over = np.argwhere(found.activity.to_numpy() > found.bases.to_numpy())
    if len(over):
        cells = [f"{found.activity.index[i]} × {found.activity.columns[j]}" for i, j in over]
        raise InputError(f"The base must contain the counts, but it is smaller in {listing(cells)}.")
    shape = found.activity.shape
    return CountedCells(
        found.activity.to_numpy(),
        np.broadcast_to(found.sector_totals.to_numpy(), shape),
        found.bases.to_numpy(),
        np.broadcast_to(found.base_totals.to_numpy(), shape),
    )


def check_herfindahl(herfindahl: pd.Series | None, sector_totals: pd.Series) -> Floats:
    """Return H of each sector in the order of the totals, or say what is wrong with it."""
    if not isinstance(herfindahl, pd.Series) or not pd.api.types.is_numeric_dtype(herfindahl.dtype):
        raise InputError(
            "The overdispersed method needs herfindahl (a Series of numbers by sector) or plants."
        )
    check_labels(herfindahl.index, "sector of herfindahl")
    missing = sector_totals.index.difference(herfindahl.dropna().index)
    if len(missing):
        raise InputError(f"herfindahl has no entry for {listing(missing)}.")
    values = herfindahl.loc[sector_totals.index].astype("float64")
    wrong = values.index[~((values >= (1 - 1e-9) / sector_totals) & (values <= 1 + 1e-9))]
    if len(wrong):
        cells = [f"{sector} has {values[sector]:g} with {sector_totals[sector]:g} jobs" for sector in wrong]
        raise InputError(
            f"herfindahl must lie between 1 / jobs (each plant one job) and 1 (one plant), "
            f"but {listing(cells)}."
        )
    return np.asarray(values.clip(1 / sector_totals, 1.0), dtype=np.float64)


def check_plants(plants: pd.Series, sector_totals: pd.Series) -> list[Floats]:
    """Return the plant sizes of each sector in the order of the totals, or say what is wrong with them."""
    if not isinstance(plants, pd.Series) or not pd.api.types.is_numeric_dtype(plants.dtype):
        raise InputError(
            "plants must be a Series of plant sizes in numbers, its index the sector of each plant."
        )
    sizes = plants.astype("float64")
    wrong = sizes[~((sizes >= 1) & (sizes % 1 == 0))]
    if len(wrong):
        found = [f"{sector} has {size:g}" for sector, size in wrong.items()]
        raise InputError(f"The size of a plant must be a whole number of at least 1, but {listing(found)}.")
    sums = sizes.groupby(level=0).sum().reindex(sector_totals.index, fill_value=0.0)
    unequal = sums.index[sums != sector_totals]
    if len(unequal):
        found = [f"{sector} has {sums[sector]:g} of {sector_totals[sector]:g}" for sector in unequal]
        raise InputError(f"The plants of a sector must add up to its jobs, but {listing(found)}.")
    by_sector = {sector: np.asarray(group, dtype=np.float64) for sector, group in sizes.groupby(level=0)}
    return [by_sector[sector] for sector in sector_totals.index]


@dataclass(frozen=True)
class CountedCells:
    r"""Counts of a table and their margins, each of shape (regions, sectors).

    Attributes
    ----------
    count, sector, base, total : ndarray
        :math:`q_{ij}, q_j, Q_i, Q` as whole numbers in floating point, with
        :math:`q_{ij} \le Q_i` and :math:`0 < q_j \le Q`.
    """

    count: Floats
    sector: Floats
    base: Floats
    total: Floats

    @property
    def share(self) -> Floats:
        """Base share :math:`s_i = Q_i / Q`: the chance of each job under the dartboard."""
        return self.base / self.total

    @property
    def one_sided(self) -> NDArray[np.bool_]:
        """Cells with none or all of the sector: resamples and derivatives say nothing about these."""
        return np.asarray((self.count == 0) | (self.count == self.sector))

    def __getitem__(self, where: Any) -> CountedCells:
        """The cells at ``where``, which NumPy understands."""
        return CountedCells(self.count[where], self.sector[where], self.base[where], self.total[where])


@dataclass(frozen=True)
class ErrorLevels:
    """Chance of error allowed below and above an interval; 0 leaves that side open."""

    low: float
    high: float

    @classmethod
    def of(cls, alternative: str, confidence: float) -> ErrorLevels:
        """Equal tails for two-sided intervals, one bound for one-sided ones.

        >>> ErrorLevels.of("greater", 0.95).high
        0.0
        """
        error = 1.0 - confidence
        if alternative == "two-sided":
            return cls(error / 2, error / 2)
        return cls(error, 0.0) if alternative == "greater" else cls(0.0, error)


@dataclass(frozen=True)
class Inference:
    """Interval and tail probabilities of every cell.

    Attributes
    ----------
    low, high : ndarray
        Interval of the location quotient.
    above, below : ndarray
        Probability under the null hypothesis of a count at least, at most the observed one.
    least_above, least_below : ndarray
        The smallest values these can take with these margins.
    note : ndarray of str
        Where a cell was treated unlike the others, why; else empty.
    """

    low: Floats
    high: Floats
    above: Floats
    below: Floats
    least_above: Floats
    least_below: Floats
    note: Texts

    def replaced(self, where: NDArray[np.bool_], other: Inference, note: str) -> Inference:
        """Take the cells at ``where`` from ``other`` (given for these only) and say so in their notes."""
        fields = {}
        for name in ("low", "high", "above", "below", "least_above", "least_below"):
            values = getattr(self, name).copy()
            values[where] = getattr(other, name)
            fields[name] = values
        notes = self.note.copy()
        notes[where] = note
        return Inference(**fields, note=notes)


def no_notes(shape: tuple[int, ...]) -> Texts:
    """Empty notes for a table of this shape."""
    return np.full(shape, "", dtype=object)
