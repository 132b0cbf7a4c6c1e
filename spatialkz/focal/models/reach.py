"""What the tests could show on such a map, and how many regions or sectors would decide what is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, eye_array, kron

from spatialkz.focal.models.learning import learnt
from spatialkz.focal.models.models import MODELS, PLACES, SHAPES, Generator, Priors
from spatialkz.focal.models.summaries import SHAPE, SUMMARIES, simulated_summaries
from spatialkz.options import FocalModel, FocalPart
from spatialkz.resampling.pvalues import Floats

#: Power, and posterior probability, from which evidence counts as strong.
STRONG = 0.8
# For each part but shape: summaries that find it, models without it, and models with it.
_FOUND_BY: Mapping[str, tuple[list[str], Sequence[FocalModel], Sequence[FocalModel]]] = {
    "colocation": (["count ratio", "rank ratio"], ["dispersed"], ["foci"]),
    "sectors": (["sector Moran"], ["dispersed"], ["sector belts"]),
    "place": (["breadth Moran", "rank Moran"], PLACES["anywhere"], PLACES["contiguous"]),
}
# How many times as many regions, or sectors, are tried; and simulated tables of each model.
_TIMES = (2, 3, 4, 6, 8)
_TABLES = 240
# Cells of the largest table that is tried.
_MOST_CELLS = 20_000


def reach(simulated: Mapping[FocalModel, Floats], judged: Floats | None = None) -> pd.Series:
    """What each test finds among tables of which it is true.

    Parameters
    ----------
    simulated : mapping of model to array, shape (tables, summaries)
    judged : array, optional
        Probabilities of the shapes of these tables, where they have been learnt already.

    Returns
    -------
    Series
        ``colocation``: share of the tables with foci in which the variance ratio of breadth or of rank sums
        is beyond the upper 5 % of dispersed tables. ``sectors``: of those with a belt for each sector, the
        same for the mean of the sectors' Moran's I. ``place``: of those in which a common factor follows the
        map, the same for Moran's I of breadth or rank sums (2.5 % each) among tables in which it does not.
        ``shape``: share of the tables with a common factor whose shape is named, and rightly, with a
        probability of 0.8 or more.
    """
    return pd.Series(
        {part: _share_found(simulated, part, judged) for part in get_args(FocalPart)}, name="power"
    )


def _share_found(
    simulated: Mapping[FocalModel, Floats], part: FocalPart, judged: Floats | None = None
) -> float:
    if part == "shape":
        if judged is None:
            known = [name in SHAPE for name in SUMMARIES]
            shapes = [
                np.concatenate([simulated[model][:, known] for model in both]) for both in SHAPES.values()
            ]
            judged = learnt(shapes, shapes[0][:1]).judged
        truth = np.repeat(np.arange(len(SHAPES)), len(judged) // len(SHAPES))
        return float((judged[np.arange(len(truth)), truth] >= STRONG).mean())
    names, without, models = _FOUND_BY[part]
    columns = [SUMMARIES.index(name) for name in names]
    chance = np.concatenate([simulated[model][:, columns] for model in without])
    critical = np.quantile(chance, 1 - 0.05 / len(columns), axis=0, method="higher")
    return float(np.mean([(simulated[model][:, columns] > critical).any(axis=1).mean() for model in models]))


@dataclass(frozen=True)
class Wanted:
    """What would decide a part that is open, in eight of ten tables of which it is true.

    Attributes
    ----------
    part : str
    regions : int or None
        So many regions, with the same sectors; None if eight times as many would not do.
    sectors : int or None
        So many sectors, with the same regions; None likewise.
    """

    part: FocalPart
    regions: int | None
    sectors: int | None


def wanted(
    cells: Floats,
    weights: csr_array,
    part: FocalPart,
    *,
    threshold: float,
    priors: Priors,
    seeds: np.random.SeedSequence,
) -> Wanted:
    """Try maps that are copies of this one side by side, and tables with copies of its sectors.

    Parameters
    ----------
    cells : array, shape (regions, sectors)
        Quotients, whose margins the tables have.
    weights : csr_array
        Row-standardized.
    part, threshold, priors
        What is open, and as in :func:`spatialkz.focal.model_posterior`.
    seeds : SeedSequence
    """

    def first(down: bool) -> int | None:
        for times in _TIMES:
            large = np.tile(cells, (times, 1) if down else (1, times))
            if large.size > _MOST_CELLS:
                break
            map_ = csr_array(kron(eye_array(times), weights)) if down else weights
            maker = Generator(large, priors, map_)
            simulated = {
                model: simulated_summaries(maker, model, map_, threshold, _TABLES, seeds) for model in MODELS
            }
            if _share_found(simulated, part) >= STRONG:
                return times * int(cells.shape[not down])
        return None

    # More sectors on the same map do not tell where the common factor lies.
    return Wanted(part, first(True), None if part == "place" else first(False))
