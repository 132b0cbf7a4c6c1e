"""What the tests ask of their input, before anything is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import InputError, is_number, listing, notice
from spatialkz.geography.weights import binary, row_standardized
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import Floats, check_alternative, check_number
from spatialkz.tables import check_table

_ROUNDING, _SMALLEST = 8 * np.finfo(np.float64).eps, 1e-70


def checked(
    values: pd.DataFrame | pd.Series,
    graph: Graph,
    *,
    transform: str,
    alternative: str,
    name: str = "values",
    minimum: float | None = None,
) -> tuple[pd.DataFrame, csr_array]:
    """Table with its regions sorted, and the weights in that order.

    Sorted, so that the order of the rows does not decide which permutations are drawn. ``transform`` is "r"
    (row-standardized) or "b" (binary).
    """
    check_alternative(alternative)
    table = check_table(values, name=name, minimum=minimum, least_regions=4).sort_index()
    refuse_constants(table)
    refuse_tiny(table)
    return table, (row_standardized if transform == "r" else binary)(graph, table.index)


def refuse_constants(table: pd.DataFrame) -> None:
    """Refuse variables without variation: autocorrelation has no meaning for them."""
    constant = constant_variables(table)
    if len(constant):
        raise InputError(
            f"Autocorrelation needs values that differ; these are constant: {listing(constant)}."
        )


def constant_variables(table: pd.DataFrame) -> pd.Index:
    """Columns that are constant up to rounding: what differs in the last digits alone is no difference."""
    cells = table.to_numpy(dtype=np.float64)
    constant = np.ptp(cells, axis=0) <= _ROUNDING * np.abs(cells).max(axis=0)
    names: pd.Index = table.columns[constant]
    return names


def levels_of(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Different values of a variable, up to rounding, and how many regions have each.

    >>> levels_of(np.array([0.3, 2.0, 0.1 + 0.2]))[1].tolist()
    [2, 1]
    """
    ordered = np.sort(values)
    rounding = _ROUNDING * np.abs(ordered[[0, -1]]).max()
    first = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > rounding)
    return ordered[first], np.diff(first, append=len(ordered))


def notice_few_levels(table: pd.DataFrame, method: str) -> None:
    """Say which variables cannot be normal, because too many regions have equal values."""
    n = len(table)
    repeats = [levels_of(table[name].to_numpy())[1] for name in table]
    # Normal values never tie. A few ties are rounding; this many are a count, a mark, or mostly zeros.
    few = [len(sizes) <= min(10, n // 2) or 2 * sizes.max() > n for sizes in repeats]
    if any(few):
        named = (
            f"{name} has {len(sizes)} different values in {n} regions, the commonest in {sizes.max()}"
            for name, sizes, is_few in zip(table, repeats, few, strict=True)
            if is_few
        )
        notice(
            f"p-values of the method {method!r} hold for normal values, which do not repeat, but "
            f"{listing(named, 3)}; use a permutation test."
        )


def refuse_tiny(table: pd.DataFrame) -> None:
    """Refuse values whose fourth powers are too small for a float."""
    tiny = table.columns[np.ptp(table.to_numpy(), axis=0) < _SMALLEST]
    if len(tiny):
        raise InputError(
            f"Values differ by less than {_SMALLEST:g} in {listing(tiny)}; give them in a smaller unit."
        )


def check_choice(method: str, choices: tuple[str, ...]) -> None:
    """Refuse a method that the statistic does not have."""
    if method not in choices:
        raise InputError(f"method is {method!r}; it must be one of {listing(choices)}.")


def check_alpha(alpha: float) -> None:
    """Refuse a level that is no probability."""
    check_share(alpha, "alpha")


def check_share(value: float, name: str) -> None:
    """Refuse what is no number between 0 and 1."""
    if not is_number(value) or not 0 < value < 1:
        raise InputError(f"{name} is {value!r}; it must lie between 0 and 1.")


def check_permutations(permutations: int) -> None:
    """Refuse fewer than 99 permutations, and more than can be drawn."""
    check_number(permutations, "permutations", 99)


def seeds_of(rng: int | np.random.Generator | None, stream: str) -> np.random.SeedSequence:
    """Seeds from which several forms can draw the same permutations."""
    seeds = generator(rng, stream).bit_generator.seed_seq
    if not isinstance(seeds, np.random.SeedSequence):
        raise InputError("rng is a Generator without a SeedSequence; make it by numpy.random.default_rng.")
    return seeds
