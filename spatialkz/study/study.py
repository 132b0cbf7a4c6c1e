"""Study: a table of regions × sectors with its geography and the choices made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz.errors import InputError, RegionError, listing
from spatialkz.geography import aligned
from spatialkz.results import Shown
from spatialkz.tables import (
    ActivityTable,
    Covariates,
    Panel,
    check_labels,
    check_same_regions,
    covariate_table,
    prerequisite_quotients,
    require_labels,
)
from spatialkz.tables.prerequisites import PREREQUISITE_COLUMNS

_LEAST_REGIONS = 4


@dataclass(frozen=True)
class Choices:
    """The numbers a study decides on, each with its default.

    Attributes
    ----------
    threshold : float
        Location quotient from which a region counts as specialized.
    alpha : float
        Level of the tests.
    permutations : int
        Permutations of each test.
    resamples : int
        Bootstrap resamples behind the stability of clusters.
    draws : int
        Monte-Carlo draws behind the rank intervals.
    simulations : int
        Simulated tables behind the comparison of models in the focal test.
    clusters : int, optional
        Number of groups that are shown as a description of the regions; left out, two tests decide whether
        there are any, and the silhouette how many.
    """

    threshold: float = 1.0
    alpha: float = 0.05
    permutations: int = 9999
    resamples: int = 100
    draws: int = 10_000
    simulations: int = 12_000
    clusters: int | None = None

    def __post_init__(self) -> None:
        for choice, low, high in (
            ("threshold", 1e-9, 1e9),
            ("alpha", 1e-9, 0.5),
            ("permutations", 99, 10_000_000),
            ("resamples", 10, 100_000),
            ("draws", 100, 10_000_000),
            ("simulations", 600, 10_000_000),
            ("clusters", 2, 10_000),
        ):
            value, kind = getattr(self, choice), type(getattr(Choices, choice))
            if choice == "clusters" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
                raise InputError(f"The choice {choice} is {value!r}; a number was expected.")
            if not low <= value <= high:
                raise InputError(f"The choice {choice} is {value:g}; it must lie from {low:g} to {high:g}.")


@dataclass(frozen=True)
class StudyContext:
    """What is known of the regions beside the table; enters no score.

    Attributes
    ----------
    sites : DataFrame
        Growth points (special zones, technoparks): columns ``policy, site, region``.
    specializations : DataFrame
        Which sectors they are named for: columns ``policy, site, named, sector, reason``.
    named : DataFrame
        Places the source speaks of: columns ``site, kind, region``.
    cities : Series
        Region → 1 for a city that is a region of its own, else 0.
    prerequisites : DataFrame
        What regions have to build on, each against a base: columns ``region, indicator, value, base``.
    covariates : DataFrame
        What else may go with specialization, in the same form; base NaN where the value counts by itself.
    covariate_list : DataFrame, optional
        Which covariates the study has and what each is: the columns of
        :func:`spatialkz.tables.covariate_table`. Left out, all that is known of the regions.
    rules : Path, optional
        Rules for types of district, as TOML.
    """

    sites: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["policy", "site", "region"]))
    specializations: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["policy", "site", "named", "sector", "reason"])
    )
    named: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["site", "kind", "region"]))
    cities: pd.Series = field(default_factory=lambda: pd.Series(dtype=np.int64))
    prerequisites: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PREREQUISITE_COLUMNS))
    covariates: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PREREQUISITE_COLUMNS))
    covariate_list: pd.DataFrame | None = None
    rules: Path | None = None


@dataclass(frozen=True)
class Origin:
    """From where a study was read.

    Attributes
    ----------
    folder : Path
        Where relative paths begin.
    file : str
        The study file, or the table where there is none.
    content : mapping
        Content of the study file with what a command changed, as in JSON.
    """

    folder: Path
    file: str
    content: Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Study(Shown):
    """Everything a run needs: activity, geography, names and choices.

    Attributes
    ----------
    name : str
        Short name, used for files.
    table : ActivityTable
        Regions × sectors.
    graph : libpysal.graph.Graph
        Who neighbors whom, keyed by the region labels of the table.
    title, source : str
        For captions.
    regions : DataFrame
        Index = region label; ``code, name_en, name_ru, name_kk``. Left out, the labels are the names.
    sectors : DataFrame
        Index = sector label; ``name_en, name_ru, name_kk`` and ``role`` (``knowledge`` and ``research`` mark
        the sectors of the knowledge base). Left out, the labels are the names.
    boundaries : GeoDataFrame, optional
        Polygons by region label; without them there is no map, all else stays.
    placement : Series, optional
        An expert tier by region, for comparison only: no score reads it.
    marks : DataFrame, optional
        Which cells the source marks as reaching the threshold (bold type), shaped like the table.
    claims : tuple of mappings
        What the source says of its table, for :func:`spatialkz.specialization.check_claims`.
    context : StudyContext
        Growth points, cities, and rules for types of district.
    choices : Choices
    panel : Panel, optional
        The tables of all periods, of which ``table`` is one.
    inputs : tuple of Path
        The files the study was read from.
    notes : tuple of str
        What was told from their content, left out or cut, one sentence each.
    origin : Origin, optional
        From where it was read, so that it can be read again.

    Raises
    ------
    InputError, RegionError, GraphError
        If the parts do not fit together; the whole study is checked before anything is computed.

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study("kazakhstan-2022")
    >>> study.table.values.shape, study.choices.threshold
    ((17, 11), 1.0)
    """

    name: str
    table: ActivityTable
    graph: Graph
    title: str = ""
    source: str = ""
    regions: pd.DataFrame = field(default_factory=pd.DataFrame)
    sectors: pd.DataFrame = field(default_factory=pd.DataFrame)
    boundaries: gpd.GeoDataFrame | None = None
    placement: pd.Series | None = None
    marks: pd.DataFrame | None = None
    claims: tuple[Mapping[str, Any], ...] = ()
    context: StudyContext = field(default_factory=StudyContext)
    choices: Choices = field(default_factory=Choices)
    panel: Panel | None = None
    inputs: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        labels = self.table.regions
        if len(labels) < _LEAST_REGIONS:
            raise InputError(
                f"A study needs at least {_LEAST_REGIONS} regions; the table has {len(labels)} "
                f"({listing(labels)})."
            )
        object.__setattr__(self, "graph", aligned(self.graph, labels))
        object.__setattr__(self, "regions", _with_names(self.regions, labels, "region"))
        object.__setattr__(self, "sectors", _with_names(self.sectors, self.table.sectors, "sector"))
        if self.panel is not None:
            check_same_regions(self.panel.regions, labels, "the panel of periods")
        if self.boundaries is not None:
            check_same_regions(self.boundaries.index, labels, "the boundaries file")
            object.__setattr__(self, "boundaries", self.boundaries.loc[labels])
        if self.placement is not None:
            check_same_regions(self.placement.index, labels, "the expert placement")
            object.__setattr__(self, "placement", self.placement.loc[labels].astype("Int64").rename("tier"))

        for name, regions in (
            ("The list of growth points", self.context.sites["region"]),
            ("The list of named places", self.context.named["region"]),
            ("The list of cities", self.context.cities.index),
        ):
            unknown = pd.Index(regions).unique().difference(labels)
            if len(unknown):
                raise RegionError(f"{name} has regions that the table lacks: {listing(unknown)}.")
        for name, rows in (
            ("prerequisites", self.context.prerequisites),
            ("covariates", self.context.covariates),
        ):
            if len(rows):
                check_same_regions(pd.Index(rows["region"].unique()), labels, f"the table of {name}")
        if len(self.context.prerequisites):
            prerequisite_quotients(self.context.prerequisites)
        if self.marks is not None:
            check_same_regions(self.marks.index, labels, "the table of marks")
            object.__setattr__(self, "marks", self.marks.loc[labels, self.table.sectors].astype(bool))

    def summary(self) -> str:
        """What is studied, of which regions and sectors, and with which choices."""
        links = len(self.graph.adjacency) - len(self.graph.isolates)
        lines = [
            f"Study {self.name}{f': {self.title}' if self.title else ''}",
            self.table.summary(),
            f"Neighbors: {links / len(self.regions):.1f} a region, {len(self.graph.isolates)} isolates; "
            f"boundaries: {'no' if self.boundaries is None else 'yes'}",
            "Choices: "
            + ", ".join(
                f"{name} {value:g}" for name, value in vars(self.choices).items() if value is not None
            ),
        ]
        if self.panel is not None:
            periods = self.panel.periods
            lines.append(f"Periods: {len(periods)}, from {periods[0]} to {periods[-1]}")
        lines += [f"Source: {self.source}"] if self.source else []
        lines += self.notes
        return "\n".join(lines)

    @property
    def covariates(self) -> Covariates | None:
        """What is known of the regions that may go with their specialization; None if nothing is.

        Prerequisites (value over base), the table of covariates, ``city`` (1 for a city that is a region of
        its own), and for each policy the number of its sites; those of the study's list of covariates, if it
        has one.

        Raises
        ------
        InputError
            If the list names what none of these has, or a sector that the table lacks; a study file is
            checked for that when it is read. Further as :func:`spatialkz.tables.covariate_table`.
        """
        context = self.context
        frames = [
            frame.astype({"value": np.float64, "base": np.float64})
            for frame in (context.prerequisites[PREREQUISITE_COLUMNS], context.covariates)
            if len(frame)
        ]
        counts = pd.DataFrame(index=self.table.regions)
        if len(context.cities):
            counts["city"] = context.cities.reindex(counts.index, fill_value=0)
        sites = context.sites.drop_duplicates()
        for policy in pd.concat([sites["policy"], context.specializations["policy"]]).unique():
            found = sites.loc[sites["policy"] == policy, "region"].value_counts()
            counts[policy] = found.reindex(counts.index, fill_value=0)
        if counts.shape[1]:
            rows = counts.rename_axis(index="region").reset_index().melt("region", var_name="indicator")
            frames.append(rows.astype({"value": np.float64}).assign(base=np.nan))
        if not frames:
            return None
        known = covariate_table(pd.concat(frames, ignore_index=True), context.covariate_list)
        require_labels(
            [sector for sector, _ in known.same_activity],
            self.table.sectors,
            "The list of covariates has in same_activity:",
        )
        return replace(known, values=known.values.loc[self.table.regions])

    @property
    def policies(self) -> dict[str, pd.DataFrame]:
        """Policy → which sectors its sites are named for in which region, regions × sectors, bool.

        Empty for a study that does not say which sectors the sites are named for.
        """
        context, found = self.context, {}
        cells = context.sites.merge(context.specializations, on=["policy", "site"])
        cells = cells[cells["sector"].isin(self.table.sectors)]
        for policy, part in cells.groupby("policy", sort=False):
            named = pd.crosstab(part["region"], part["sector"]) > 0
            found[str(policy)] = named.reindex(
                index=self.table.regions, columns=self.table.sectors, fill_value=False
            )
        return found

    def region_names(self, lang: str = "en") -> pd.Series:
        """Names of the regions in ``en``, ``ru`` or ``kk``, by label."""
        return self.regions[f"name_{lang}"]

    def sector_names(self, lang: str = "en") -> pd.Series:
        """Names of the sectors in ``en``, ``ru`` or ``kk``, by label."""
        return self.sectors[f"name_{lang}"]


def _with_names(frame: pd.DataFrame, labels: pd.Index, what: str) -> pd.DataFrame:
    """Attributes of all ``labels``, the label itself standing in where a name is not given."""
    if frame.empty:
        frame = pd.DataFrame(index=labels)
    check_labels(frame.index, what)
    missing = labels.difference(frame.index)
    if len(missing):
        raise InputError(f"The list of {what}s lacks {listing(missing)}.")
    frame = frame.loc[labels]
    text = pd.Series(labels.astype(str), index=labels)
    names: dict[str, pd.Series] = {}
    for lang, instead in (("en", text), ("ru", None), ("kk", None)):
        fallback = names["name_en"] if instead is None else instead
        given = frame.get(f"name_{lang}", fallback)
        names[f"name_{lang}"] = given.where(given.notna() & (given != ""), fallback)
    if what == "sector" and "role" in frame:
        names["role"] = frame["role"].fillna("")
    return frame.assign(**names)
