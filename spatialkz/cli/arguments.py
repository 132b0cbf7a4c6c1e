"""Arguments that commands share: where the input is and how it is read, for a study or a bare table alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from spatialkz.errors import InputError, OutputError
from spatialkz.options import AbsentPair, DecimalMark, GraphPolicy, NumberKind, Vintage
from spatialkz.writing import check_ending

if TYPE_CHECKING:
    import pandas as pd
    from libpysal.graph import Graph

    from spatialkz.study import Study
    from spatialkz.study.files import StudyFiles

Seed = Annotated[int, typer.Option(min=0, help="Seed of all random draws.")]

Groups = Annotated[
    int | None,
    typer.Option(
        "--k",
        help="Number of groups that describe the regions, found or not; left out, the study's, or by tests.",
    ),
]


def _writable(path: Path | None) -> Path | None:
    """Refuse a file that could not be written before anything is computed for it."""
    if path is not None:
        check_ending(path)
        if not path.parent.is_dir():
            raise OutputError(f"{path} cannot be written: there is no folder {path.parent}.")
    return path


Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", callback=_writable, help="File to write: .csv, .json, .parquet or .xlsx."),
]
KindOption = Annotated[
    NumberKind | None,
    typer.Option("--kind", help="What the numbers of a bare table are."),
]
_INPUT = typer.Argument(
    metavar="FILE|STUDY.toml|NAME",
    help="A table (CSV, XLSX, Parquet; long or wide; - is standard input), a study file, or a bundled study.",
)
_GRAPH = (
    "A recipe (queen, rook, knn:k=4, distance_band:threshold=500, inverse_distance, gabriel, city_merged, "
    "'queen|knn:k=3' ...) or a file of neighbor pairs, GAL or GWT; where a command compares, several."
)


def _option(*names: str, **how: Any) -> Any:
    return typer.Option(*names, **how)


@dataclass(frozen=True)
class Reading:
    """How the file of a table is read, where its content does not tell."""

    sheet: Annotated[str | None, _option(help="Name or number of a workbook's sheet.")] = None
    header: Annotated[str | None, _option(help="Line of the header, or several: 4,5.")] = None
    skip: Annotated[int | None, _option(min=0, help="Lines at the top to leave out.")] = None
    decimal: Annotated[DecimalMark | None, _option(help="Decimal mark, where the cells leave it open.")] = (
        None
    )
    delimiter: Annotated[str | None, _option(help="What parts the cells of a text file.")] = None
    encoding: Annotated[str | None, _option(help="Encoding of a text file; left out, told by content.")] = (
        None
    )

    def given(self) -> dict[str, Any]:
        """Keys of ``[table]`` that were given."""
        found: dict[str, Any] = {option.name: getattr(self, option.name) for option in fields(Reading)}
        if self.sheet is not None and self.sheet.isdecimal():
            found["sheet"] = int(self.sheet)
        if self.header is not None:
            found["header"] = _lines(self.header)
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Selection:
    """Which cells of the file make up the table, and what they mean."""

    region: Annotated[str | None, _option(help="Column with the region; left out, the first column.")] = None
    sector: Annotated[str | None, _option(help="Column with the sector, if the file is long.")] = None
    value: Annotated[str | None, _option(help="Column with the value, if the file is long.")] = None
    where: Annotated[list[str], _option(metavar="COLUMN=VALUE", help="Rows to keep; can be repeated.")] = ()  # type: ignore[assignment]
    drop: Annotated[list[str], _option(help="Sector to leave out; can be repeated.")] = ()  # type: ignore[assignment]
    drop_region: Annotated[list[str], _option(help="Region to leave out; can be repeated.")] = ()  # type: ignore[assignment]
    rename: Annotated[
        list[str], _option(metavar="OLD=NEW", help="New name of a region or sector; can be repeated.")
    ] = ()  # type: ignore[assignment]
    total: Annotated[str | None, _option(help="Row with the national total.")] = None
    keep_sums: Annotated[
        bool, _option("--keep-sums", help="Accept rows, columns and codes that are sums of others.")
    ] = False
    base: Annotated[
        str | None, _option(help="Column or file with the base of each region; left out, the row sums.")
    ] = None
    groups: Annotated[
        Path | None, _option(help="File with a sector and a group column; left out, one base for all.")
    ] = None
    unknown: Annotated[
        list[str],
        _option(
            metavar="MARK=MEANING", help="What a mark means: zero, suppressed, or flag; can be repeated."
        ),
    ] = ()  # type: ignore[assignment]
    absent: Annotated[AbsentPair | None, _option(help="What a pair without a row in a long file means.")] = (
        None
    )
    largest: Annotated[float | None, _option(help="Largest value of a suppressed cell.")] = None
    rounding: Annotated[float | None, _option(help="Half of the last printed digit.")] = None


@dataclass(frozen=True)
class NeighborOptions:
    """Who neighbors whom."""

    graph: Annotated[list[str], _option(help=_GRAPH)] = ()  # type: ignore[assignment]
    division: Annotated[
        Vintage | None,
        _option(help="Division of Kazakhstan the regions are of; left out, told by their names."),
    ] = None
    isolates: Annotated[
        GraphPolicy | None,
        _option(help="What is done about regions without neighbors."),
    ] = None
    parts: Annotated[
        GraphPolicy | None,
        _option(help="What is done about a graph in several connected components."),
    ] = None
    boundaries: Annotated[
        Path | None, _option(help="Polygons: GeoPackage, GeoJSON, Shapefile, TopoJSON, KML ...")
    ] = None
    id: Annotated[
        str | None, _option(help="Region column of the boundaries; left out, the one that fits.")
    ] = None
    layer: Annotated[str | None, _option(help="Layer of the boundaries.")] = None
    map_where: Annotated[
        list[str], _option(metavar="COLUMN=VALUE", help="Which polygons to keep; can be repeated.")
    ] = ()  # type: ignore[assignment]
    crs: Annotated[str | None, _option(help="Coordinate system of boundaries that name none: EPSG:4326.")] = (
        None
    )
    clean: Annotated[bool, _option("--clean", help="Mend boundaries that do not fit.")] = False
    gap: Annotated[
        float | None,
        _option(min=0.0, help="Widest strip between polygons that is a fault of the map; in its units."),
    ] = None


# Headings of the help, and the options under each.
_PANELS = {
    "Which cells make up the table": Selection,
    "How its file is read, where the content does not tell": Reading,
    "Who neighbors whom": NeighborOptions,
}


@dataclass(frozen=True)
class Source(NeighborOptions, Reading, Selection):
    """What a command is given to work on: a study, or a table and how to read it."""

    file: str = ""

    def __post_init__(self) -> None:
        from spatialkz.datasets import study_names

        if Path(self.file).is_dir():
            raise InputError(f"{self.file or repr('')} is a folder; name a file in it.")
        if self.file != "-" and not Path(self.file).exists() and not self.is_study:
            names = ", ".join(study_names())
            raise InputError(
                f"There is no file {self.file}, and no bundled study of that name; there are {names}."
            )

    @property
    def is_study(self) -> bool:
        """Whether the input is a study, not a bare table."""
        from spatialkz.datasets import study_names

        return self.file in study_names() or self.file.endswith(".toml")

    def refuse_neighbors(self, why: str) -> None:
        """Refuse options that say who neighbors whom, where they would not be used."""
        for option in fields(NeighborOptions):
            if getattr(self, option.name) not in (None, False, (), []):
                raise InputError(f"{why}; leave out --{option.name.replace('_', '-')}.")

    def files(self, periods: str | None = None, **defaults: Any) -> StudyFiles:
        """The input, checked; ``defaults`` are keys of ``[table]`` for a bare table that are not given.

        ``periods`` is the column that holds them.
        """
        from spatialkz.datasets import study_file, study_names
        from spatialkz.study import study_files
        from spatialkz.study.files import StudyFiles
        from spatialkz.study.schema import check_study

        table, geography = self._table(), self._geography()
        regions = {} if self.division is None else {"division": f"kazakhstan-{self.division}"}
        column = {} if periods is None else {"periods": {"column": periods}}
        if self.is_study:
            path = study_file(self.file) if self.file in study_names() else Path(self.file)
            return study_files(path, {"table": table, "geography": geography, "regions": regions, **column})
        source = "standard input" if self.file == "-" else Path(self.file).name
        known = {name: value for name, value in defaults.items() if value is not None}
        text = {"table": {"file": self.file, **known, **table}, "geography": geography, "regions": regions}
        text |= column
        return StudyFiles(check_study(text, source), Path(), source)

    def study(self, files: StudyFiles | None = None, **defaults: Any) -> Study:
        """The whole study, with its neighbors; out of ``files``, if they are at hand."""
        from spatialkz.cli.output import tell
        from spatialkz.specialization import hidden_notes

        study = (files or self.files(**defaults)).study()
        tell((*study.notes, *hidden_notes(study.table)))
        return study

    def variables(self) -> tuple[pd.DataFrame, StudyFiles]:
        """Columns of a table, whatever they are, or the quotients of a study; and its files."""
        from spatialkz.cli.output import tell
        from spatialkz.specialization import complete_quotients, hidden_notes

        files = self.files()
        if self.is_study:
            table = files.activity(files.sectors())
            values, notes = complete_quotients(table), hidden_notes(table)
        else:
            found = files.values(sectors=False)
            hidden = found.hidden.any()
            values = found.values.loc[:, ~hidden]
            if values.empty:
                raise InputError(
                    f"Every column of {files.source} has a suppressed cell; nothing can be compared."
                )
            left_out = ", ".join(map(str, hidden.index[hidden]))
            notes = (f"Left out for suppressed cells: {left_out}.",) if left_out else ()
        tell((*files.notes, *notes))
        return values, files

    def graphs(self, files: StudyFiles, labels: pd.Index) -> dict[str, Graph]:
        """Neighbors by each ``--graph``, or by the study's own choice."""
        from spatialkz.cli.output import tell

        told = len(files.notes)
        lines = [_absolute(line) for line in self.graph] or [files.model.geography.graph]
        regions = files.regions(labels)
        names = self.graph or lines
        found = {name: files.geography(regions, line)[0] for name, line in zip(names, lines, strict=True)}
        tell(dict.fromkeys(files.notes[told:]))
        return found

    def _table(self) -> dict[str, Any]:
        given: dict[str, Any] = self.given() | {
            name: getattr(self, name) for name in ("region", "sector", "value", "total", "absent", "rounding")
        }
        given["keep_sums"] = self.keep_sums or None
        given["drop"], given["drop_regions"] = list(self.drop), list(self.drop_region)
        given["where"] = pairs_of(self.where, "--where")
        given["rename"] = {
            old: _one(new, "--rename", old) for old, new in pairs_of(self.rename, "--rename").items()
        }
        given["unknown"] = {
            mark: _one(meaning, "--unknown", mark)
            for mark, meaning in pairs_of(self.unknown, "--unknown", last=True).items()
        }
        given["base"] = None if self.base is None else _absolute(self.base)
        given["suppressed"] = None if self.largest is None else {"largest": self.largest}
        given["groups"] = None if self.groups is None else _groups(self.groups)
        return {name: value for name, value in given.items() if value not in (None, [], {})}

    def _geography(self) -> dict[str, Any]:
        given = {
            "graph": _absolute(self.graph[0]) if self.graph else None,
            "boundaries": None if self.boundaries is None else str(self.boundaries.resolve()),
            "id": self.id,
            "layer": self.layer,
            "where": pairs_of(self.map_where, "--map-where"),
            "crs": self.crs,
            "clean": self.clean or None,
            "gap": self.gap,
            "isolates": self.isolates,
            "parts": self.parts,
        }
        return {name: value for name, value in given.items() if value not in (None, {})}


