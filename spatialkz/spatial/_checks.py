"""What the tests ask of their input, before anything is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.inference import check_alternative
from spatialkz.randomness import generator
from spatialkz.spatial.weights import binary, row_standardized
from spatialkz.tables import check_table


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
    return table, (row_standardized if transform == "r" else binary)(graph, table.index)


def refuse_constants(table: pd.DataFrame) -> None:
    """Refuse variables without variation: autocorrelation has no meaning for them."""
    cells = table.to_numpy()
    constant = table.columns[cells.max(axis=0) == cells.min(axis=0)]
    if len(constant):
        raise InputError(
            f"Autocorrelation needs values that differ; these are constant: {listing(constant)}."
        )


def check_choice(method: str, choices: tuple[str, ...]) -> None:
    """Refuse a method that the statistic does not have."""
    if method not in choices:
        raise InputError(f"method is {method!r}; it must be one of {listing(choices)}.")


def check_alpha(alpha: float) -> None:
    """Refuse a level that is no probability."""
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha}; it must lie between 0 and 1.")


def check_permutations(permutations: int) -> None:
    """Refuse fewer than 99 permutations."""
    if permutations < 99:
        raise InputError(f"permutations is {permutations}; at least 99 are needed.")


def seeds_of(rng: int | np.random.Generator | None, stream: str) -> np.random.SeedSequence:
    """Seeds from which several forms can draw the same permutations."""
    seeds = generator(rng, stream).bit_generator.seed_seq
    if not isinstance(seeds, np.random.SeedSequence):
        raise InputError("rng is a Generator without a SeedSequence; make it by numpy.random.default_rng.")
    return seeds
