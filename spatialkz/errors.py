"""The errors a caller may want to catch; each message is one sentence about the input."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable
from numbers import Real


class SpatialKZError(Exception):
    """Base of every error that spatialkz raises on purpose."""


class InputError(SpatialKZError, ValueError):
    """A table, file or option is not what the function expects."""


class RegionError(InputError):
    """Region labels are unknown, duplicated, or do not match between two inputs."""


class GraphError(InputError):
    """A neighbor graph cannot carry the requested statistic."""


class OutputError(SpatialKZError):
    """A result cannot be written where it was asked for."""


def listing(items: Iterable[object], limit: int = 6) -> str:
    """Join items for an error sentence, naming at most ``limit`` of them.

    >>> listing(["Akmola", "Aktobe", "Atyrau"], limit=2)
    'Akmola, Aktobe and 1 more'
    """
    texts = [str(item) for item in items]
    shown = ", ".join(texts[:limit])
    return shown if len(texts) <= limit else f"{shown} and {len(texts) - limit} more"


def is_number(value: object) -> bool:
    """Whether an option is one finite number: no text, no table, no NaN, no mark.

    >>> is_number(0.5), is_number("0.5"), is_number(float("nan")), is_number(True)
    (True, False, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


class Notice(UserWarning):
    """What was done is right, but the user should know of it; commands print it as one sentence."""


def notice(sentence: str) -> None:
    """Tell the user one sentence, on standard error unless Python's warnings are turned elsewhere."""
    warnings.warn(sentence, Notice, stacklevel=3)


def say(sentence: str) -> None:
    """Write a line of ours on standard error, if there is one, whole: a signal cannot come between."""
    if sys.stderr is not None:
        sys.stderr.write(f"spatialkz: {sentence}\n")
        sys.stderr.flush()
