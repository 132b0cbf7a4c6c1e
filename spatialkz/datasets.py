"""The bundled tables and studies: the only place that knows where ``data/`` lives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spatialkz.errors import InputError, listing

if TYPE_CHECKING:
    import pandas as pd

_PACKAGE = Path(__file__).parent


def data_path(*parts: str) -> Path:
    """Path of a bundled file: inside the wheel, or beside the package in a source checkout."""
    installed = _PACKAGE / "_data"
    root = installed if installed.is_dir() else _PACKAGE.parent / "data"
    return root.joinpath(*parts)


def read_table(name: str, *, text: bool = False) -> pd.DataFrame:
    """Read one bundled reference table as it stands in ``data/``.

    Parameters
    ----------
    name : str
        Name of the table without its ending, with its folder if it has one: ``"regions"``,
        ``"kazakhstan-2022/sez"``.
    text : bool
        Keep every cell as text (codes with leading zeros), empty cells as ``""``.

    Raises
    ------
    InputError
        If there is no such table.

    Examples
    --------
    >>> read_table("contiguity_2018").shape
    (29, 2)
    """
    import pandas as pd

    path = data_path(f"{name}.csv")
    if not path.is_file():
        root = data_path()
        known = sorted(file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.csv"))
        raise InputError(f"There is no bundled table {name!r}; there are {listing(known, 30)}.")
    if text:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.read_csv(path)


def study_names() -> list[str]:
    """Names of the bundled studies, each a folder of ``data/`` with a ``study.toml``."""
    return sorted(path.parent.name for path in data_path().glob("*/study.toml"))


def study_file(name: str) -> Path:
    """Path of the TOML form of a bundled study.

    Raises
    ------
    InputError
        If no bundled study has that name.
    """
    if name not in study_names():
        raise InputError(f"There is no bundled study {name!r}; there are {listing(study_names())}.")
    return data_path(name, "study.toml")
