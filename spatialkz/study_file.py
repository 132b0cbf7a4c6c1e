"""The TOML form of a study: files and choices by name, for users and for the bundled studies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from spatialkz import datasets
from spatialkz.datasets import data_path
from spatialkz.errors import InputError, listing
from spatialkz.geography import (
    Queen,
    Recipe,
    as_recipe,
    graph_from_pairs,
    names_recipe,
    neighbor_graph,
    read_boundaries,
)
from spatialkz.geography.graphs import Policy
from spatialkz.regions import Vintage, boundary_source, load_boundaries, resolve_regions
from spatialkz.study import Choices, Places, Study
from spatialkz.tables import ActivityTable, read_frame, read_region_table, split_base


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

    The sections are ``[table]``, ``[regions]``, ``[sectors]``, ``[geography]``, ``[placement]``,
    ``[claims]``, ``[places]`` and ``[choices]`` (see :class:`Choices`); the guide in ``docs/own-table.md``
    shows every key.

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
    return _StudyFile(path, _toml(path)).study()


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}.") from error


def bundled_boundaries(regions: pd.DataFrame) -> gpd.GeoDataFrame | None:
    """Polygons of resolved regions under their own labels; None for regions that carry no code."""
    if "code" not in regions:
        return None
    return load_boundaries(regions["vintage"].iloc[0]).loc[regions["code"]].set_axis(regions.index, axis=0)


def region_graph(
    regions: pd.DataFrame,
    graph: Recipe | Path,
    polygons: gpd.GeoDataFrame | None = None,
    *,
    isolates: Policy = "error",
    parts: Policy = "keep",
) -> Graph:
    """Neighbor graph of a study's regions.

    Parameters
    ----------
    regions : DataFrame
        Index = region label; with columns ``code`` and ``vintage`` where the regions were resolved.
    graph : Recipe or path
        A recipe, or a file whose first two columns name neighbors by label or code.
    polygons : GeoDataFrame, optional
        The user's own boundaries, by label.
    isolates, parts : {"error", "keep", "attach"}
        What a recipe does about regions without neighbors and about a graph in parts; see
        :func:`neighbor_graph`.

    Raises
    ------
    InputError
        If a recipe is asked for and there is nothing to build it from.
    """
    coded = "code" in regions
    if isinstance(graph, Path):
        pairs = read_frame(graph).iloc[:, :2]
    elif polygons is not None:
        return neighbor_graph(polygons, graph, isolates=isolates, parts=parts)
    elif coded and graph == Queen():
        # The published list of neighbors; equal to the graph of the bundled polygons, without reading them.
        pairs = datasets.read_table(f"contiguity_{regions['vintage'].iloc[0]}")
    elif coded:
        return neighbor_graph(bundled_boundaries(regions), graph, isolates=isolates, parts=parts)
    else:
        raise InputError("Neighbors are needed: name a file of neighbor pairs, or a file of boundaries.")
    if coded:
        label_of = dict(zip(regions["code"], regions.index, strict=True))
        pairs = pairs.map(lambda name: label_of.get(name, name))
    return graph_from_pairs(pairs, regions.index)


_REGION_COLUMNS = ["code", "vintage", "name_en", "name_ru", "name_kk"]
_KEYS = {
    "": set("name title source table regions sectors geography placement claims places choices".split()),
    "table": set(
        "file region sector value where drop encoding kind unit rounding base contained groups marks".split()
    ),
    "regions": {"division"},
    "sectors": {"file"},
    "geography": set("graph isolates parts times boundaries id".split()),
    "placement": {"file"},
    "claims": {"file"},
    "places": set("policies specializations named cities prerequisites rules".split()),
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
        if path not in self.inputs:
            self.inputs.append(path)
        return path

    def study(self) -> Study:
        if "file" not in self.section("table"):
            raise InputError(f"{self.path.name}: [table] must name its file.")
        sectors = self._sectors()
        table = self._table(sectors)
        regions = self._regions(table.regions)
        section = self.section("geography")
        if "code" in regions:
            vintage = regions["vintage"].iloc[0]
            self.inputs += [
                data_path("regions.csv"),
                data_path(f"contiguity_{vintage}.csv"),
                boundary_source(),
            ]
        polygons = None
        if "boundaries" in section:
            polygons = read_boundaries(self.file(section["boundaries"]), section.get("id"))
        return Study(
            name=self.text.get("name", self.path.stem),
            title=self.text.get("title", self.text.get("name", self.path.stem)),
            source=self.text.get("source", ""),
            table=table,
            graph=region_graph(
                regions,
                self._recipe(section),
                polygons,
                isolates=section.get("isolates", "error"),
                parts=section.get("parts", "keep"),
            ),
            regions=regions,
            sectors=sectors,
            boundaries=bundled_boundaries(regions) if polygons is None else polygons,
            placement=self._placement(),
            marks=self._marks(),
            claims=self._claims(),
            places=self._places(),
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
        values = self._read_table(section, section.get("value"))
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
            groups=pd.Series({} if groups is None else groups, dtype=str),
            base=base,
            rounding=section.get("rounding", 0.0),
            contained=section.get("contained", True),
        )

    def _recipe(self, section: Mapping[str, Any]) -> Recipe | Path:
        line = section.get("graph", "queen")
        if not isinstance(line, str):
            raise InputError(f"{self.path.name}: graph must be a text, not {line!r}.")
        if not names_recipe(line):
            return self.file(line)
        times = {"table": read_frame(self.file(section["times"]))} if "times" in section else {}
        return as_recipe(line, **times)

    def _regions(self, labels: pd.Index) -> pd.DataFrame:
        division = self.section("regions").get("division")
        if division is None:
            return pd.DataFrame(index=labels)
        known = {f"kazakhstan-{vintage}": vintage for vintage in get_args(Vintage)}
        if division not in known:
            raise InputError(f"{self.path.name}: division is {division!r}; known are {listing(known)}.")
        resolved = resolve_regions(list(labels), vintage=known[division])
        return resolved[_REGION_COLUMNS].rename_axis(index="region")

    def _marks(self) -> pd.DataFrame | None:
        section = self.section("table")
        if "marks" not in section:
            return None
        return self._read_table(section, section["marks"])

    def _read_table(self, section: Mapping[str, Any], value: str | None) -> pd.DataFrame:
        return read_region_table(
            self.file(section["file"]),
            region=section.get("region"),
            sector=section.get("sector"),
            value=value,
            where=section.get("where"),
            encoding=section.get("encoding", "utf-8-sig"),
        )

    def _claims(self) -> tuple[Mapping[str, Any], ...]:
        section = self.section("claims")
        return tuple(_toml(self.file(section["file"])).get("claim", [])) if "file" in section else ()

    def _places(self) -> Places:
        section = self.section("places")
        found: dict[str, Any] = {
            name: read_frame(self.file(section[name]))
            for name in ("named", "specializations", "prerequisites")
            if name in section
        }
        sites = []
        for policy, given in section.get("policies", {}).items():
            if not isinstance(given, Mapping) or set(given) != {"file", "site"}:
                raise InputError(
                    f"{self.path.name}: [places.policies] {policy!r} must name file and site, its column."
                )
            frame = read_frame(self.file(given["file"]))
            sites.append(frame.rename(columns={given["site"]: "site"}).assign(policy=policy))
        if sites:
            found["sites"] = pd.concat(sites, ignore_index=True)[["policy", "site", "region"]]
        if "cities" in section:
            cities = read_frame(self.file(section["cities"])).set_index("region")["city"]
            found["cities"] = pd.to_numeric(cities).astype(np.int64)
        if "rules" in section:
            found["rules"] = self.file(section["rules"])
        return Places(**found)

    def _placement(self) -> pd.Series | None:
        section = self.section("placement")
        if "file" not in section:
            return None
        frame = read_frame(self.file(section["file"])).set_index("region")
        return pd.to_numeric(frame["tier"].replace("", None)).astype("Int64")
