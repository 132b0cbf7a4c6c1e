r"""What is looked at in a table to tell foci, belts and chance apart.

With :math:`b_i` the breadth of a region (sectors with :math:`LQ \ge t`), :math:`r_i` the sum of its ranks
within the sectors, each sector's ranks centered and scaled to length 1, and the *top* the fifth of the
regions with the largest r (at least 2):

================ =====================================================================================
summary          meaning
================ =====================================================================================
count ratio      variance ratio of b, see :func:`spatialkz.focal.colocation_test`
rank ratio       variance ratio of r
rest ratio       the same without the top: do sectors co-locate in the others as well?
maximum          largest breadth
second           second largest breadth
skewness         skewness of r
gap              largest step between the highest values of r (one more than the top), in standard deviations
first component  share of the first principal component of the ranks
sector Moran     mean over the sectors of Moran's I of the ranks
breadth Moran    Moran's I of b
rank Moran       Moran's I of r
component Moran  Moran's I of the first principal component
rest Moran       Moran's I of r with the top set to the mean of the others
joins            joins of neighbors that are specialized in the same sector
top components   connected components of the top
isolation        how far the top stands above its neighbors' mean, in standard deviations of r
================ =====================================================================================

Moran's I of what is the same everywhere is taken as its expectation, :math:`-1/(n - 1)`, and its variance
ratio as 1: it speaks neither for nor against.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.sparse import csr_array

from spatialkz.focal.models.models import MODELS, Generator
from spatialkz.focal.questions.components import count_components
from spatialkz.options import FocalModel
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats

SUMMARIES = (
    "count ratio",
    "rank ratio",
    "rest ratio",
    "maximum",
    "second",
    "skewness",
    "gap",
    "first component",
    "sector Moran",
    "breadth Moran",
    "rank Moran",
    "component Moran",
    "rest Moran",
    "joins",
    "top components",
    "isolation",
)
#: Those that do not know where regions are.
SHAPE = SUMMARIES[:8]
_TOP = 0.2
# Cells of tables that are worked on at once, and the most tables that share a generator.
_CELLS, _CHUNK = 2_000_000, 256
# Sums of squares below this are rounding.
_FLAT = 1e-9


def summaries(tables: Floats, cells: Floats, weights: csr_array, threshold: float) -> Floats:
    """Summaries of tables that share the margins of one.

    Parameters
    ----------
    tables : array, shape (tables, regions, sectors)
        Each column holds the values of the column of ``cells`` in some order.
    cells : array, shape (regions, sectors)
        The table whose margins they have; no column is the same everywhere.
    weights : csr_array
        Row-standardized, positive for neighbors.
    threshold : float
        Quotient from which a region counts as specialized.

    Returns
    -------
    array, shape (tables, 16)
        In the order of :data:`SUMMARIES`.
    """
    count, n, m = tables.shape
    # Regions first, as sparse weights want them.
    tables = np.ascontiguousarray(tables.transpose(1, 0, 2))
    marks = (tables >= threshold).astype(np.float64)
    ranks = _scaled_ranks(tables, cells)
    breadth, sums = marks.sum(axis=2), ranks.sum(axis=2)
    size = max(2, round(_TOP * n))
    order = sums.argsort(axis=0, kind="stable")
    top = np.zeros(sums.shape, dtype=bool)
    np.put_along_axis(top, order[-size:], True, axis=0)
    others = np.where(top, 0.0, sums).sum(axis=0) / (n - size)
    rest = np.where(top, others, sums)
    share, component = _first_component(ranks)
    largest = np.sort(breadth, axis=0)[-2:]
    deviation = np.maximum(sums.std(axis=0), _FLAT)
    lag = weights @ sums
    own = (cells >= threshold).astype(np.float64).var(axis=0).sum()
    found = {
        "count ratio": breadth.var(axis=0) / own if own > 0 else np.ones(count),
        "rank ratio": (sums**2).sum(axis=0) / m,
        "rest ratio": ((rest - others) ** 2).sum(axis=0) / m,
        "maximum": largest[1],
        "second": largest[0],
        "skewness": (sums**3).mean(axis=0) / deviation**3,
        "gap": np.diff(np.sort(sums, axis=0)[-size - 1 :], axis=0).max(axis=0) / deviation,
        "first component": share,
        "sector Moran": (ranks * _lag(ranks, weights)).sum(axis=(0, 2)) / m,
        "breadth Moran": _moran(breadth, weights),
        "rank Moran": _moran(sums, weights),
        "component Moran": _moran(component, weights),
        "rest Moran": _moran(rest, weights),
        "joins": (marks * _lag(marks, weights.sign())).sum(axis=(0, 2)) / 2,
        "top components": count_components(top.T, weights),
        "isolation": np.where(top, sums - lag, 0.0).sum(axis=0) / (size * deviation),
    }
    return np.column_stack([found[name] for name in SUMMARIES])


def simulated_summaries(
    maker: Generator,
    model: FocalModel,
    weights: csr_array,
    threshold: float,
    count: int,
    seeds: np.random.SeedSequence,
) -> Floats:
    """Summaries of ``count`` tables of a model, shape (count, summaries); tables are not kept."""
    chunk = int(np.clip(_CELLS // maker.cells.size, 1, _CHUNK))
    task = partial(_summary_block, maker, model, weights, threshold, seeds, chunk)
    parts = in_blocks(task, count, 200 * count * maker.cells.size, multiple=chunk)
    return np.concatenate(parts)


def _summary_block(
    maker: Generator,
    model: FocalModel,
    weights: csr_array,
    threshold: float,
    seeds: np.random.SeedSequence,
    chunk: int,
    part: slice,
) -> Floats:
    found = []
    for first in range(part.start, part.stop, chunk):
        key = (*seeds.spawn_key, MODELS.index(model), first // chunk)
        child = np.random.SeedSequence(seeds.entropy, spawn_key=key)
        tables = maker.tables(model, min(chunk, part.stop - first), child)
        found.append(summaries(tables, maker.cells, weights, threshold))
    return np.concatenate(found)


def _scaled_ranks(tables: Floats, cells: Floats) -> Floats:
    """Ranks within each column, ties sharing their mean, centered and of length 1; regions first."""
    ranks = np.empty(tables.shape)
    for j, column in enumerate(np.sort(cells, axis=0).T):
        below = np.searchsorted(column, tables[:, :, j].ravel())
        through = np.searchsorted(column, tables[:, :, j].ravel(), side="right")
        ranks[:, :, j] = (below + through).reshape(tables.shape[:2])
    ranks -= len(tables)
    return np.asarray(ranks / np.linalg.norm(ranks[:, :1], axis=0, keepdims=True))


def _first_component(ranks: Floats) -> tuple[Floats, Floats]:
    """Share of the variance, and scores (regions × tables), of the first principal component."""
    n, _, m = ranks.shape
    stack = ranks.transpose(1, 0, 2)
    across = stack.swapaxes(1, 2)
    small = m <= n
    values, vectors = np.linalg.eigh(across @ stack if small else stack @ across)
    first = vectors[:, :, -1]
    scores = np.einsum("sij,sj->is", stack, first) if small else first.T
    return values[:, -1] / m, np.ascontiguousarray(scores)


def _lag(values: Floats, weights: csr_array) -> Floats:
    return np.asarray((weights @ values.reshape(len(values), -1)).reshape(values.shape))


def _moran(values: Floats, weights: csr_array) -> Floats:
    """Moran's I of each column, on row-standardized weights."""
    z = values - values.mean(axis=0)
    own = (z**2).sum(axis=0)
    flat = own <= _FLAT
    cross = (z * (weights @ z)).sum(axis=0)
    return np.where(flat, -1 / (len(values) - 1), cross / np.where(flat, 1.0, own))
