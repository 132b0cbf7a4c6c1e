"""Study: a table of regions × sectors with its geography and the choices made, and its TOML form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import pandas as pd
from libpysal.graph import Graph

from spatialkz import datasets
from spatialkz.errors import InputError, listing
from spatialkz.geography import Recipe, aligned, graph_from_pairs, neighbor_graph, read_boundaries
from spatialkz.regions import Vintage, load_boundaries, resolve_regions
from spatialkz.tables import (
    ActivityTable,
    check_labels,
    check_same_regions,
    read_frame,
    read_region_table,
    split_base,
)

LANGUAGES = ("en", "ru", "kk")


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
    """

    threshold: float = 1.0
    alpha: float = 0.05
    permutations: int = 9999
    resamples: int = 100
    draws: int = 10_000

    def __post_init__(self) -> None:
        for choice, low, high in (
            ("threshold", 1e-9, 1e9),
            ("alpha", 1e-9, 0.5),
            ("permutations", 99, 10_000_000),
            ("resamples", 10, 100_000),
            ("draws", 100, 10_000_000),
        ):
            value, kind = getattr(self, choice), type(getattr(Choices, choice))
            if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
                raise InputError(f"The choice {choice} is {value!r}; a number was expected.")
            if not low <= value <= high:
                raise InputError(f"The choice {choice} is {value:g}; it must lie from {low:g} to {high:g}.")


@dataclass(frozen=True)
class Study:
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
        Index = sector label; ``name_en, name_ru, name_kk`` and ``role`` (``knowledge`` marks the sectors of
        the knowledge base). Left out, the labels are the names.
    boundaries : GeoDataFrame, optional
        Polygons by region label; without them there is no map, all else stays.
    placement : Series, optional
        An expert tier by region, for comparison only: no score reads it.
    choices : Choices
    inputs : tuple of Path
        The files the study was read from.

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
    choices: Choices = field(default_factory=Choices)
    inputs: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        labels = self.table.regions
        object.__setattr__(self, "graph", aligned(self.graph, labels))
        object.__setattr__(self, "regions", _with_names(self.regions, labels, "region"))
        object.__setattr__(self, "sectors", _with_names(self.sectors, self.table.sectors, "sector"))
        if self.boundaries is not None:
            check_same_regions(self.boundaries.index, labels, "the boundaries file")
            object.__setattr__(self, "boundaries", self.boundaries.loc[labels])
        if self.placement is not None:
            check_same_regions(self.placement.index, labels, "the expert placement")
            object.__setattr__(self, "placement", self.placement.loc[labels].astype("Int64").rename("tier"))

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
    if what == "sector":
        names["role"] = frame.get("role", pd.Series("", index=labels)).fillna("")
    return frame.assign(**names)


def list_studies() -> pd.DataFrame:
    """List the bundled studies: index ``name``, columns ``title, regions, sectors, kind``.

    Examples
    --------
    >>> print(*list_studies().loc["kazakhstan-2022", ["regions", "sectors", "kind"]])
    17 11 quotients
    """
    studies = [load_study(name) for name in datasets.study_names()]
    rows = [
        {
            "name": study.name,
            "title": study.title,
            "regions": len(study.table.regions),
            "sectors": len(study.table.sectors),
            "kind": study.table.kind,
        }
        for study in studies
    ]
    return pd.DataFrame(rows).set_index("name")


def load_study(name: str = "kazakhstan-2022") -> Study:
    """Load a bundled study by name; without a name, Table 1 of Dnishev, Alzhanova & Satpayeva (2022).

    Raises
    ------
    InputError
        If no bundled study has that name.

    Examples
    --------
    >>> load_study().table.kind
    'quotients'
    """
    return read_study(datasets.study_file(name))


