"""The rule that turns the parts into a verdict, written down before the numbers (docs/methods/focal.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spatialkz.focal.models.reach import STRONG
from spatialkz.focal.parts import ColocationPart, PlacePart, ShapePart, SpreadPart
from spatialkz.options import FocalPart

Verdict = Literal["focal", "belt", "sector belts", "dispersed", "mixed", "undecided"]

#: Reason of a table to which the rule cannot be applied.
UNTESTABLE = "too little variation to be tested"


_WEAK_TEST = "no co-location found, but the test has low power"
_NO_SHAPE = "co-located; whether in a few regions or by degrees is open"
_NO_SECTORS = "not co-located; whether each sector is contiguous for itself is open"
_OPEN: dict[str, FocalPart] = {_WEAK_TEST: "colocation", _NO_SHAPE: "shape", _NO_SECTORS: "sectors"}


@dataclass(frozen=True)
class Evidence:
    """What the rule looks at: the four parts of the hypothesis."""

    colocation: ColocationPart
    spread: SpreadPart
    shape: ShapePart
    place: PlacePart


def verdict(evidence: Evidence, alpha: float = 0.05) -> tuple[Verdict, str]:
    """Verdict and the reason for it, by the rule of docs/methods/focal.md.

    Parameters
    ----------
    evidence : Evidence
    alpha : float
        Level of the tests.

    Returns
    -------
    tuple of str
        The verdict, and the key of its reason.

    Examples
    --------
    >>> found = ColocationPart("yes", 3.1, 0.001, 0.002, 0.002, 0.9)
    >>> spread = SpreadPart("few", 5, 9.6, 0.001, 0.001, (2, 2), few=4)
    >>> place = PlacePart("open", 0.1, 0.3, 0.9, 0.2, 0.9, -0.6, 0.9, 0.8)
    >>> verdict(Evidence(found, spread, ShapePart("spikes", 0.9, 0.02, 0.4, 0.2), place))
    ('focal', 'co-located in few regions that stand out from all others')
    >>> verdict(Evidence(found, spread, ShapePart("open", 0.6, 0.02, 0.4, 0.2), place))
    ('undecided', 'co-located; whether in a few regions or by degrees is open')
    """
    if evidence.colocation.verdict == "yes":
        return _colocated(evidence, alpha)
    if evidence.colocation.sizes:
        return "undecided", f"unequal size of the regions {evidence.colocation.sizes} the co-location"
    place = evidence.place
    if evidence.colocation.p_ranks <= alpha:
        return "undecided", "sectors co-locate by degrees, yet not in their specializations"
    if evidence.colocation.verdict == "open":
        return "undecided", _WEAK_TEST
    if place.p_sectors <= alpha:
        return "sector belts", "not co-located; each sector contiguous for itself"
    if place.p_value <= alpha:
        return "mixed", "contiguous without co-location"
    if place.power_sectors >= STRONG:
        return "dispersed", "neither co-located nor contiguous, and both tests have high power"
    return "undecided", _NO_SECTORS


def _colocated(evidence: Evidence, alpha: float) -> tuple[Verdict, str]:
    shape, place = evidence.shape, evidence.place
    many = evidence.spread.held[0] > evidence.spread.few
    if many and place.p_negative <= alpha:
        return "mixed", "co-located in regions that alternate with others"
    if shape.verdict == "spikes" and not many:
        return "focal", "co-located in few regions that stand out from all others"
    if place.verdict == "adjoining":
        return "belt", "co-located and contiguous"
    if shape.verdict == "spikes":
        return "mixed", "co-located in many regions that stand out from the others"
    if shape.verdict == "gradient":
        if place.verdict == "apart" or place.contiguous <= 1 - STRONG:
            return "mixed", "co-located by degrees that do not follow the map"
        return "belt", "co-located by degrees, as in a belt"
    if shape.misfit(alpha):
        return "undecided", "co-located; the shape that is more probable makes no such table"
    return "undecided", _NO_SHAPE


def open_part(reached: Verdict, reason: str, place: PlacePart) -> FocalPart | None:
    """The part that is open: the one that made a verdict ``undecided``, or the place of foci."""
    if reached == "focal" and place.verdict == "open":
        return "place"
    return _OPEN.get(reason)
