"""TOML files: studies, claims, and rules for types of district."""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any

from spatialkz.errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    InputError
        If the file is missing or not valid TOML.
    """
    require_file(path, str(path))
    try:
        content = path.read_bytes()
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text, as TOML must be; save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        hint = " (write \\ in a path as /)" if "\\" in text else ""
        raise InputError(f"{path.name} is not valid TOML: {error}{hint}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def require_file(path: Path, name: str) -> None:
    """Refuse a name that leads to no file.

    Raises
    ------
    InputError
        If there is none, or a folder.
    """
    try:
        found = path.is_file()
        folder = not found and path.is_dir()
    except (OSError, ValueError):  # too long a name, or one with a null character
        found = folder = False
    if folder:
        raise InputError(f"{name} is a folder; name a file in it.")
    if not found:
        raise InputError(f"There is no file {name if len(name) < 200 else name[:200] + '…'}.")
