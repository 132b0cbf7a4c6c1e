"""Write a study file for a table that was looked at: what was found is filled in, the rest is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spatialkz.errors import InputError, OutputError, SpatialKZError, listing
from spatialkz.geography.boundaries import map_labels, read_features, texts_of
from spatialkz.regions import resolve_regions
from spatialkz.study.draft import Draft
from spatialkz.study.files import StudyFiles
from spatialkz.study.looking import look
from spatialkz.study.schema import check_study
from spatialkz.tables import read_frame
from spatialkz.tables.labels import nearest_labels, tidy_label
from spatialkz.tables.reading.options import FileOptions
from spatialkz.writing import replaced_file

_TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".parquet"}
_MAPS = {".gpkg", ".geojson", ".shp", ".topojson", ".kml"}
_PAIRS = re.compile(r"(neighbo|nachbar|pairs|adjacen|contig|сосед|көрші)", re.IGNORECASE)

_EXAMPLE = {
    "jobs.csv": "region;steel;software;tourism\nNorth;1204,5;87;40\nEast;310;95,5;12\nSouth;55;455,2;160\n"
    "West;420;130;75\nCity;20;1310;230\n",
    "neighbors.csv": "region;neighbor\nNorth;East\nNorth;West\nEast;South\nSouth;West\nSouth;City\n",
}


@dataclass(frozen=True)
class StartedStudy:
    """A study file that was written; made by :func:`init_study`.

    Attributes
    ----------
    path : Path
        The study file.
    notes : tuple of str
        What was found in the table.
    questions : tuple of str
        What is for the user to check or to fill in.
    """

    path: Path
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


def init_study(
    path: str | Path, *, replace: bool = False, options: FileOptions | None = None
) -> StartedStudy:
    """Look at a table and write ``study.toml`` beside it, or an example into an empty folder.

    Parameters
    ----------
    path : path
        A table; or a folder with one table, or with none.
    replace : bool
        Whether a study file that exists may be replaced.
    options : FileOptions, optional
        How the table is read, where its content does not tell; goes into the study file.

    Returns
    -------
    StartedStudy

    Raises
    ------
    InputError
        If there is no such file, the folder holds several tables, or a study file exists.
    OutputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     started = init_study(folder)
    ...     print(started.path.name, sorted(file.name for file in started.path.parent.iterdir()))
    study.toml ['jobs.csv', 'neighbors.csv', 'study.toml']
    """
    path = Path(path)
    if str(path) == "-":
        raise InputError(
            "A study file names its table, so standard input has none; save the table as a file."
        )
    if path.suffix == ".toml" and path.is_file():
        raise InputError(f"{path} is a study file already; name the table that a new one is for.")
    if not path.exists() and path.suffix:
        raise InputError(f"There is no file {path}.")
    folder = path.parent if path.is_file() else path
    target = folder / "study.toml"
    if target.exists() and not replace:
        raise InputError(f"There is a study file {target} already; --force replaces it.")
    if not path.is_file():
        path = folder / _only_table(folder)
    options = options or FileOptions()
    pairs = [file for file in folder.iterdir() if _lists_pairs(file)]
    beside = files_beside(folder, pairs, options.encoding)
    places = frozenset().union(*(file.labels for file in beside))
    draft = look(path, options, places)
    put_geography(draft, path, beside)
    with replaced_file(target) as scratch:
        scratch.write_text(draft.written(path), encoding="utf-8", newline="\n")
    return StartedStudy(target, tuple(draft.notes), tuple(draft.questions))


def _only_table(folder: Path) -> str:
    """The table of a folder; the example is written into one that has none."""
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    tables = [file.name for file in there if file.suffix.lower() in _TABLES and not _lists_pairs(file)]
    if len(tables) > 1:
        raise InputError(f"{folder} holds several tables ({listing(tables)}); name one of them.")
    if tables:
        return tables[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _EXAMPLE.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}.") from error
    return "jobs.csv"


def _lists_pairs(file: Path) -> bool:
    return file.suffix.lower() in _TABLES and bool(_PAIRS.search(file.stem))


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
