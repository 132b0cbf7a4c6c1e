"""Write a study file for a table that was looked at: what was found is filled in, the rest is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spatialkz.errors import InputError, SpatialKZError, listing
from spatialkz.geography.boundaries import map_labels
from spatialkz.regions import resolve_regions
from spatialkz.study_file import StudyFiles
from spatialkz.study_model import check_study
from spatialkz.tables.grids import read_grid
from spatialkz.tables.labels import nearest_labels, tidy_label, without_mark
from spatialkz.tables.layout import find_table
from spatialkz.tables.numbers import USUAL_MARKS, is_number, mark_of, parse_cells
from spatialkz.tables.sums import nested_codes, total_columns, total_rows

_TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".parquet"}
_MAPS = {".gpkg", ".geojson", ".shp", ".topojson", ".kml"}
_PAIRS = re.compile(r"(neighbo|pairs|adjacen|contig|сосед)", re.IGNORECASE)
_YEARS = range(1900, 2101)
# What offices mean by a mark, most often; the study file says it aloud.
_USUAL_ZERO = {"-"}
_MOSTLY = 0.9

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


@dataclass
class _Draft:
    """Keys of a study file on their way, each with a comment."""

    table: dict[str, Any] = field(default_factory=dict)
    geography: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    def put(self, key: str, value: Any, comment: str = "", question: str = "") -> None:
        self.table[key] = value
        self.comments[key] = comment
        self.questions += [question] if question else []


def init_study(path: str | Path, *, replace: bool = False) -> StartedStudy:
    """Look at a table and write ``study.toml`` beside it, or an example into an empty folder.

    Parameters
    ----------
    path : path
        A table; or a folder with one table, or with none.
    replace : bool
        Whether a study file that exists may be replaced.

    Returns
    -------
    StartedStudy

    Raises
    ------
    InputError
        If there is no such file, the folder holds several tables, or a study file exists.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     started = init_study(folder)
    ...     print(started.path.name, sorted(file.name for file in started.path.parent.iterdir()))
    study.toml ['jobs.csv', 'neighbors.csv', 'study.toml']
    """
    path = Path(path)
    if not path.exists() and path.suffix:
        raise InputError(f"There is no file {path}.")
    folder = path.parent if path.is_file() else path
    target = folder / "study.toml"
    if target.exists() and not replace:
        raise InputError(f"There is a study file {target} already; --force replaces it.")
    if not path.is_file():
        tables = _tables(folder)
        if len(tables) > 1:
            raise InputError(f"{folder} holds several tables ({listing(tables)}); name one of them.")
        if not tables:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in _EXAMPLE.items():
                (folder / name).write_text(text, encoding="utf-8")
        path = folder / (tables[0] if tables else "jobs.csv")
    draft = _look(path)
    _geography(draft, path)
    text = _written(draft, path)
    target.write_text(text, encoding="utf-8", newline="\n")
    return StartedStudy(target, tuple(draft.notes), tuple(draft.questions))


def _tables(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(
        file.name
        for file in folder.iterdir()
        if file.suffix.lower() in _TABLES and not _PAIRS.search(file.name)
    )


def _look(path: Path) -> _Draft:
    """Read the table as it stands, and tell its shape."""
    draft = _Draft()
    layout = find_table(read_grid(path))
    draft.notes += [f"{path.name}: {'; '.join(layout.notes)}."] if layout.notes else []
    draft.put("file", path.name)
    frame = layout.frame
    names = [str(column) for column in frame]
    numeric = [column for column in names if _numeric(frame[column])]
    years = [column for column in numeric if _years(frame[column])]
    texts = [column for column in names if column not in numeric]
    counters = [column for column in numeric if _counts_rows(frame[column])]
    region = next((name for name in texts if frame[name].map(tidy_label).nunique() >= 2), names[0])
    draft.put("region", region, "column with the regions")
    labels = frame[region].map(lambda cell: without_mark(tidy_label(cell)))
    values = [column for column in numeric if column not in {*years, *counters, region}]
    if labels.is_unique:
        _wide(draft, frame, labels, region, values)
    else:
        _long(draft, frame, labels, region, values, years)
    return draft


def _numeric(column: pd.Series) -> bool:
    cells = column[column.map(lambda cell: mark_of(cell) not in USUAL_MARKS | {""})]
    return len(cells) > 0 and cells.map(is_number).mean() >= _MOSTLY


def _years(column: pd.Series) -> bool:
    texts = column.map(tidy_label)
    return bool(
        texts.map(lambda text: bool(re.fullmatch(r"\d{4}(\.0)?", text)) and int(float(text)) in _YEARS).all()
    )


def _counts_rows(column: pd.Series) -> bool:
    """Whether a column numbers the rows."""
    return [tidy_label(cell) for cell in column] == [str(k + 1) for k in range(len(column))] and len(
        column
    ) > 2


def _wide(draft: _Draft, frame: pd.DataFrame, labels: pd.Series, region: str, values: list[str]) -> None:
    others = [column for column in frame if column not in {region, *values}]
    if others:
        draft.put("drop", others, "columns that are no sectors")
    _numbers(draft, frame[values].set_axis(labels, axis=0))


def _long(
    draft: _Draft, frame: pd.DataFrame, labels: pd.Series, region: str, values: list[str], years: list[str]
) -> None:
    where: dict[str, Any] = {}
    for column in years:
        found = sorted({int(float(tidy_label(cell))) for cell in frame[column]})
        if len(found) > 1:
            where[column] = found[-1]
            draft.questions.append(f"{column} = {found[-1]} was taken out of {listing(found, 12)}.")
    kept = frame
    for column, year in where.items():
        kept = kept[kept[column].map(lambda cell, year=year: int(float(tidy_label(cell))) == year)]
    if where:
        draft.put("where", where, "rows to keep")
    labels = labels.loc[kept.index]
    if labels.is_unique:
        draft.put(
            "drop", [c for c in frame if c not in {region, *values, *where}], "columns that are no sectors"
        )
        if not draft.table["drop"]:
            del draft.table["drop"]
        _numbers(draft, kept[values].set_axis(labels, axis=0))
        return
    others = [str(column) for column in frame if column not in {region, *years}]
    keys = [column for column in others if _tells_apart(kept, labels, column)]
    if not keys or not values:
        draft.put(
            "sector", "?", "column with the sectors", "which column holds the sectors, and which the values?"
        )
        draft.put("value", "?", "column with the values")
        return
    sector = next((column for column in keys if column not in values), keys[0])
    values = [column for column in values if column != sector]
    whole = [column for column in values if _whole(kept[column])]
    value = (whole or values)[0]
    draft.put("sector", sector, "column with the sectors")
    more = [column for column in values if column != value]
    draft.put(
        "value",
        value,
        f"column with the values; others: {listing(more, 8)}" if more else "column with the values",
    )
    if more:
        draft.questions.append(
            f"the values are {value!r}; the other columns with numbers are {listing(more, 8)}."
        )
    sectors = kept[sector].map(tidy_label)
    wide = pd.DataFrame({"region": labels, "sector": sectors, "value": kept[value]}).pivot(
        index="region", columns="sector", values="value"
    )
    wide = wide.loc[labels.unique(), sectors.unique()].astype(object)
    absent = len(wide) * wide.shape[1] - len(kept)
    if absent:
        draft.put(
            "absent", "zero", 'what a pair without a row means: zero, or "suppressed"',
            f"{absent} region × sector pairs have no row and were taken as zero; are they?",
        )  # fmt: skip
        wide = wide.where(wide.notna(), 0)
    _numbers(draft, wide)


def _tells_apart(frame: pd.DataFrame, labels: pd.Series, column: str) -> bool:
    both = pd.DataFrame({"region": labels, "other": frame[column].map(tidy_label)})
    return both["other"].nunique() > 1 and not both.duplicated().any()


def _whole(column: pd.Series) -> bool:
    return all(
        re.fullmatch(r"[\d\s\u00a0]+([.,]0*)?", tidy_label(cell)) for cell in column if is_number(cell)
    )


def _numbers(draft: _Draft, cells: pd.DataFrame) -> None:
    """What the cells of a table of regions × sectors are, and which of its margins are sums."""
    marks: dict[str, str] = {}
    for cell in cells.to_numpy().ravel():
        if not is_number(cell) and mark_of(cell) in USUAL_MARKS | {""}:
            mark = tidy_label(cell)
            marks[mark] = "zero" if mark_of(cell) in _USUAL_ZERO else "suppressed"
    if marks:
        draft.put("unknown", marks, "what marks mean: zero, suppressed (not published), or flag")
        told = listing([f"{mark or 'an empty cell'} as {meaning}" for mark, meaning in marks.items()])
        draft.questions.append(f"marks in the place of numbers were taken so: {told}.")
    lines = cells.reset_index(drop=True)
    lines.columns = pd.RangeIndex(lines.shape[1]).astype(str)
    try:
        parsed = parse_cells(
            lines, list(lines.columns), source=str(draft.table["file"]), unknown=marks
        ).numbers
    except InputError as error:
        draft.put("decimal", ",", "decimal mark", f"{error}")
        parsed = parse_cells(
            lines, list(lines.columns), source=str(draft.table["file"]), unknown=marks, decimal=","
        ).numbers
    values = parsed.set_axis(cells.index, axis=0).set_axis(cells.columns, axis=1)
    rows = list(total_rows(values))
    if rows:
        draft.put("total", rows[0], "row with the national total")
        if rows[1:]:
            draft.put("drop_regions", rows[1:], "rows that are no regions")
        values = values.drop(index=rows)
    columns = list(total_columns(values))
    if columns:
        draft.put("base", columns[0], "column with the total of each region")
        values = values.drop(columns=columns)
        if columns[1:]:
            draft.put("drop", [*draft.table.get("drop", []), *columns[1:]], "columns that are no sectors")
    nowhere = [str(column) for column in values if (values[column] == 0).all()]
    if nowhere:
        draft.put("drop", [*draft.table.get("drop", []), *nowhere], "columns that are no sectors, or empty")
        draft.questions.append(f"{listing(nowhere)} have no activity anywhere and were left out.")
        values = values.drop(columns=nowhere)
    inner = sorted({other for others in nested_codes(values).values() for other in others})
    if inner:
        draft.put(
            "drop", [*draft.table.get("drop", []), *inner], "columns that are no sectors, or parts of one"
        )
        draft.questions.append(
            f"{listing(inner)} were left out as parts of other sectors; or leave those out instead."
        )
    _kind(draft, values.to_numpy(dtype=float))


def _kind(draft: _Draft, values: np.ndarray) -> None:
    known = values[np.isfinite(values)]
    quotients = (
        len(known)
        and known.max() < 100
        and not (known == np.round(known)).all()
        and 0.1 < np.median(known) < 3
    )
    if quotients and "base" not in draft.table and "total" not in draft.table:
        kind, why = "quotients", "the numbers look like published location quotients"
        draft.put("rounding", 0.005, "half of the last printed digit")
    elif (known == np.round(known)).all():
        kind, why = "counts", "all numbers are whole"
    else:
        kind, why = "volumes", "not all numbers are whole"
    draft.put(
        "kind", kind, "volumes (money, tonnes), counts (jobs, plants) or quotients (published)",
        f"kind = {kind}, for {why}; is that so?",
    )  # fmt: skip


def _geography(draft: _Draft, path: Path) -> None:
    """Find who neighbors whom, and where names differ."""
    beside = sorted(path.parent.iterdir())
    maps = [file.name for file in beside if file.suffix.lower() in _MAPS]
    pairs = [
        file.name
        for file in beside
        if file.suffix.lower() in {".gal", ".gwt"}
        or (file.suffix.lower() in _TABLES and _PAIRS.search(file.name))
    ]
    files = StudyFiles(check_study({"table": draft.table}, path.name), path.parent, path.name)
    try:
        labels = files.values(sectors=False).values.index
    except SpatialKZError as error:
        draft.questions.append(f"the table cannot be read yet: {error}")
        return
    if maps:
        draft.geography["boundaries"] = maps[0]
        _match(draft, path.parent / maps[0], labels)
    elif pairs:
        draft.geography["graph"] = pairs[0]
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


def _match(draft: _Draft, file: Path, labels: pd.Index) -> None:
    """Rename regions to what the map calls them, where that is likely."""
    try:
        found = map_labels(file, labels)
    except SpatialKZError as error:
        draft.questions.append(str(error))
        return
    extra = [str(label) for label in labels if label not in set(found)]
    near = nearest_labels(extra, [label for label in found if label not in set(labels)])
    if near:
        draft.put("rename", near, "names of the table → names of the map")
        told = listing([f"{old} → {new}" for old, new in near.items()], 12)
        draft.questions.append(f"names that differ from the map's were matched by likeness: {told}.")


def _try(draft: _Draft, path: Path) -> None:
    """Whether the study can be read as it stands; what the map makes necessary is filled in."""
    text = {"table": draft.table, "geography": draft.geography}
    try:
        StudyFiles(check_study(text, path.name), path.parent, path.name).study()
    except SpatialKZError as error:
        for sign, key, value in (("clean = true", "clean", True), ("has no neighbors", "isolates", "attach")):
            if sign in str(error) and "boundaries" in draft.geography and key not in draft.geography:
                draft.geography[key] = value
                draft.questions.append(f"{error} The study says {key} = {_toml(value)}.")
                _try(draft, path)
                return
        draft.questions.append(f"it does not run yet: {error}")


def _written(draft: _Draft, path: Path) -> str:
    """The study file, with what is left to its default as comments."""
    lines = [
        f"# A study of {path.name}; paths are relative to this file. Check the lines marked with a question.",
        f"name = {_toml(path.stem)}",
        f"title = {_toml(path.stem)}",
        "",
        "[table]",
    ]
    lines += [_line(key, value, draft.comments.get(key, "")) for key, value in draft.table.items()]
    for key, comment in (
        ("unit", '"jobs"   # unit of the numbers, for captions'),
        ("base", '"total"   # column or file with the base of each region; left out: the sum of its row'),
        ("drop", '["column"]   # columns that are no sectors'),
        ("decimal", '","   # where the cells leave the decimal mark open'),
    ):
        if key not in draft.table:
            lines.append(f"# {key} = {comment}")
    lines += [
        "",
        "# [table.groups]   # sector -> base group, if sectors are compared within groups",
        "",
        "[geography]",
    ]
    lines += [_line(key, value, "") for key, value in draft.geography.items()]
    for key, comment in (
        ("boundaries", '"map.gpkg"   # polygons; without them there is no map, all else stays'),
        ("graph", '"queen"   # a recipe, or a file of neighbors: pairs, GAL, GWT'),
        ("isolates", '"error"   # a region without neighbors: error, keep, attach'),
    ):
        if key not in draft.geography:
            lines.append(f"# {key} = {comment}")
    lines += ["", "[choices]", "# threshold = 1.0   # quotient from which a region counts as specialized", ""]
    return "\n".join(lines)


def _line(key: str, value: Any, comment: str) -> str:
    return f"{key} = {_toml(value)}" + (f"   # {comment}" if comment else "")


def _toml(value: Any) -> str:
    """A value as TOML writes it; JSON's texts and lists are TOML's."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(cell)}" for key, cell in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_toml(cell) for cell in value)}]"
    return json.dumps(value, ensure_ascii=False)
