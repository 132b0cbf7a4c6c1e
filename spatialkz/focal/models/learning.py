"""Learning from simulated tables to name what made one: two learners, judged on tables they have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    said = np.zeros((2, _PARTS, len(every), classes))
    for which in range(_PARTS):
        for learner, model in enumerate(_learners(features.shape[1])):
            with warnings.catch_warnings():
                # An optimum that is reached to fewer digits is as good here.
                warnings.simplefilter("ignore")
                model.fit(features[part == which], truth[part == which])
            said[learner, which] = model.predict_proba(every)
    unseen = (part != np.arange(_PARTS)[:, None]) / (_PARTS - 1)
    judged = np.einsum("lpsk,ps->sk", said[:, :, : len(features)], unseen) / 2
    seen = said[:, :, len(features) :]
    between = seen.mean(axis=0).var(axis=0, ddof=1) / _PARTS
    apart = (seen[0] - seen[1]).mean(axis=0) / 2
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


def _learners(count: int) -> list[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler

    curves = (
        PolynomialFeatures(2, include_bias=False)
        if count <= _PRODUCTS_UP_TO
        else FunctionTransformer(_squares)
    )
    regression = LogisticRegression(C=0.5, solver="newton-cholesky")
    trees = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        early_stopping=False,
        random_state=0,
    )
    return [make_pipeline(StandardScaler(), curves, StandardScaler(), regression), trees]


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
