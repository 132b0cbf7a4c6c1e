"""Studies: a table with its geography and choices, read from a TOML file; and how such a file is begun.

``study`` holds what a study is, ``schema`` every key of its file, ``files`` reads the files it names;
``init`` writes a study file for a table, from what ``looking`` finds in it, which ``draft`` collects.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from spatialkz import datasets
from spatialkz.study.files import StudyFiles
from spatialkz.study.schema import check_study, read_toml
from spatialkz.study.study import Choices, Study, StudyContext

__all__ = ["Choices", "Study", "StudyContext", "list_studies", "load_study", "read_study", "study_files"]


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
    ``[claims]``, ``[places]``, ``[covariates]`` and ``[choices]`` (see :class:`Choices`); the guide in
    ``docs/own-table.md`` shows every key.

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
    return study_files(path).study()


def study_files(path: str | Path, changes: Mapping[str, Any] | None = None) -> StudyFiles:
    """Check a study file, and give what reads the files it names.

    Parameters
    ----------
    path : path
        A TOML file.
    changes : mapping, optional
        Section → key → value that takes the place of the file's, or is joined to it where a key holds
        several: rows to keep, what is left out, new names, marks.
    """
    path = Path(path)
    text = read_toml(path)
    for section, keys in (changes or {}).items():
        if not isinstance(before := text.get(section, {}), dict):
            break  # which is refused below
        text[section] = {**before, **{key: _joined(key, before.get(key), keys[key]) for key in keys}}
    return StudyFiles(check_study(text, path.name), path.parent, path.name, (path.resolve(),))


def _joined(key: str, before: Any, given: Any) -> Any:
    if key in ("where", "rename", "unknown", "suppressed") and isinstance(before, dict):
        return {**before, **given}
    if key in ("drop", "drop_regions") and isinstance(before, list):
        return [*before, *given]
    return given
