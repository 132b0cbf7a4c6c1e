"""Who neighbors whom: maps and lists of neighbors beside a table, and whether the study runs with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spatialkz.errors import SpatialKZError, listing
from spatialkz.geography.boundaries import map_labels, read_features, texts_of
from spatialkz.regions import resolve_regions
from spatialkz.study_init.draft import Draft
from spatialkz.study_model import check_study
from spatialkz.study_sources import StudyFiles
from spatialkz.tables import read_frame
from spatialkz.tables.labels import nearest_labels, tidy_label

_MAPS = {".gpkg", ".geojson", ".shp", ".topojson", ".kml"}


@dataclass(frozen=True)
class Beside:
    """A file beside the table that says where regions are, and every text in it that may be a region."""

    file: Path
    is_map: bool
    labels: frozenset[str]


def files_beside(folder: Path, pairs: list[Path], encoding: str | None = None) -> list[Beside]:
    """Maps, and lists of neighbors, that can be read."""
    found = []
    for file in sorted(folder.iterdir()):
        is_map = file.suffix.lower() in _MAPS
        try:
            if is_map:
                frame = read_features(file, encoding=encoding)
                columns = [frame[name] for name in frame if name != frame.geometry.name]
                labels = {text for column in columns for text in texts_of(column)}
            elif file in pairs:
                labels = {
                    tidy_label(cell)
                    for cell in read_frame(file, encoding=encoding).iloc[:, :2].to_numpy().ravel()
                }
            elif file.suffix.lower() in {".gal", ".gwt"}:
                labels = set(file.read_text(encoding="utf-8", errors="replace").split())
            else:
                continue
        except (SpatialKZError, OSError, AttributeError):
            continue
        found.append(Beside(file, is_map, frozenset(labels)))
    return found


def put_geography(draft: Draft, path: Path, beside: list[Beside]) -> None:
    """Take the map, or the list of neighbors, that has most of the regions; rename where names differ."""
    files = StudyFiles(check_study({"table": draft.table}, path.name), path.parent, path.name)
    try:
        labels = files.values(sectors=False).values.index
    except SpatialKZError as error:
        draft.questions.append(f"the table cannot be read yet: {error}")
        return
    known = {str(label) for label in labels}
    fitting = sorted(beside, key=lambda file: (-file.is_map, -len(known & file.labels)))
    if fitting and fitting[0].is_map:
        draft.geography["boundaries"] = fitting[0].file.name
        _match(draft, fitting[0].file, labels)
    elif fitting:
        draft.geography["graph"] = fitting[0].file.name
    else:
        try:
            resolve_regions(list(labels))
        except SpatialKZError:
            draft.geography["graph"] = "neighbors.csv"
            draft.questions.append(
                "who neighbors whom? Name a file of pairs as graph, or a map as boundaries, in [geography]."
            )
            return
    _try(draft, path)


def _match(draft: Draft, file: Path, labels: pd.Index) -> None:
    """Rename regions to what the map calls them, where that is likely."""
    try:
        found = map_labels(file, labels)
    except SpatialKZError as error:
        draft.questions.append(str(error))
        return
    extra = [str(label) for label in labels if label not in set(found)]
    near = nearest_labels(extra, [label for label in found if label not in set(labels)])
    if near:
        told = listing([f"{old} → {new}" for old, new in near.items()], 12)
        draft.put(
            "rename", near, question=f"names that differ from the map's were matched by likeness: {told}."
        )


def _try(draft: Draft, path: Path) -> None:
    """Whether the study can be read as it stands; what the files make necessary is filled in."""
    text = {"table": draft.table, "geography": draft.geography}
    try:
        StudyFiles(check_study(text, path.name), path.parent, path.name).study()
    except SpatialKZError as error:
        told = str(error)
        map_keys = (("clean = true", "clean", True), ("has no neighbors", "isolates", "attach"))
        for sign, key, value in map_keys if "boundaries" in draft.geography else ():
            if sign in told and key not in draft.geography:
                draft.geography[key] = value
                shown = "true" if value is True else f'"{value}"'
                draft.questions.append(f"{told} The study says {key} = {shown}.")
                _try(draft, path)
                return
        if (
            "how far numbers are rounded" in told
            and "rounding" not in draft.table
            and draft.digits is not None
        ):
            rounding = round(0.5 * 10**-draft.digits, 10)
            draft.put("rounding", rounding, question=f"{told} The study says rounding = {rounding:g}.")
            _try(draft, path)
            return
        draft.questions.append(f"it does not run yet: {error}")
