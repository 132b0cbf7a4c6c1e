"""One way to turn a seed into generators, so that no stage disturbs another's stream or the caller's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

import numpy as np

from spatialkz.errors import InputError


def generator(rng: int | np.random.Generator | None, stream: str) -> np.random.Generator:
    """Return the generator of one named stream.

    An integer gives each stream its own reproducible numbers, so a test called alone with the seed of a run
    repeats the run's result. A Generator is spawned from, and None is fresh entropy.

    Examples
    --------
    >>> generator(42, "moran").integers(100) == generator(42, "moran").integers(100)
    np.True_
    """
    if isinstance(rng, np.random.Generator):
        return rng.spawn(1)[0]
    if rng is None:
        return np.random.default_rng()
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise InputError(f"rng is {rng!r}; it must be a non-negative integer, a numpy Generator, or None.")
    return np.random.default_rng([int(rng), crc32(stream.encode())])


@contextmanager
def seeded_globals(seed: int) -> Iterator[None]:
    """Seed the global random states of NumPy and Python, and give the caller's back afterwards.

    The one place for libraries that draw from them.
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
