"""Files and folders that take the place of earlier ones whole or not at all; nothing of a user's is lost."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from spatialkz.errors import InputError, OutputError, listing, notice

try:
    import fcntl
except ImportError:  # Windows: what other runs left is then not cleared away.
    fcntl = None  # type: ignore[assignment]

MANIFEST = "manifest.json"
#: Forms in which a table can be written.
OUTPUT_ENDINGS = (".csv", ".json", ".parquet", ".xlsx")
_LOCK = "lock"
#: What a file system says that takes no more.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
# What is being written, for a process that is told to stop.
_pending: set[Path] = set()
# Held while earlier results give way to new ones, so that no one stops in between.
_moving = threading.Lock()


def check_ending(path: Path) -> None:
    """Refuse a file whose ending names no form of a table.

    Raises
    ------
    InputError
        If it names none.
    """
    if path.suffix.lower() not in OUTPUT_ENDINGS:
        raise InputError(
            f"{path.name} ends in {path.suffix or 'nothing'}; expected {listing(OUTPUT_ENDINGS)}."
        )


def abandon() -> None:
    """Remove what is half written; for a process that ends at once."""
    with _moving:
        for path in list(_pending):
            # Other threads may still be writing.
            for _ in range(100):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
                if not path.exists():
                    break


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` once the block has run without error.

    Devices and pipes are written to as they are; a link stays and the file it leads to is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        target = path.resolve()
        if (target.exists() and not target.is_file()) or not os.access(target.parent, os.W_OK):
            yield path
            return
        beside = target.with_name(f".{secrets.token_hex(4)}-{target.name[-100:]}")
        _pending.add(beside)
        try:
            yield beside
            if target.exists():
                shutil.copymode(target, beside)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
            _pending.discard(beside)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {_reason(error)}.") from error


def check_folder(out: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse a results folder whose replacement could cost more than earlier results.

    Earlier results are a folder whose manifest says so: of spatialkz, with the SHA-256 of each output.

    Parameters
    ----------
    out : path
    inputs : iterable of path
        Files the run is made from; none may lie in the folder.

    Raises
    ------
    OutputError
        In one sentence, before anything is computed.
    """
    try:
        if out.is_symlink():
            raise OutputError(
                f"The results folder {out} is a link to {out.resolve()}; name that folder itself."
            )
        place = out.resolve()
        for kind, folder in (("working", Path.cwd()), ("home", Path(os.path.expanduser("~")).resolve())):
            if folder == place or place in folder.parents:
                raise OutputError(
                    f"The results folder {out} would replace your {kind} folder {folder} or one above it; "
                    "name a folder inside it, such as results."
                )
        if os.path.ismount(place):
            raise OutputError(f"The results folder {out} is a mount point; name a folder inside it.")
        within = [path.name for path in inputs if place in (path.resolve().parents)]
        if within:
            raise OutputError(
                f"The results folder {out} holds files that the study is made from "
                f"({listing(within)}); name another folder."
            )
        if out.exists() and not out.is_dir():
            raise OutputError(f"The results folder {out} cannot be written: there is a file of that name.")
        above = next(path for path in place.parents if path.exists())
        if not above.is_dir():
            raise OutputError(f"The results folder {out} cannot be written: {above} is a file.")
        found = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
        if found and _listed(out) is None:
            raise OutputError(
                f"The folder {out} holds files that are not results of an earlier run ({listing(found, 3)}); "
                "name an empty or a new folder."
            )
        for folder in (above, place):
            if folder.exists() and not os.access(folder, os.W_OK):
                raise OutputError(f"The results folder {out} cannot be written: {folder} is write-protected.")
    except (OSError, ValueError) as error:
        raise OutputError(f"The results folder {out} cannot be written: {_reason(error)}.") from error


