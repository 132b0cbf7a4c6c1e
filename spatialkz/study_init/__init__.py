"""Write a study file for a table that was looked at: what was found is filled in, the rest is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from spatialkz.errors import InputError, OutputError, listing
from spatialkz.study_init.looking import look
from spatialkz.study_init.neighbors import files_beside, put_geography
from spatialkz.tables.reading.options import FileOptions
from spatialkz.writing import replaced_file

_TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".parquet"}
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
