"""Random forests that name the model of a table, and probabilities made of their votes."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, monte_carlo_tail

# Forests, each grown on simulations of its own: their scatter is the Monte-Carlo error.
FORESTS = 6
# Simulations in a leaf of a tree; shares of few are no probabilities.
_LEAF = 10


class Grown(NamedTuple):
    """What the forests say of observed tables, and of the simulated ones they had not seen."""

    posterior: Floats  # observed × models, as error and votes
    error: Floats
    votes: Floats
    judged: Floats  # simulations × models: calibrated out-of-bag probabilities
    importance: Floats


def grow(features: Floats, observed: Floats, each: int, trees: int, seeds: np.random.SeedSequence) -> Grown:
    """Grow the forests and calibrate their votes, see :func:`spatialkz.focal.model_choice.model_posterior`.

    Parameters
    ----------
    features : array, shape (models × each, summaries)
        Simulated tables, model by model.
    observed : array, shape (tables, summaries)
        All with the margins of the simulated ones.
    each : int
        Tables of each model.
    trees : int
        Trees, all forests together.
    seeds : SeedSequence
    """
    from sklearn.linear_model import LogisticRegression

    models = len(features) // each
    truth = np.repeat(np.arange(models), each)
    # Every forest has as many tables of each model.
    group = np.tile(np.arange(each) % FORESTS, models)
    every, size = np.vstack([features, observed]).astype(np.float32), len(features)
    states = seeds.generate_state(FORESTS).tolist()
    task = partial(_forest, every, truth, group, trees // FORESTS, states)
    results = [one for part in in_blocks(task, FORESTS, np.inf, most=1) for one in part]
    shares = np.stack([share for share, _ in results])
    unseen = group != np.arange(FORESTS)[:, None]
    others = np.einsum("gsk,gs->sk", shares[:, :size], unseen.astype(np.float64)) / (FORESTS - 1)
    # A share of 0 is less than one leaf of one tree.
    least = 0.5 / (trees * _LEAF)
    logarithms = np.log(np.maximum(others, least))
    regression = LogisticRegression(C=10.0, max_iter=1000).fit(logarithms, truth)
    # Forests × tables × models.
    seen = np.maximum(shares[:, size:], least)
    by_forest = np.stack([regression.predict_proba(np.log(one)) for one in seen])
    votes = shares[:, size:].mean(axis=0)
    return Grown(
        regression.predict_proba(np.log(np.maximum(votes, least))),
        by_forest.std(axis=0, ddof=1) / np.sqrt(FORESTS),
        votes,
        regression.predict_proba(logarithms),
        np.mean([importance for _, importance in results], axis=0),
    )


def _forest(
    every: NDArray[np.float32],
    truth: NDArray[np.intp],
    group: NDArray[np.intp],
    trees: int,
    states: list[int],
    part: slice,
) -> list[tuple[Floats, Floats]]:
    """Shares of all tables by forests that each saw its own group alone, and importance of the summaries."""
    # Not RandomForestClassifier: around every tree it swaps the warning filters of the whole process, and
    # threads that do so at the same time leave each other's behind.
    from sklearn.tree import DecisionTreeClassifier

    found = []
    for which in range(part.start, part.stop):
        rng = np.random.default_rng(states[which])
        own = np.flatnonzero(group == which)
        shares, importance = np.zeros((len(every), truth.max() + 1)), np.zeros(every.shape[1])
        for state in rng.integers(2**31, size=trees).tolist():
            times = np.bincount(rng.integers(len(own), size=len(own)), minlength=len(own))
            bag = np.flatnonzero(times)
            tree = DecisionTreeClassifier(max_features="sqrt", min_samples_leaf=_LEAF, random_state=state)
            tree.fit(every[own[bag]], truth[own[bag]], times[bag].astype(np.float64), check_input=False)
            shares[:, tree.classes_] += tree.predict_proba(every, check_input=False)
            importance += tree.feature_importances_
        found.append((shares / trees, importance / trees))
    return found


def fit_p_value(simulated: Floats, observed: Floats) -> float:
    """Share of simulated summaries that lie as far out as the observed, by Mahalanobis distance.

    Center and covariance are those of all of them, the observed included, so that under the model its rank
    is uniform.
    """
    every = np.vstack([observed, simulated])
    z = every - every.mean(axis=0)
    spread = z.std(axis=0)
    z = z[:, spread > 1e-12] / spread[spread > 1e-12]
    distance = np.einsum("si,ij,sj->s", z, np.linalg.pinv(z.T @ z / len(z)), z, optimize=True)
    return float(monte_carlo_tail((distance[1:] >= distance[0]).sum(), len(simulated)))


def calibration_curve(truth: NDArray[np.intp], judged: Floats, bins: int = 10) -> pd.DataFrame:
    """Stated and observed probabilities of all models, by bins of equal width; empty bins are left out.

    Parameters
    ----------
    truth : array of int, shape (tables,)
    judged : array, shape (tables, models)
        Stated probability of each model.
    bins : int
    """
    came_true = truth[:, None] == np.arange(judged.shape[1])
    which = np.minimum((judged * bins).astype(int), bins - 1)
    cells = pd.DataFrame({"bin": which.ravel(), "stated": judged.ravel(), "observed": came_true.ravel()})
    groups = cells.groupby("bin")
    table = groups[["stated", "observed"]].mean().assign(count=groups.size())
    table.insert(0, "low", table.index / bins)
    table.insert(1, "high", (table.index + 1) / bins)
    return table
