"""Evidence for candidates and areas, computed for many drawn tables at once.

All scored evidence lies in [0, 1] by construction, and more is always better. A quotient enters as its
*strength* LQ / (1 + LQ): 0 when the sector is absent, 0.5 at the national average, towards 1 above it. Size
and focus enter no score: of published quotients they are known within bounds only. They make the stars. What
neighbors have enters none either: it would presume that specializations spill over, which is to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.errors import listing
from spatialkz.resampling.pvalues import Floats
from spatialkz.specialization import drawn_quotients, proximity, table_quotients
from spatialkz.study import Study

CANDIDATE_EVIDENCE = {
    "specialization": "strength LQ/(1+LQ) of the sector in the region",
    "companions": "share of the other sectors in which the region is specialized too",
    "relatedness": "share of what is related to the sector that the region has (density by proximity)",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge' or 'research') in the region",
}
AREA_EVIDENCE = {
    "specialized_share": "share of the sectors in which the region is specialized (breadth / sectors)",
    "strength": "mean strength LQ/(1+LQ) over all sectors",
    "knowledge": "mean strength of the knowledge sectors (role 'knowledge' or 'research') in the region",
    "digital": "mean strength of the digital sectors (role 'digital') in the region",
    "technology": "mean strength of high-tech and medium-high-tech industry in the region",
}
# What marks a sector as knowledge-intensive in a study's list of sectors.
KNOWLEDGE_MARKS = {
    "role": ("digital", "knowledge", "research"),
    "intensity": ("high", "medium-high", "knowledge-intensive"),
}

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What stays the same over all draws: kinds of sectors, and proximities."""

    kinds: Mapping[str, Mask]
    related: Floats

    @classmethod
    def of(cls, study: Study, quotients: pd.DataFrame) -> Setting:
        """Kinds of sectors of a study; proximities of its point values."""
        sectors = study.sectors.loc[quotients.columns]
        role = sectors["role"] if "role" in sectors else pd.Series("", index=sectors.index)
        level = sectors["intensity"] if "intensity" in sectors else pd.Series("", index=sectors.index)
        kinds = {
            "knowledge": role.isin(["knowledge", "research"]).to_numpy(),
            "digital": (role == "digital").to_numpy(),
            "technology": level.isin(["high", "medium-high"]).to_numpy(),
        }
        return cls(
            kinds={name: mask for name, mask in kinds.items() if mask.any()},
            related=_related(quotients, study.choices.threshold),
        )


def _related(quotients: pd.DataFrame, threshold: float) -> Floats:
    """Proximities of the sectors, 0 on the diagonal and for sectors nobody is specialized in."""
    related = np.zeros((quotients.shape[1], quotients.shape[1]))
    known = np.flatnonzero((quotients >= threshold).any().to_numpy())
    if len(known) > 1:
        related[np.ix_(known, known)] = proximity(quotients.iloc[:, known], threshold).to_numpy()
    np.fill_diagonal(related, 0.0)
    return related


def knowledge_intensive(study: Study) -> pd.Series:
    """Whether the study marks each sector of its table as knowledge-intensive (:data:`KNOWLEDGE_MARKS`)."""
    told = study.sectors.reindex(columns=list(KNOWLEDGE_MARKS)).reindex(study.table.sectors)
    return told.isin(KNOWLEDGE_MARKS).any(axis=1)


def knowledge_note(study: Study) -> str | None:
    """What to know before candidates are called knowledge-intensive; None if all sectors are marked so."""
    marked = knowledge_intensive(study)
    marks = "; ".join(f"{name} {', '.join(values)}" for name, values in KNOWLEDGE_MARKS.items())
    if not marked.any():
        return (
            f"No sector is marked as knowledge-intensive ({marks}), so all {len(marked)} are ranked: these "
            "are candidates for clusters of any kind, not of knowledge."
        )
    if marked.all():
        return None
    return (
        f"Not marked as knowledge-intensive ({marks}): {listing(marked.index[~marked])}; candidates in these "
        "sectors are ranked with the others."
    )


def candidate_evidence(quotients: Floats, setting: Setting, threshold: float) -> dict[str, Floats]:
    """Evidence of every region × sector: name → array (draws, regions, sectors).

    Parameters
    ----------
    quotients : array, shape (draws, regions, sectors)
    setting : Setting
    threshold : float
        Quotient from which a region counts as specialized.
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
    }
    if "knowledge" in setting.kinds:
        base = strength[:, :, setting.kinds["knowledge"]].mean(axis=2, keepdims=True)
        evidence["knowledge"] = np.broadcast_to(base, strength.shape)
    return {name: evidence[name] for name in CANDIDATE_EVIDENCE if name in evidence}


def area_evidence(quotients: Floats, setting: Setting, threshold: float) -> dict[str, Floats]:
    """Evidence of every region: name → array (draws, regions); parameters as :func:`candidate_evidence`."""
    strength = quotients / (1 + quotients)
    share = (quotients >= threshold).mean(axis=2)
    evidence = {
        "specialized_share": share,
        "strength": strength.mean(axis=2),
        **{name: strength[:, :, mask].mean(axis=2) for name, mask in setting.kinds.items()},
    }
    return {name: evidence[name] for name in AREA_EVIDENCE if name in evidence}


# candidate_evidence or area_evidence.
EvidenceRule: TypeAlias = Callable[[Floats, Setting, float], dict[str, Floats]]


@dataclass(frozen=True)
class DrawnEvidence:
    """Evidence of a study's items, and the draws of it by the error of its quotients and by thresholds.

    Attributes
    ----------
    table : DataFrame
        Items × evidence, without error.
    varying : list of str
        The evidence that differs between items and can rank them.
    """

    study: Study
    quotients: Floats
    evidence: EvidenceRule
    setting: Setting
    places: tuple[npt.NDArray[np.intp], ...]
    table: pd.DataFrame
    varying: list[str]

    @classmethod
    def of(
        cls, study: Study, evidence: EvidenceRule, items: pd.Index, places: tuple[npt.NDArray[np.intp], ...]
    ) -> DrawnEvidence:
        """Evidence at ``places`` of the arrays that ``evidence`` gives, labelled by ``items``."""
        quotients = table_quotients(study.table)
        setting, values = Setting.of(study, quotients), quotients.to_numpy()
        point = evidence(values[None], setting, study.choices.threshold)
        table = pd.DataFrame({name: cells[0][places] for name, cells in point.items()}, index=items)
        varying = [str(name) for name in table if table[name].nunique() > 1]
        return cls(study, values, evidence, setting, places, table, varying)

    def __call__(self, scenario: Mapping[str, object], size: int, rng: np.random.Generator | None) -> Floats:
        """Varying evidence under a scenario, shape (size, items, evidence)."""
        tables = np.broadcast_to(self.quotients, (size, *self.quotients.shape))
        if rng is not None:
            tables = drawn_quotients(self.study.table, size, rng)
        found = self.evidence(tables, self.setting, float(str(scenario["threshold"])))
        at: Any = (slice(None), *self.places)
        return np.stack([found[name][at] for name in self.varying], axis=2)
