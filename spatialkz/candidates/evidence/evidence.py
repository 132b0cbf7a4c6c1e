"""Evidence for candidates and areas, computed for many drawn tables at once.

All scored evidence lies in [0, 1] by construction, and more is always better. A quotient enters as its
*strength* LQ / (1 + LQ): 0 when the sector is absent, 0.5 at the national average, towards 1 above it. Size
and focus enter no score: of published quotients they are known within bounds only. They make the stars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from spatialkz.geography.weights import row_standardized
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import proximity
from spatialkz.study import Study

CANDIDATE_EVIDENCE = {
    "specialization": "strength LQ/(1+LQ) of the sector in the region",
    "companions": "share of the other sectors in which the region is specialized too",
    "relatedness": "share of what is related to the sector that the region has (density by proximity)",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge' or 'research') in the region",
    "surroundings": "mean strength of the same sector in the neighboring regions",
}
AREA_EVIDENCE = {
    "specialized_share": "share of the sectors in which the region is specialized (breadth / sectors)",
    "strength": "mean strength LQ/(1+LQ) over all sectors",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge' or 'research') in the region",
    "digital": "mean strength of the digital sectors (role 'digital') in the region",
    "technology": "mean strength of high-tech and medium-high-tech industry in the region",
    "surroundings": "mean share of specialized sectors in the neighboring regions",
}

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What stays the same over all draws: kinds of sectors, proximities, and who neighbors whom."""

    kinds: Mapping[str, Mask]
    related: Floats
    graphs: Mapping[str, csr_array]

    @classmethod
    def of(cls, study: Study, quotients: pd.DataFrame) -> Setting:
        """Kinds of sectors and two graphs of a study; proximities of its point values."""
        sectors = study.sectors.loc[quotients.columns]
        role = sectors["role"] if "role" in sectors else pd.Series("", index=sectors.index)
        level = sectors["intensity"] if "intensity" in sectors else pd.Series("", index=sectors.index)
        kinds = {
            "knowledge": role.isin(["knowledge", "research"]).to_numpy(),
            "digital": (role == "digital").to_numpy(),
            "technology": level.isin(["high", "medium-high"]).to_numpy(),
        }
        wider = study.graph.higher_order(2, lower_order=True)
        return cls(
            kinds={name: mask for name, mask in kinds.items() if mask.any()},
            related=_related(quotients, study.choices.threshold),
            graphs={
                "study": row_standardized(study.graph, quotients.index),
                "second order": row_standardized(wider, quotients.index),
            },
        )


def _related(quotients: pd.DataFrame, threshold: float) -> Floats:
    """Proximities of the sectors, 0 on the diagonal and for sectors nobody is specialized in."""
    related = np.zeros((quotients.shape[1], quotients.shape[1]))
    known = np.flatnonzero((quotients >= threshold).any().to_numpy())
    if len(known) > 1:
        related[np.ix_(known, known)] = proximity(quotients.iloc[:, known], threshold).to_numpy()
    np.fill_diagonal(related, 0.0)
    return related


def candidate_evidence(
    quotients: Floats, setting: Setting, threshold: float, graph: str
) -> dict[str, Floats]:
    """Evidence of every region × sector: name → array (draws, regions, sectors).

    Parameters
    ----------
    quotients : array, shape (draws, regions, sectors)
    setting : Setting
    threshold : float
        Quotient from which a region counts as specialized.
    graph : str
        Name of one of the setting's graphs.
    """
    strength = quotients / (1 + quotients)
    specialized = quotients >= threshold
    others = specialized.sum(axis=2, keepdims=True) - specialized
    total = setting.related.sum(axis=0)
    around = specialized.astype(np.float64) @ setting.related
    evidence = {
        "specialization": strength,
        "companions": others / max(1, quotients.shape[2] - 1),
        "relatedness": np.divide(around, total, out=np.zeros_like(around), where=total > 0),
        "surroundings": _neighbor_mean(strength, setting.graphs[graph]),
    }
    if "knowledge" in setting.kinds:
        base = strength[:, :, setting.kinds["knowledge"]].mean(axis=2, keepdims=True)
        evidence["knowledge"] = np.broadcast_to(base, strength.shape)
    return {name: evidence[name] for name in CANDIDATE_EVIDENCE if name in evidence}


def area_evidence(quotients: Floats, setting: Setting, threshold: float, graph: str) -> dict[str, Floats]:
    """Evidence of every region: name → array (draws, regions); parameters as :func:`candidate_evidence`."""
    strength = quotients / (1 + quotients)
    share = (quotients >= threshold).mean(axis=2)
    evidence = {
        "specialized_share": share,
        "strength": strength.mean(axis=2),
        "surroundings": _neighbor_mean(share[:, :, None], setting.graphs[graph])[:, :, 0],
        **{name: strength[:, :, mask].mean(axis=2) for name, mask in setting.kinds.items()},
    }
    return {name: evidence[name] for name in AREA_EVIDENCE if name in evidence}


def _neighbor_mean(values: Floats, weights: csr_array) -> Floats:
    """Mean over the neighbors of each region, for all draws and sectors at once."""
    draws, n, k = values.shape
    stacked = values.transpose(1, 0, 2).reshape(n, draws * k)
    mean = (weights @ stacked).reshape(n, draws, k).transpose(1, 0, 2)
    # The order of neighbors is no evidence: what differs in the last digits alone is a tie.
    return np.asarray(np.round(mean, 12), dtype=np.float64)
