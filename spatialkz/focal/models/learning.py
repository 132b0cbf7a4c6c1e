"""Learning from simulated tables to name what made one: two learners, judged on tables they have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from spatialkz.resampling.pvalues import Floats, monte_carlo_tail

# Parts of the simulations, each learnt from alone: their scatter is the Monte-Carlo error.
_PARTS = 4
# Summaries up to which all their products enter the regression, and not their squares alone.
_PRODUCTS_UP_TO = 10


class Learnt(NamedTuple):
    """What the learners say of observed tables, and of the simulated ones they had not seen."""

    posterior: Floats  # observed × classes, as error
    error: Floats
    judged: Floats  # simulations × classes
    accuracy: float
    confusion: Floats  # true class × chosen class, shares
    calibration: pd.DataFrame


def learnt(simulated: Sequence[Floats], observed: Floats) -> Learnt:
    """Learn to name the class of a table, see :func:`spatialkz.focal.model_posterior`.

    Parameters
    ----------
    simulated : sequence of array, shape (each, summaries)
        Simulated tables of each class, as many of each.
    observed : array, shape (tables, summaries)
    """
    classes, each = len(simulated), len(simulated[0])
    features, truth = np.concatenate(simulated), np.repeat(np.arange(classes), each)
    part = np.tile(np.arange(each) % _PARTS, classes)
    # Beyond what was simulated a regression would only extrapolate.
    every = np.vstack([features, np.clip(observed, features.min(axis=0), features.max(axis=0))])
    learners = _learners(features.shape[1], classes)
    said = np.zeros((len(learners), _PARTS, len(every), classes))
    # On small data threads wait for each other longer than they work.
    with threadpool_limits(1), warnings.catch_warnings():
        # An optimum that is reached to fewer digits is as good here.
        warnings.simplefilter("ignore")
        for which, (learner, model) in product(range(_PARTS), enumerate(learners)):
            model.fit(features[part == which], truth[part == which])
            said[learner, which] = model.predict_proba(every)
    unseen = (part != np.arange(_PARTS)[:, None]) / (_PARTS - 1)
    judged = np.einsum("lpsk,ps->sk", said[:, :, : len(features)], unseen) / len(learners)
    seen = said[:, :, len(features) :]
    between = seen.mean(axis=0).var(axis=0, ddof=1) / _PARTS
    apart = (seen[0] - seen[-1]).mean(axis=0) / 2
    chosen = judged.argmax(axis=1)
    counts = np.bincount(truth * classes + chosen, minlength=classes**2).reshape(classes, classes)
    return Learnt(
        seen.mean(axis=(0, 1)),
        np.sqrt(between + apart**2),
        judged,
        float((chosen == truth).mean()),
        counts / each,
        calibration_curve(truth, judged),
    )


def _learners(summaries: int, classes: int) -> list[Any]:
    """Regression, and for a question of two answers boosted trees, which err in other ways."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

    products = PolynomialFeatures(2, include_bias=False)
    curves = products if summaries <= _PRODUCTS_UP_TO else FunctionTransformer(_squares)
    regression = LogisticRegression(C=0.5, solver="newton-cholesky")
    learners: list[Any] = [make_pipeline(StandardScaler(), curves, StandardScaler(), regression)]
    if classes == 2:
        small = {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 6, "min_samples_leaf": 30}
        learners.append(HistGradientBoostingClassifier(**small, early_stopping=False, random_state=0))
    return learners


def _squares(values: Floats) -> Floats:
    return np.hstack([values, values**2])


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
