"""How a command ends, whatever stops it, and a second process that works beside the first."""

from __future__ import annotations

import io
import logging
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from importlib import import_module
from types import TracebackType
from typing import IO, Any, Self, TypeAlias

from spatialkz.errors import Notice, SpatialKZError, say
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


Seconds: TypeAlias = tuple[float, float]
# Started and not ended, for a process that is told to stop.
_running: set[subprocess.Popen[bytes]] = set()


def cores() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def end_all() -> None:
    """End every second process at once; for a process that ends itself."""
    for process in list(_running):
        process.kill()
        process.wait()


class Task:
    """A function that a second process was given."""

    def __init__(self) -> None:
        self.answer: Future[tuple[Any, Exception | None, list[tuple[str, type[Warning]]], Seconds]] = Future()

    def result(self) -> Any:
        """Wait for the function, warn of what it warned of, and give what it returned.

        Raises
        ------
        ChildProcessError
            If the process was ended from outside.
        Exception
            Whatever the function raised.
        """
        value, error, warned, _ = self.answer.result()
        for message, category in warned:
            warnings.warn(message, category, stacklevel=2)
        if error is not None:
            raise error
        return value

    @property
    def seconds(self) -> Seconds:
        """What the function took, once it has ended: of the clock, and of all processors."""
        return self.answer.result()[3]


class SecondProcess:
    """A process of its own that does one function after another; a context manager that ends it.

    It is a fresh interpreter, so it shares no thread and no lock with this process, does not run the caller's
    script a second time, and imports ``module`` while this process imports what it needs itself. Functions
    must be importable by name; arguments and results must pickle. What a function warns of or raises there is
    warned of and raised here. The process ends with this one, whatever ends this one.

    Parameters
    ----------
    module : str
        Imported before the first function arrives.

    Examples
    --------
    >>> with SecondProcess("math") as beside:
    ...     first, second = beside.submit(divmod, 7, 2), beside.submit(divmod, 9, 2)
    ...     first.result(), second.result()
    ((3, 1), (4, 1))
    """

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from spatialkz.processes import serve; serve(sys.argv[1])",
                module,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
        )
        _running.add(self._process)
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018
        self._tasks: IO[bytes] = self._process.stdin
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        #: Seconds that all functions so far took, of all processors.
        self.cpu = 0.0
        threading.Thread(target=self._collect, args=(self._process.stdout,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()
        _running.discard(self._process)
        self._waiting.put(None)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Task:
        """Give it a function to do, once those given before are done."""
        task = Task()
        self._waiting.put(task)
        # If the process has died, that is told where the result is awaited.
        with suppress(OSError):
            pickle.dump((function, arguments, options), self._tasks)
            self._tasks.flush()
        return task

    def _collect(self, results: IO[bytes]) -> None:
        """Take in results as they come, so that the second process need not wait until they are wanted."""
        with suppress(Exception):
            while True:
                answer = pickle.load(results)
                if task := self._waiting.get():
                    self.cpu += answer[3][1]
                    task.answer.set_result(answer)
        error = ChildProcessError(
            f"The second process of the run was ended from outside (exit code {self._process.wait()}); "
            "there may not be enough memory for two."
        )
        for task in iter(self._waiting.get, None):
            task.answer.set_exception(error)


def serve(module: str) -> None:
    """Run what comes through standard input, until it is closed: the whole life of a second process."""
    # Control-C reaches every process of a terminal; the first one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that nothing printed gets between the results
    tasks: queue.SimpleQueue[tuple[Callable[..., Any], Any, Any]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(tasks,), daemon=True).start()
    import_module(module)
    while True:
        function, arguments, options = tasks.get()
        wall, cpu = time.perf_counter(), time.process_time()
        value, error = None, None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            try:
                value = function(*arguments, **options)
            except Exception as raised:
                raised.add_note("".join(traceback.format_exception(raised)))
                error = raised
        warned = [(str(told.message), told.category) for told in caught]
        seconds = time.perf_counter() - wall, time.process_time() - cpu
        pickle.dump((value, error, warned, seconds), results)
        results.flush()


def _receive(tasks: queue.SimpleQueue[Any]) -> None:
    """Take in tasks also while one is done; when no more can come, the process that sent them has ended."""
    try:
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    finally:
        os._exit(1)