def read_study(path: str | Path) -> Study:
    """Read a study from its TOML file; paths in it are relative to the file.

    The sections are ``[table]`` (``file``, ``region``, ``sector``, ``value``, ``where``, ``drop``, ``kind``,
    ``unit``, ``rounding``, ``base``, ``groups``), ``[regions]`` (``division``), ``[sectors]`` (``file``),
    ``[geography]`` (``graph``, ``boundaries``, ``id``), ``[placement]`` (``file``) and ``[choices]`` (see
    :class:`Choices`); the guide in ``docs/own-table.md`` walks through them.

    Parameters
    ----------
    path : path
        A TOML file.

    Returns
    -------
    Study

    Raises
    ------
    InputError, RegionError, GraphError
        If a key is unknown, a file unreadable, or the parts do not fit together.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no study file {path}.")
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}.") from error
    return _StudyFile(path, text).study()


def bundled_boundaries(regions: pd.DataFrame) -> gpd.GeoDataFrame | None:
    """Polygons of resolved regions under their own labels; None for regions that carry no code."""
    if "code" not in regions:
        return None
    return load_boundaries(regions["vintage"].iloc[0]).loc[regions["code"]].set_axis(regions.index, axis=0)


def region_graph(
    regions: pd.DataFrame, graph: Recipe | Path, polygons: gpd.GeoDataFrame | None = None
) -> Graph:
    """Neighbor graph of a study's regions.

    Parameters
    ----------
    regions : DataFrame
        Index = region label; with columns ``code`` and ``vintage`` where the regions were resolved.
    graph : {"queen", "rook"} or path
        A recipe, or a file whose first two columns name neighbors by label or code.
    polygons : GeoDataFrame, optional
        The user's own boundaries, by label.

    Raises
    ------
    InputError
        If a recipe is asked for and there is nothing to build it from.
    """
    coded = "code" in regions
    if isinstance(graph, Path):
        pairs = read_frame(graph).iloc[:, :2]
    elif polygons is not None:
        return neighbor_graph(polygons, graph)
    elif coded and graph == "queen":
        # The published list of neighbors; equal to the graph of the bundled polygons, without reading them.
        pairs = datasets.read_table(f"contiguity_{regions['vintage'].iloc[0]}")
    elif coded:
        return neighbor_graph(bundled_boundaries(regions), graph)
    else:
        raise InputError("Neighbors are needed: name a file of neighbor pairs, or a file of boundaries.")
    if coded:
        label_of = dict(zip(regions["code"], regions.index, strict=True))
        pairs = pairs.map(lambda name: label_of.get(name, name))
    return graph_from_pairs(pairs, regions.index)


_REGION_COLUMNS = ["code", "vintage", "name_en", "name_ru", "name_kk"]
_KEYS = {
    "": {"name", "title", "source", "table", "regions", "sectors", "geography", "placement", "choices"},
    "table": {
        "file",
        "region",
        "sector",
        "value",
        "where",
        "drop",
        "kind",
        "unit",
        "rounding",
        "base",
        "groups",
    },
    "regions": {"division"},
    "sectors": {"file"},
    "geography": {"graph", "boundaries", "id"},
    "placement": {"file"},
    "choices": {choice.name for choice in fields(Choices)},
}


class _StudyFile:
    """A parsed TOML file on its way to a Study; remembers which files it touched."""

    def __init__(self, path: Path, text: Mapping[str, Any]) -> None:
        self.path = path
        self.inputs = [path]
        for section, known in _KEYS.items():
            found = text if not section else text.get(section, {})
            if not isinstance(found, Mapping):
                raise InputError(f"{path.name}: [{section}] must be a section, not {found!r}.")
            unknown = sorted(set(found) - known)
            if unknown:
                where = f"[{section}]" if section else "the top"
                names = listing(sorted(known), 20)
                raise InputError(
                    f"{path.name}: unknown key {listing(unknown)} in {where}; known are {names}."
                )
        self.text = text

    def section(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.text.get(name, {})
        return found

    def file(self, name: str) -> Path:
        path = (self.path.parent / name).resolve()
        self.inputs.append(path)
        return path

    def study(self) -> Study:
        if "file" not in self.section("table"):
            raise InputError(f"{self.path.name}: [table] must name its file.")
        sectors = self._sectors()
        table = self._table(sectors)
        regions = self._regions(table.regions)
        section = self.section("geography")
        polygons = None
        if "boundaries" in section:
            polygons = read_boundaries(self.file(section["boundaries"]), section.get("id"))
        recipe = section.get("graph", "queen")
        return Study(
            name=self.text.get("name", self.path.stem),
            title=self.text.get("title", self.text.get("name", self.path.stem)),
            source=self.text.get("source", ""),
            table=table,
            graph=region_graph(
                regions, recipe if recipe in get_args(Recipe) else self.file(recipe), polygons
            ),
            regions=regions,
            sectors=sectors,
            boundaries=bundled_boundaries(regions) if polygons is None else polygons,
            placement=self._placement(),
            choices=Choices(**self.section("choices")),
            inputs=tuple(self.inputs),
        )

    def _sectors(self) -> pd.DataFrame:
        section = self.section("sectors")
        if "file" not in section:
            return pd.DataFrame()
        frame = read_frame(self.file(section["file"])).set_index("sector", drop=True)
        return frame.rename_axis(index="sector")

    def _table(self, sectors: pd.DataFrame) -> ActivityTable:
        section = self.section("table")
        values = read_region_table(
            self.file(section["file"]),
            region=section.get("region"),
            sector=section.get("sector"),
            value=section.get("value"),
            where=section.get("where"),
        )
        unknown = sorted(set(section.get("drop", [])) - set(values.columns))
        if unknown:
            raise InputError(
                f"{self.path.name}: drop names {listing(unknown)}, which the table does not have."
            )
        values = values.drop(columns=section.get("drop", []))
        base = section.get("base")
        if base is not None:
            if base not in values.columns:
                self.file(base)
            values, base = split_base(values, base, self.path.parent)
        groups = section.get("groups")
        if groups is None and "group" in sectors:
            groups = sectors["group"]
        return ActivityTable(
            values,
            kind=section.get("kind", "volumes"),
            unit=section.get("unit", ""),
            groups=None if groups is None else pd.Series(groups),
            base=base,
            rounding=section.get("rounding", 0.0),
        )

    def _regions(self, labels: pd.Index) -> pd.DataFrame:
        division = self.section("regions").get("division")
        if division is None:
            return pd.DataFrame(index=labels)
        known = {f"kazakhstan-{vintage}": vintage for vintage in get_args(Vintage)}
        if division not in known:
            raise InputError(f"{self.path.name}: division is {division!r}; known are {listing(known)}.")
        resolved = resolve_regions(list(labels), vintage=known[division])
        return resolved[_REGION_COLUMNS].rename_axis(index="region")

    def _placement(self) -> pd.Series | None:
        section = self.section("placement")
        if "file" not in section:
            return None
        frame = read_frame(self.file(section["file"])).set_index("region")
        return pd.to_numeric(frame["tier"].replace("", None)).astype("Int64")
