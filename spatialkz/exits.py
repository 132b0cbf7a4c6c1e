"""How a command ends: in at most one sentence, whatever stops it."""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from spatialkz.errors import Notice, SpatialKZError, say
from spatialkz.processes import end_all
from spatialkz.writing import FULL, abandon

_stopping = threading.Event()


def guarded(command: Callable[[], object]) -> None:
    """Run a command with the manners of a command line.

    Bad input and a full disk end in one sentence on standard error and exit status 2. A reader that stops
    early has what it wanted: status 0. SIGINT, SIGTERM and SIGHUP end the process at once, also where
    compiled code runs, with status 130, 143 and 129; what was half written is removed. A
    :class:`~spatialkz.errors.Notice` is a sentence on standard error, what libraries log is not shown, and a
    fault of ours keeps its traceback and gives status 1.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does: no letter ends a run
    with _stopped_by_signals(), _quiet_libraries():
        try:
            try:
                command()
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
        except BaseException as error:
            if _stopping.is_set():
                # The process ends in a moment; what its end has broken is no news.
                threading.Event().wait()
            status = _told(error)
            if status is None:
                raise
            raise SystemExit(status) from None


def _told(error: BaseException) -> int | None:
    """Exit status of an end told in one sentence or in none; None for any other."""
    # Typer turns a broken pipe into an exit.
    if isinstance(error.__context__ if isinstance(error, SystemExit) else error, BrokenPipeError):
        _drop_output()
        return 0
    if isinstance(error, SpatialKZError):
        _say(str(error))
    elif isinstance(error, OSError) and error.errno in FULL:
        _drop_output()
        _say(f"{error.filename or 'Standard output'} cannot be written: {os.strerror(error.errno)}.")
    elif isinstance(error, MemoryError):
        _say(f"There is not enough memory: {str(error).rstrip('.') or 'no more can be had'}.")
    else:
        return None
    return 2


def _say(sentence: str) -> None:
    with suppress(OSError):
        say(sentence)


def _drop_output() -> None:
    """So that nothing is left to flush at exit."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End the process on a signal from a thread of its own: the main one may be in compiled code."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    wanted = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    # Those that are ignored (as by nohup) stay so.
    before = {
        number: signal.signal(number, lambda *_: None)
        for number in wanted
        if number is not None and signal.getsignal(number) != signal.SIG_IGN
    }
    fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(reader, set(before)), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()
        watcher.join()
        reader.close()


def _watch(reader: socket.socket, numbers: set[int]) -> None:
    while received := reader.recv(1):
        if received[0] in numbers:
            _stopping.set()
            with suppress(BaseException):
                # So that nothing is written again once it is removed.
                end_all()
            with suppress(BaseException):
                abandon()
            if os.isatty(2):
                os.write(2, b"\r\x1b[?25h")  # a bar of progress hides the cursor
            with suppress(OSError):
                os.write(2, b"spatialkz: stopped.\n")
            os._exit(128 + received[0])


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Show notices as sentences, and nothing that libraries log."""
    quiet = logging.NullHandler()
    logging.getLogger().addHandler(quiet)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", Notice)
            others = warnings.showwarning

            def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
                if issubclass(category, Notice):
                    _say(str(message))
                else:
                    others(message, category, *rest, **more)

            warnings.showwarning = show
            yield
    finally:
        logging.getLogger().removeHandler(quiet)
