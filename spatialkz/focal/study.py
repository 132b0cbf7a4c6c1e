"""The focal test of a study: its families of sectors, its graphs, its base shares."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import SpatialKZError
from spatialkz.focal.findings import FocalTest
from spatialkz.focal.focal import families_of, focal_test
from spatialkz.focal.questions.grades import LEAST_REGIONS, LEAST_SECTORS
from spatialkz.focal.questions.size_null import table_base_shares
from spatialkz.geography import neighbor_graph
from spatialkz.processes import SecondProcess
from spatialkz.progress import Progress
from spatialkz.randomness import generator
from spatialkz.specialization import QuotientAudit, complete_sectors, table_quotients
from spatialkz.study import Study

# Beside the study's own graph, for the multiverse: by nearness, and enclaves with their host's neighbors.
_RECIPES = ("knn:k=4", "city_merged")
#: Level of a sector's ``intensity`` that makes it high technology.
HIGH = "high"
# Base shares that fit a published table beside those of largest entropy.
_SHARE_DRAWS = 4


def focal_study(
    study: Study,
    audit: QuotientAudit | None = None,
    *,
    graphs: Mapping[str, Graph] | None = None,
    rng: int | np.random.Generator | None = None,
    progress: Progress | None = None,
    beside: SecondProcess | None = None,
) -> tuple[FocalTest | None, tuple[str, ...]]:
    """Test whether the sectors of a study are focal, with the study's own choices.

    Sectors with a suppressed cell are left out. Families are all others, each base group, and ``high
    technology`` where the list of sectors has a column ``intensity`` with the level ``high``. The null of
    unequal region sizes needs base shares: those of the volumes, or several that the audit of published
    quotients allows. The multiverse sees the study's graph, neighbors up to the second order, and with
    boundaries the four nearest regions and enclaves merged with their host, as far as these graphs can be had
    and differ.

    Parameters
    ----------
    study : Study
    audit : QuotientAudit, optional
        Of published quotients; without it only the null of shuffled columns is tested.
    graphs : mapping of str to Graph, optional
        Other graphs for the multiverse, in the place of those named above.
    rng : int, Generator or None
        Seed.
    progress : callable, optional
        Called with the name of each step as it starts.
    beside : SecondProcess, optional
        As in :func:`focal_test`.

    Returns
    -------
    tuple
        The :class:`FocalTest`, or None for fewer than 5 regions or 2 sectors, and notes on what was left out.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import spatialkz
    >>> from spatialkz.specialization import audit_table
    >>> study = spatialkz.load_study()
    >>> quick = replace(study.choices, permutations=99, simulations=600)
    >>> found, notes = focal_study(replace(study, choices=quick), audit_table(study.table), rng=1)
    >>> list(found.families), notes
    (['all', 'industry', 'services', 'high technology'], ())
    """
    choices = study.choices
    quotients = table_quotients(study.table)[complete_sectors(study.table)]
    if len(quotients) < LEAST_REGIONS or quotients.shape[1] < LEAST_SECTORS:
        return None, (
            f"Whether sectors are focal was not tested: that takes at least {LEAST_REGIONS} regions and "
            f"{LEAST_SECTORS} sectors without suppressed cells, and there are {len(quotients)} and "
            f"{quotients.shape[1]}.",
        )
    others, notes = _graphs(study) if graphs is None else (graphs, ())
    shares = table_base_shares(
        study.table, audit, draws=_SHARE_DRAWS, rng=generator(rng, "plausible base shares")
    )
    # A region without base has no quotient of its own to be compared.
    shares = [choice for choice in shares if (choice > 0).all(axis=None)]
    if not shares:
        notes += (
            "Whether unequal sizes of regions explain the co-location was not tested: no base shares are "
            "known that fit the table"
            + (", with a region that has none." if study.table.kind != "quotients" else ".")
            + " Where sizes differ, shuffled columns alone reject too often.",
        )
    found = focal_test(
        quotients,
        study.graph,
        threshold=choices.threshold,
        groups=study.table.groups,
        permutations=choices.permutations,
        families=_high_technology(study, quotients.columns),
        base_shares=shares or None,
        graphs=others,
        rounding=study.table.rounding,
        simulations=choices.simulations,
        alpha=choices.alpha,
        rng=rng,
        progress=progress,
        beside=beside,
    )
    return found, notes


def check_families(study: Study) -> None:
    """Refuse groups of sectors that the focal test could not tell from all sectors.

    Raises
    ------
    InputError
        As :func:`focal_test`.
    """
    quotients = table_quotients(study.table)[complete_sectors(study.table)]
    if len(quotients) >= LEAST_REGIONS and quotients.shape[1] >= LEAST_SECTORS:
        families_of(
            quotients, study.table.groups.loc[quotients.columns], _high_technology(study, quotients.columns)
        )


def _high_technology(study: Study, tested: pd.Index) -> dict[str, list[Hashable]]:
    if "intensity" not in study.sectors:
        return {}
    sectors = [name for name in study.sectors.index[study.sectors["intensity"] == HIGH] if name in tested]
    return {"high technology": sectors} if len(sectors) >= LEAST_SECTORS else {}


def _graphs(study: Study) -> tuple[dict[str, Graph], tuple[str, ...]]:
    """Graphs beside the study's own, each different from all before it, and what could not be built."""
    others = {"second order": study.graph.higher_order(2, lower_order=True)}
    notes = []
    for recipe in _RECIPES if study.boundaries is not None else ():
        try:
            others[recipe] = neighbor_graph(study.boundaries, recipe)
        except SpatialKZError as error:
            notes.append(f"The focal test was not repeated on the graph {recipe}: {error}")
    different: dict[str, Graph] = {}
    seen = [_links(study.graph, study.table.regions)]
    for name, graph in others.items():
        links = _links(graph, study.table.regions)
        if not any(np.array_equal(links, known) for known in seen):
            different[name] = graph
            seen.append(links)
    return different, tuple(notes)


def _links(graph: Graph, regions: pd.Index) -> np.ndarray:
    """Weighted links as rows of (region, neighbor, weight), by position."""
    links = graph.adjacency.reset_index()
    places = [regions.get_indexer(links[end]) for end in ("focal", "neighbor")]
    table = np.column_stack([*places, links["weight"]])
    return table[np.lexsort((table[:, 1], table[:, 0]))]