@contextmanager
def replaced_folder(out: Path, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """Give a temporary folder that takes the place of ``out`` once the block has run without error.

    Whatever in ``out`` is not, byte for byte, what its manifest lists is the user's and is kept: under its
    own name, or where a new output has that, with ``.kept`` before its ending; a
    :class:`~spatialkz.errors.Notice` names it. Temporary folders that killed runs left beside ``out`` are
    removed; if one was killed while it moved earlier results aside, they are put back first.

    Raises
    ------
    OutputError
        If the folder cannot be written, or as :func:`check_folder`.
    """
    check_folder(out, inputs)
    try:
        made = _made(out.parent)
        _clear(out)
        scratch, lock = _scratch(out)
    except OSError as error:
        raise OutputError(f"The results folder {out} cannot be written: {_reason(error)}.") from error
    try:
        fresh = scratch / "new"
        fresh.mkdir()
        yield fresh
        kept = _keep(out, fresh)
        with _moving:
            try:
                if out.exists():
                    out.rename(scratch / "old")
                fresh.rename(out)
            except OSError:
                if (scratch / "old").exists() and not out.exists():
                    (scratch / "old").rename(out)
                raise
            made = []
    except OSError as error:
        # A stage may stumble over a file that is no output.
        if error.errno in FULL or str(scratch) in str(error.filename):
            raise OutputError(f"The results folder {out} cannot be written: {_reason(error)}.") from error
        raise
    finally:
        # An open file cannot be removed on Windows.
        lock.close()
        shutil.rmtree(scratch, ignore_errors=True)
        _pending.discard(scratch)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
    if kept:
        notice(f"Files in {out} that are no results of the run before were kept: {listing(kept)}.")


def sha256(path: Path) -> str:
    """Digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a results folder, if it says that the folder holds a run of ours."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        versions, outputs = manifest["versions"], manifest["outputs"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    ours = isinstance(versions, Mapping) and isinstance(versions.get("spatialkz"), str)
    if not ours or not isinstance(outputs, Mapping) or not outputs:
        return None
    if not all(
        isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) for digest in outputs.values()
    ):
        return None
    return dict(manifest)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder within ``folder``, gone after the block, whatever ends it.

    Raises
    ------
    OutputError
        If ``folder`` cannot be written.
    """
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".", dir=folder))
        _pending.add(scratch)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            _pending.discard(scratch)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {_reason(error)}.") from error


def _listed(folder: Path) -> dict[str, str] | None:
    """Outputs of a results folder and their digests."""
    manifest = read_manifest(folder)
    return None if manifest is None else dict(manifest["outputs"])


def _keep(out: Path, fresh: Path) -> list[str]:
    """Bring what is the user's along into ``fresh``; how each is named there."""
    listed = (_listed(out) if out.is_dir() else None) or {}
    kept = []
    for place, folders, files in os.walk(out):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted(files + links):
            path = Path(place) / name
            short = path.relative_to(out)
            known = listed.get(short.as_posix())
            if known and not path.is_symlink() and known == sha256(path):
                continue
            if listed and short == Path(MANIFEST):
                continue
            target = _unused(fresh, short)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target, follow_symlinks=False)
            except OSError:
                shutil.copy2(path, target, follow_symlinks=False)
            kept.append(target.relative_to(fresh).as_posix())
        if not folders and not files and not (fresh / Path(place).relative_to(out)).exists():
            _unused(fresh, Path(place).relative_to(out)).mkdir(parents=True)
    return kept


def _unused(folder: Path, short: Path) -> Path:
    """``short`` in ``folder``, with ``.kept`` before the ending of whatever part is in the way."""
    target = folder
    for place, part in enumerate(map(Path, short.parts), start=1):
        number, free = 1, target / part
        while os.path.lexists(free) and (place == len(short.parts) or not free.is_dir()):
            free = target / f"{part.stem}.kept{'' if number == 1 else number}{part.suffix}"
            number += 1
        target = free
    return target


def _made(folder: Path) -> list[Path]:
    """Make a folder; which of it and its parents had to be made, outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _scratch(out: Path) -> tuple[Path, IO[str]]:
    """A temporary folder beside ``out``, with a lock that tells other runs that this one lives."""
    # The lock first, then the name that other runs look for.
    early = Path(tempfile.mkdtemp(prefix=f"..{out.name[:100]}-", dir=out.parent))
    _pending.add(early)
    lock = (early / _LOCK).open("w")
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    scratch = early.with_name(early.name[1:])
    _pending.add(scratch)
    early.rename(scratch)
    _pending.discard(early)
    return scratch, lock


def _clear(out: Path) -> None:
    """Remove temporary folders of runs that are dead, and put back earlier results they had moved aside."""
    name = re.compile(re.escape(f".{out.name[:100]}-") + "[a-z0-9_]{8}")
    for folder in out.parent.iterdir():
        if not name.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        held = {path.name for path in folder.iterdir()}
        if fcntl is None or not held <= {_LOCK, "new", "old"}:
            continue
        try:
            with (folder / _LOCK).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        if {"old", "new"} <= held:
            if out.exists():
                continue
            (folder / "old").rename(out)
            notice(f"Earlier results that a killed run had moved aside were put back to {out}.")
        shutil.rmtree(folder, ignore_errors=True)
