"""What a run has found, and what a page is made of: sections of sentences, tables and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import pandas as pd

from spatialkz.candidates import CandidateRanking, RankingReview
from spatialkz.change import ChangeAnalysis
from spatialkz.clustering import ClusterAnalysis, RegionClusters
from spatialkz.focal import FocalTest
from spatialkz.prerequisites import PrerequisiteFindings
from spatialkz.spatial import Detectable, LocalMoranTest, MoranTest
from spatialkz.specialization import QuotientAudit, complete_sectors
from spatialkz.study import Study


@dataclass(frozen=True)
class Findings:
    """Results of all stages of one run.

    Attributes
    ----------
    study : Study
    quotients : DataFrame
        Location quotients, regions × sectors.
    moran, local : MoranTest, LocalMoranTest
        For every sector without hidden cells and ``breadth`` (number of these with LQ ≥ threshold).
    clustering : ClusterAnalysis
        By k-means and Ward's method at least.
    ranking : CandidateRanking
    notes : tuple of str
        What the run left out and why, one sentence each.
    seed : int
    audit : QuotientAudit, optional
        Of published quotients.
    claims : DataFrame, optional
        What the source says of its table, with verdicts (:func:`spatialkz.specialization.check_claims`).
    detectable : Detectable, optional
        Which spatial dependence the graph could have shown, and which the values leave possible.
    prerequisites : PrerequisiteFindings, optional
        What goes with specialization; None for a study without covariates or with fewer than 6 regions.
    review : RankingReview, optional
        The ranking held against expert tiers and growth points.
    focal : FocalTest, optional
        Whether the sectors are focal; None where there are too few regions or sectors to tell.
    change : ChangeAnalysis, optional
        What changed between the periods of a study that has several.
    """

    study: Study
    quotients: pd.DataFrame
    moran: MoranTest
    local: LocalMoranTest
    clustering: ClusterAnalysis
    ranking: CandidateRanking
    notes: tuple[str, ...]
    seed: int
    audit: QuotientAudit | None = None
    claims: pd.DataFrame | None = None
    detectable: Detectable | None = None
    focal: FocalTest | None = None
    prerequisites: PrerequisiteFindings | None = None
    change: ChangeAnalysis | None = None
    review: RankingReview | None = None

    @property
    def complete_quotients(self) -> pd.DataFrame:
        """Quotients of the sectors without hidden cells, which were clustered and tested."""
        return self.quotients[complete_sectors(self.study.table)]

    @property
    def clusters(self) -> Mapping[str, RegionClusters]:
        """Clusters by method."""
        return self.clustering.clusters

    def trust(self) -> dict[str, object]:
        """How far ranks can be trusted, and what others say: the content of ``ranking.json``."""
        drawn = {
            "candidates": self.ranking.candidate_uncertainty,
            "areas": self.ranking.area_uncertainty,
        }
        told: dict[str, object] = {
            name: None if found is None else found.to_dict() for name, found in drawn.items()
        }
        if self.review is None:
            return {**told, "notes": list(self.ranking.notes)}
        return {**told, **self.review.to_dict(), "notes": [*self.ranking.notes, *self.review.notes]}

    def autocorrelation(self) -> pd.DataFrame:
        """Moran's I of each variable, with what could have been detected beside it."""
        table = self.moran.to_frame()
        return table if self.detectable is None else self.detectable.beside(table)


DASH = "–"


@dataclass(frozen=True)
class Column:
    """A column ready to print: its heading, its cells, and how they are set."""

    heading: str
    cells: Sequence[str]
    kind: Literal["name", "number", "label"] = "number"


@dataclass(frozen=True)
class Table:
    """A table ready to print.

    Attributes
    ----------
    caption : str
    columns : list of Column
        All of one length; the first names the rows.
    strong : frozenset of int
        Rows that stand out.
    """

    kind: ClassVar = "table"
    caption: str
    columns: list[Column]
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A figure by its name, the text that stands for it, and a note below it."""

    kind: ClassVar = "figure"
    name: str
    alt: str
    note: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Running text; small if it explains how to read something else."""

    kind: ClassVar = "paragraph"
    text: str
    small: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar = "heading"
    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences; ``lang`` where they are not in the language of the page."""

    kind: ClassVar = "items"
    texts: Sequence[str]
    lang: str = ""


@dataclass(frozen=True)
class Terms:
    """Terms with what is to be said of each.

    Attributes
    ----------
    entries : mapping
        Term → text.
    style : {"brief", "lines", "notes"}
        Answers in brief, lines of a long list, or small notes.
    """

    kind: ClassVar = "terms"
    entries: Mapping[str, str]
    style: Literal["brief", "lines", "notes"]


Part: TypeAlias = Table | Figure | Paragraph | Heading | Items | Terms


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    key : str
        Anchor on the page; ``section_`` and the key is the key of its title.
    parts : tuple
        What it holds, in order. A section without parts does not appear.
    """

    key: str
    parts: tuple[Part, ...] = ()

    @property
    def figures(self) -> list[Figure]:
        """The figures, in order."""
        return [part for part in self.parts if isinstance(part, Figure)]

    def showing(self, figures: Iterable[str]) -> Section:
        """The same section without the figures that were not drawn."""
        drawn = set(figures)
        return Section(
            self.key,
            tuple(part for part in self.parts if not isinstance(part, Figure) or part.name in drawn),
        )


def section(key: str, *parts: Part | None) -> Section:
    """Put a section together from the parts that there are."""
    return Section(key, tuple(part for part in parts if part is not None))


def name_column(heading: str, cells: Iterable[object]) -> Column:
    """Column of names.

    >>> name_column("Region", ["Akmola", 7]).cells
    ['Akmola', '7']
    """
    return Column(heading, [str(cell) for cell in cells], "name")
