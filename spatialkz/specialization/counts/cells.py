"""What every test of quotients starts from and hands back: labels are left out here, shapes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.object_]


@dataclass(frozen=True)
class Cells:
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

    def __getitem__(self, where: Any) -> Cells:
        """The cells at ``where``, which NumPy understands."""
        return Cells(self.count[where], self.sector[where], self.base[where], self.total[where])


@dataclass(frozen=True)
class Levels:
    """Chance of error allowed below and above an interval; 0 leaves that side open."""

    low: float
    high: float

    @classmethod
    def of(cls, alternative: str, confidence: float) -> Levels:
        """Equal tails for two-sided intervals, one bound for one-sided ones.

        >>> Levels.of("greater", 0.95).high
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
