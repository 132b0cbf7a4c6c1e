"""How far long work has come: the hook that is told, the stages that tell it, and what a command shows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from spatialkz.errors import say

if TYPE_CHECKING:
    from spatialkz.processes import Task


class Progress(Protocol):
    """A hook: told the stage that begins, and the share of the work that is done by then, from 0 to 1.

    Any callable of a text and a number will do, ``print`` for one.
    """

    def __call__(self, stage: str, done: float, /) -> object:
        """Hear that a stage begins."""


@dataclass(frozen=True)
class Stage:
    """Seconds that a stage took, of the clock and of all processors."""

    name: str
    wall: float
    cpu: float

    def to_dict(self) -> dict[str, object]:
        """As the manifest has it."""
        return {"stage": self.name, "wall": round(self.wall, 3), "cpu": round(self.cpu, 3)}


class Stages:
    """The stages of one piece of work: tells the hook of each, and keeps what each took.

    Parameters
    ----------
    hook : callable or None
        A :class:`Progress`.
    shares : mapping of str to float
        Stage → what it takes of the whole, in any unit; those that do not come up are passed over.

    Examples
    --------
    >>> stages = Stages(print, {"tests": 1, "figures": 3})
    >>> stages.begin("tests")
    tests 0.0
    >>> stages.part("global", 0.5)
    tests: global 0.125
    >>> stages.begin("figures")
    figures 0.25
    >>> stages.end()
    >>> [stage.name for stage in stages.times]
    ['tests', 'figures']
    """

    def __init__(self, hook: Progress | None, shares: Mapping[str, float]) -> None:
        self.times: list[Stage] = []
        self._hook = hook
        whole = sum(shares.values())
        self._share = {name: share / whole for name, share in shares.items()}
        self._begun: tuple[str, float, float] | None = None

    def begin(self, stage: str) -> None:
        """Begin a stage; the one before has ended."""
        self.end()
        self._begun = stage, time.perf_counter(), time.process_time()
        self._tell(stage, self._before(stage))

    def part(self, name: str, done: float, /) -> None:
        """Begin a part of the stage, of which the share ``done`` is behind; itself a :class:`Progress`."""
        stage = "" if self._begun is None else self._begun[0]
        self._tell(f"{stage}: {name}", self._before(stage) + done * self._share.get(stage, 0.0))

    def waited(self, stage: str, task: Task) -> Any:
        """Wait for the stage that a second process shares in, and keep what it took."""
        found = task.result()
        wall, cpu = task.seconds
        if self._begun is not None:
            _, own_wall, own_cpu = self._begun
            wall = max(wall, time.perf_counter() - own_wall)
            cpu += time.process_time() - own_cpu
        self._begun = None
        self.times.append(Stage(stage, wall, cpu))
        return found

    def took(self, times: Iterable[Stage]) -> None:
        """Keep what stages took that a second process did; the last one to begin waited for them."""
        waiting, self._begun = self._begun, None
        for stage in times:
            if waiting is None or stage.name != waiting[0]:
                self._tell(stage.name, self._before(stage.name))
            self.times.append(stage)

    def shared(self, stage: str, cpu: float) -> None:
        """Add what a second process took for a stage that has ended here."""
        self.times = [replace(one, cpu=one.cpu + cpu) if one.name == stage else one for one in self.times]

    def end(self) -> None:
        """End the last stage."""
        if self._begun is not None:
            stage, wall, cpu = self._begun
            self.times.append(Stage(stage, time.perf_counter() - wall, time.process_time() - cpu))
            self._begun = None

    def _before(self, stage: str) -> float:
        names = list(self._share)
        return (
            sum((self._share[name] for name in names[: names.index(stage)]), 0.0) if stage in names else 0.0
        )

    def _tell(self, stage: str, done: float) -> None:
        if self._hook is not None:
            self._hook(stage, done)


@contextmanager
def shown_progress() -> Iterator[Progress | None]:
    """Give a hook that shows progress on standard error: a bar on a terminal, a line a stage in a log."""
    if sys.stderr is None:
        yield None
    elif sys.stderr.isatty():
        with _bar() as hook:
            yield hook
    else:
        begun = time.perf_counter()

        def line(stage: str, done: float) -> None:
            seconds = time.perf_counter() - begun
            say(f"{stage} ({done:.0%} done, {seconds:.0f} s)")

        yield line


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar with the stage, the share that is done and the time left, gone when the work is."""
    # Here, so that no one waits for rich whose terminal does not show it.
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Left(ProgressColumn):
        """Time left, at the speed of the work so far."""

        def render(self, task: Any) -> Text:
            begun, done = task.fields["told"], task.completed
            if not done:
                return Text("")
            left = begun * (1 - done) / done - (task.elapsed - begun)
            return Text(f"about {max(left, 1):.0f} s left")

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Left())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, told=0.0)

        def hook(stage: str, done: float) -> None:
            bar.update(task, description=stage, completed=done, told=bar.tasks[0].elapsed or 0.0)

        yield hook
