"""The rule that turns the tests into a verdict, written down before the numbers (docs/methods/focal.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["focal", "belt", "dispersed", "mixed", "undecided"]

# Power, and posterior probability, from which evidence counts as strong.
STRONG = 0.8
#: Reason of a table to which the rule cannot be applied.
UNTESTABLE = "too little variation to be tested"


@dataclass(frozen=True)
class Evidence:
    """What the rule looks at.

    Attributes
    ----------
    colocation : float
        p-value of the co-location test, one-sided, columns shuffled.
    colocation_sized : float or None
        The same under regions of unequal size; None where no sizes are known.
    contiguity : float
        Two-sided p-value of Moran's I of breadth.
    contiguity_sign : float
        Moran's I less its expectation.
    contiguity_power, colocation_power : float or None
        Power of the two tests against what they look for (SAR ρ = 0.8; tables of the focal model).
    posterior : mapping or None
        Model → posterior probability.
    fit : float or None
        p-value of the best model's goodness of fit.
    """

    colocation: float
    colocation_sized: float | None
    contiguity: float
    contiguity_sign: float
    contiguity_power: float | None = None
    colocation_power: float | None = None
    posterior: Mapping[str, float] | None = None
    fit: float | None = None


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
    >>> verdict(Evidence(colocation=0.001, colocation_sized=None, contiguity=0.01, contiguity_sign=0.4))
    ('belt', 'co-located and contiguous')
    >>> verdict(Evidence(colocation=0.001, colocation_sized=None, contiguity=0.6, contiguity_sign=0.1))
    ('undecided', 'co-located; the data cannot tell a belt from separate foci')
    """
    colocated = evidence.colocation <= alpha
    contiguous = evidence.contiguity <= alpha and evidence.contiguity_sign > 0
    if evidence.colocation_sized is not None and colocated != (evidence.colocation_sized <= alpha):
        does = "explains" if colocated else "hides"
        return "undecided", f"unequal size of the regions {does} the co-location"
    favored = _favored(evidence, alpha)
    if colocated and contiguous:
        if favored == "focal":
            return "mixed", "co-located and contiguous, yet the models favor hubs"
        return "belt", "co-located and contiguous"
    if colocated:
        if favored == "belt":
            return "belt", "co-located; the models favor a belt"
        if _strong(evidence.contiguity_power):
            return "focal", "co-located, and a test of high power finds no contiguity"
        if favored == "focal":
            return "focal", "co-located; the models favor hubs"
        return "undecided", "co-located; the data cannot tell a belt from separate foci"
    if contiguous:
        if favored == "belt":
            return "belt", "contiguous; the models favor a belt"
        return "mixed", "contiguous without co-location"
    if _strong(evidence.colocation_power) and _most_probable(evidence) in (None, "dispersed"):
        return "dispersed", "a test of high power finds no co-location"
    if favored == "dispersed":
        return "dispersed", "not co-located; the models favor dispersion"
    return "undecided", "no co-location found, but the test has low power"


def two_by_two(row: Mapping[str, Any]) -> str:
    """Return focal, belt, mixed or dispersed by the two p-values alone: the rule without models and power.

    >>> two_by_two({"colocation_p": 0.01, "contiguity_p": 0.4, "contiguity_z": 0.5, "alpha": 0.05})
    'focal'
    """
    contiguous = row["contiguity_p"] <= row["alpha"] and row["contiguity_z"] > 0
    if row["colocation_p"] > row["alpha"]:
        return "mixed" if contiguous else "dispersed"
    return "belt" if contiguous else "focal"


def _strong(share: float | None) -> bool:
    return share is not None and share >= STRONG


def _most_probable(evidence: Evidence) -> str | None:
    posterior = evidence.posterior
    return max(posterior, key=lambda name: posterior[name]) if posterior else None


def _favored(evidence: Evidence, alpha: float) -> str | None:
    """The model that the table strongly favors, if that model can make such a table at all."""
    if not evidence.posterior or (evidence.fit is not None and evidence.fit <= alpha):
        return None
    best = _most_probable(evidence)
    return best if best and _strong(evidence.posterior[best]) else None
