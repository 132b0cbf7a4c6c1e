"""Evidence for candidates and areas, computed for many drawn tables at once.

All evidence lies in [0, 1] by construction, so that no score depends on which regions or candidates happen
to be in the list, and more is always better. A quotient enters as its *strength* LQ / (1 + LQ): 0 when the
sector is absent, 0.5 at the national average, towards 1 above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from spatialkz.study import Study

CANDIDATE_EVIDENCE = {
    "specialization": "strength LQ/(1+LQ) of the sector in the region",
    "companions": "share of the other sectors in which the region is specialized too",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge') in the region",
    "surroundings": "mean strength of the same sector in the neighboring regions",
}
AREA_EVIDENCE = {
    "specialized_share": "share of the sectors in which the region is specialized (breadth / sectors)",
    "strength": "mean strength LQ/(1+LQ) over all sectors",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge') in the region",
    "surroundings": "mean share of specialized sectors in the neighboring regions",
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """What stays the same over all draws."""

    threshold: float
    knowledge: npt.NDArray[np.bool_]
    weights: csr_array

    @classmethod
    def of(cls, study: Study) -> Setting:
        """Take threshold, knowledge sectors and row-standardized neighbor weights from a study."""
        return cls(
            threshold=study.choices.threshold,
            knowledge=(study.sectors["role"] == "knowledge").to_numpy(),
            weights=study.graph.transform("r").sparse.tocsr(),
        )

    def evidence_names(self, known: dict[str, str]) -> list[str]:
        """Names of the evidence that exists here: without knowledge sectors there is none of that kind."""
        return [name for name in known if name != "knowledge" or self.knowledge.any()]


def candidate_evidence(quotients: Floats, setting: Setting) -> dict[str, Floats]:
    """Evidence of every region × sector: name → array (draws, regions, sectors).

    Parameters
    ----------
    quotients : array, shape (draws, regions, sectors)
    setting : Setting
    """
    strength = quotients / (1 + quotients)
    specialized = quotients >= setting.threshold
    others = specialized.sum(axis=2, keepdims=True) - specialized
    evidence = {
        "specialization": strength,
        "companions": others / max(1, quotients.shape[2] - 1),
        "surroundings": _neighbor_mean(strength, setting.weights),
    }
    if setting.knowledge.any():
        base = strength[:, :, setting.knowledge].mean(axis=2, keepdims=True)
        evidence["knowledge"] = np.broadcast_to(base, strength.shape)
    return {name: evidence[name] for name in setting.evidence_names(CANDIDATE_EVIDENCE)}


def area_evidence(quotients: Floats, setting: Setting) -> dict[str, Floats]:
    """Evidence of every region: name → array (draws, regions)."""
    strength = quotients / (1 + quotients)
    share = (quotients >= setting.threshold).mean(axis=2)
    evidence = {
        "specialized_share": share,
        "strength": strength.mean(axis=2),
        "surroundings": _neighbor_mean(share[:, :, None], setting.weights)[:, :, 0],
    }
    if setting.knowledge.any():
        evidence["knowledge"] = strength[:, :, setting.knowledge].mean(axis=2)
    return {name: evidence[name] for name in setting.evidence_names(AREA_EVIDENCE)}


def _neighbor_mean(values: Floats, weights: csr_array) -> Floats:
    """Mean over the neighbors of each region, for all draws and sectors at once."""
    draws, n, k = values.shape
    stacked = values.transpose(1, 0, 2).reshape(n, draws * k)
    mean: Floats = (weights @ stacked).reshape(n, draws, k).transpose(1, 0, 2)
    return mean