def takes_source(*, default: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, whose first parameter is a :class:`Source`, the arguments that make one."""
    empty = inspect.Parameter.empty if default is None else default
    file = inspect.Parameter("file", _KEYWORD, default=empty, annotation=Annotated[str, _INPUT])
    return lambda command: _with_options(command, Source, [file])


def takes_reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, whose first parameter is a :class:`Reading`, the options that make one."""
    return _with_options(command, Reading, [])


_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _with_options(
    command: Callable[..., None], kind: type[Reading], arguments: list[inspect.Parameter]
) -> Callable[..., None]:
    first, *own = inspect.signature(command, eval_str=True).parameters.values()
    hints = get_type_hints(kind, include_extras=True)
    for title, panel in _PANELS.items():
        for option in fields(panel):
            if option.name in hints:
                hints[option.name].__metadata__[0].rich_help_panel = title
    taken = {parameter.name for parameter in (*own, *arguments)}
    shared = [
        inspect.Parameter(
            option.name, _KEYWORD, default=_default(option.default), annotation=hints[option.name]
        )
        for option in fields(kind)
        if option.name not in taken
    ]
    parameters = [*arguments, *(parameter.replace(kind=_KEYWORD) for parameter in own), *shared]

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        names = [parameter.name for parameter in (*arguments, *shared)]
        command(**{first.name: kind(**{name: given.pop(name) for name in names})}, **given)

    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del wrapped.__wrapped__
    return wrapped


def find_study(name: str) -> Study:
    """Read a study file, or load a bundled study by name."""
    from spatialkz.study import load_study, read_study

    return read_study(name) if name.endswith(".toml") or Path(name).is_file() else load_study(name)


def _default(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def pairs_of(given: list[str], option: str, *, last: bool = False) -> dict[str, Any]:
    """Text before and after the equals sign; what is given several times becomes a list."""
    found: dict[str, Any] = {}
    for text in given:
        left, sign, right = text.rpartition("=") if last else text.partition("=")
        if not sign:
            raise InputError(f"{option} is {text!r}; expected two texts with = between them.")
        if left in found:
            before = found[left]
            found[left] = [*before, right] if isinstance(before, list) else [before, right]
        else:
            found[left] = right
    return found


def _one(value: Any, option: str, name: str) -> str:
    if isinstance(value, list):
        raise InputError(f"{option} gives {name!r} {len(value)} times; expected once.")
    return str(value)


def _lines(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--header is {text!r}; expected a line number, or several with commas.") from None


def _absolute(name: str) -> str:
    """A name of a file as a path that does not depend on where a study lies; other texts as they are."""
    path = Path(name)
    return str(path.resolve()) if path.is_file() else name


def _groups(file: Path) -> Mapping[str, str]:
    """Sector → base group, from a file with columns ``sector`` and ``group``."""
    from spatialkz.tables import read_frame, require_labels

    frame = read_frame(file)
    require_labels(["sector", "group"], frame.columns, f"{file.name} has no column")
    twice = frame["sector"][frame["sector"].duplicated()]
    if len(twice):
        raise InputError(
            f"{file.name}, line {twice.index[0]}: the sector {twice.iloc[0]} stands a second time."
        )
    return dict(zip(frame["sector"], frame["group"], strict=True))
