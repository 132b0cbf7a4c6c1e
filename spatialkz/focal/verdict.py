"""The rule that turns the tests into a verdict, written down before the numbers (docs/methods/focal.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["focal", "belt", "dispersed", "mixed", "undecided"]

# Power, and posterior probability, from which evidence counts as strong.
STRONG = 0.8
#: Reason of a table to which the rule cannot be applied.
UNTESTABLE = "too little varies to be tested"


@dataclass(frozen=True)
class Evidence:
    """What the rule looks at.

    Attributes
    ----------
    piling : float
        p-value of the piling test, one-sided, columns shuffled.
    piling_sized : float or None
        The same under regions of unequal size; None where no sizes are known.
    contiguity : float
        Two-sided p-value of Moran's I of breadth.
    contiguity_sign : float
        Moran's I less its expectation.
    contiguity_power, piling_power : float or None
        Power of the two tests against what they look for (SAR ρ = 0.8; tables of the focal model).
    posterior : mapping or None
        Model → posterior probability.
    fit : float or None
        p-value of the best model's goodness of fit.
    """

    piling: float
    piling_sized: float | None
    contiguity: float
    contiguity_sign: float
    contiguity_power: float | None = None
    piling_power: float | None = None
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
    >>> verdict(Evidence(piling=0.001, piling_sized=None, contiguity=0.01, contiguity_sign=0.4))
    ('belt', 'piled and contiguous')
    >>> verdict(Evidence(piling=0.001, piling_sized=None, contiguity=0.6, contiguity_sign=0.1))
    ('undecided', 'piled; where cannot be told')
    """
    piled = evidence.piling <= alpha
    contiguous = evidence.contiguity <= alpha and evidence.contiguity_sign > 0
    if evidence.piling_sized is not None and piled != (evidence.piling_sized <= alpha):
        return "undecided", "size explains the piling" if piled else "size hides the piling"
    favored = _favored(evidence, alpha)
    if piled and contiguous:
        if favored == "focal":
            return "mixed", "piled and contiguous, yet the models favor hubs"
        return "belt", "piled and contiguous"
    if piled:
        if favored == "belt":
            return "belt", "piled; the models favor a belt"
        if _strong(evidence.contiguity_power):
            return "focal", "piled, and a strong test sees no contiguity"
        if favored == "focal":
            return "focal", "piled; the models favor hubs"
        return "undecided", "piled; where cannot be told"
    if contiguous:
        if favored == "belt":
            return "belt", "contiguous; the models favor a belt"
        return "mixed", "contiguous without piling"
    if _strong(evidence.piling_power) and _most_probable(evidence) in (None, "dispersed"):
        return "dispersed", "a strong test sees no piling"
    if favored == "dispersed":
        return "dispersed", "not piled; the models favor dispersion"
    return "undecided", "not piled; a weak test"


def two_by_two(row: Mapping[str, Any]) -> str:
    """Return focal, belt, mixed or dispersed by the two p-values alone: the rule without models and power.

    >>> two_by_two({"piling_p": 0.01, "contiguity_p": 0.4, "contiguity_z": 0.5, "alpha": 0.05})
    'focal'
    """
    contiguous = row["contiguity_p"] <= row["alpha"] and row["contiguity_z"] > 0
    if row["piling_p"] > row["alpha"]:
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
