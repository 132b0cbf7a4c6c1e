"""A second process that works beside the first, where a run has two pieces of work that need not wait."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import IO, Any, Self

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


class SecondProcess:
    """A process of its own for one function at a time; a context manager that ends it.

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
    ...     beside.start(divmod, 7, 2)
    ...     beside.result()
    (3, 1)
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
        self._results: IO[bytes] = self._process.stdout
        self._busy = False
        #: Seconds that the last function took: of the clock, and of all processors.
        self.seconds = (0.0, 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()
        _running.discard(self._process)

    def start(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Start a function; its result must be fetched before the next one starts."""
        if self._busy:
            raise RuntimeError("The second process is at work; fetch its result first.")
        self._busy = True
        # If the process has died, that is told where the result is awaited.
        with suppress(OSError):
            pickle.dump((function, arguments, options), self._tasks)
            self._tasks.flush()

    def result(self) -> Any:
        """Wait for the function that was started, and give what it returned.

        Raises
        ------
        ChildProcessError
            If the process was ended from outside.
        Exception
            Whatever the function raised.
        """
        self._busy = False
        try:
            value, error, warned, self.seconds = pickle.load(self._results)
        except (EOFError, pickle.UnpicklingError):
            raise ChildProcessError(
                f"The second process of the run was ended from outside (exit code {self._process.wait()}); "
                "there may not be enough memory for two."
            ) from None
        for message, category in warned:
            warnings.warn(message, category, stacklevel=2)
        if error is not None:
            raise error
        return value


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
