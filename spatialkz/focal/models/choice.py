"""Which model makes tables like the one observed? Approximate Bayesian computation by random forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spatialkz.errors import InputError, listing
from spatialkz.focal.models.models import PRIOR_SETS, Generator, Priors
from spatialkz.focal.models.summaries import SUMMARIES, summaries
from spatialkz.focal.questions.grades import checked_quotients, graded, varying, why_undecided
from spatialkz.focal.questions.size_null import Shares, size_null
from spatialkz.geography.weights import row_standardized
from spatialkz.options import FocalModel
from spatialkz.resampling.checks import seeds_of
from spatialkz.resampling.parallel import in_blocks
from spatialkz.resampling.pvalues import Floats, check_number, monte_carlo_tail
from spatialkz.results import Result, json_ready

MODELS: tuple[FocalModel, ...] = ("focal", "belt", "dispersed")
# Cells of tables that are worked on at once, and the most tables that share a generator.
_CELLS, _CHUNK = 2_000_000, 256
# A belt needs dense matrices of the size of the map.
_MOST_REGIONS = 2_000
# Forests, each grown on simulations of its own: their scatter is the Monte-Carlo error.
FORESTS = 6
# Simulations in a leaf of a tree; shares of few are no probabilities.
_LEAF = 10


@dataclass(frozen=True, repr=False)
class ModelChoice(Result):
    """Result of :func:`model_posterior`.

    Attributes
    ----------
    posterior, error : Series
        By model: posterior probability, and its Monte-Carlo standard error.
    votes : Series
        By model: what the forests say, before the probabilities are calibrated.
    fit : Series
        By model: p-value of the hypothesis that the table is one of the model's. Small where the observed
        summaries lie further out than those of nearly all tables the model makes.
    confusion : DataFrame
        Rows the true model, columns the one chosen; shares of tables simulated, each judged by the forests
        that had not seen it.
    calibration : DataFrame
        Index ``bin``; of all such probabilities between ``low`` and ``high`` the mean (``stated``), the share
        that came true (``observed``) and the ``count``. They agree if probabilities mean what they say.
    summaries : DataFrame
        Index ``(summary, model)``; ``observed``, and ``low, median, high``, the central 95 % simulated.
    importance : Series
        By summary: its part in telling the models apart.
    constant : tuple of str
        Sectors that are the same everywhere, left out: every arrangement of them is the same.
    simulations, threshold, priors
        As given.
    """

    posterior: pd.Series
    error: pd.Series
    votes: pd.Series
    fit: pd.Series
    confusion: pd.DataFrame
    calibration: pd.DataFrame
    summaries: pd.DataFrame
    importance: pd.Series
    constant: tuple[str, ...]
    simulations: int
    threshold: float
    priors: Priors

    @property
    def selected(self) -> str:
        """The most probable model."""
        return str(self.posterior.idxmax())

    @property
    def accuracy(self) -> float:
        """Share of simulated tables whose model is recognized, all models equally frequent."""
        return float(np.diag(self.confusion).mean())

    @property
    def calibration_error(self) -> float:
        """Mean distance of stated from observed probability (expected calibration error)."""
        gap = (self.calibration["stated"] - self.calibration["observed"]).abs()
        return float(np.average(gap, weights=self.calibration["count"]))

    def to_frame(self) -> pd.DataFrame:
        """Index ``model``; columns ``posterior, error, votes, fit``."""
        columns = {"posterior": self.posterior, "error": self.error, "votes": self.votes, "fit": self.fit}
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        by_summary = {
            name: json_ready(rows.droplevel("summary"))
            for name, rows in self.summaries.groupby("summary", sort=False)
        }
        plain = {"selected": self.selected, "accuracy": self.accuracy, "constant": list(self.constant)}
        given = {"simulations": self.simulations, "threshold": self.threshold, "priors": vars(self.priors)}
        series = {"posterior": self.posterior, "error": self.error, "votes": self.votes, "fit": self.fit}
        tables = {"confusion": self.confusion, "calibration": self.calibration, "importance": self.importance}
        results: dict[str, object] = {**plain, **series, **tables, **given}
        results |= {"calibration_error": self.calibration_error, "summaries": by_summary}
        return {name: json_ready(value) for name, value in results.items()}

    def summary(self) -> str:
        """Posterior and fit by model, and how far they can be trusted."""
        return (
            f"Models of a table with these margins, {self.simulations} simulated tables\n"
            f"{self.to_frame().to_string(float_format='{:.3f}'.format)}\n"
            f"Recognized among simulated tables: {self.accuracy:.0%}; "
            f"mean error of stated probabilities: {self.calibration_error:.3f}"
        )


def model_posterior(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    models: Sequence[FocalModel] = MODELS,
    priors: Priors | None = None,
    threshold: float = 1.0,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    simulations: int = 12_000,
    trees: int = 240,
    rng: int | np.random.Generator | None = None,
) -> ModelChoice:
    r"""Posterior probabilities of models of a table, by random forests grown on tables the models make.

    The models are those of :mod:`spatialkz.focal.models.models`, equally probable beforehand; what is looked
    at are the :mod:`spatialkz.focal.models.summaries`. Random forests learn from simulated tables to name the
    model. Each is grown on a part of the tables of its own, so each table can be judged by the forests that
    never saw it; from these (out-of-bag) shares of votes :math:`v_{sk}` the probabilities are found by
    regression of the true model on them,

    .. math:: P(k \mid v) \propto \exp\Big(a_k + \sum_l b_{kl} \ln v_l\Big),

    and the observed table's shares go through the same formula. Shares of votes alone are no posterior
    probabilities (Pudlo et al.); regression of truth on them is what makes them so, as in Pudlo et al. for
    the model selected, here for all models at once. ``calibration`` shows whether it did.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    graph : libpysal.graph.Graph
        Keyed by the same region labels, in any order; row-standardized here.
    models : sequence of {"focal", "belt", "dispersed", "mixture"}
        A mixture is left out by default. It can look like either parent, so beside it none could reach a
        high probability on a small map; include it to see what it takes from them.
    priors : Priors, optional
        See :class:`spatialkz.focal.Priors`, and :func:`prior_sensitivity`.
    threshold : float
        Quotient from which a region counts as specialized.
    base_shares, units : optional
        Chance by size of region, as in :func:`spatialkz.focal.colocation_test`.
    simulations : int
        Simulated tables, all models together; at least 600.
    trees : int
        Trees, all forests together; at least 60.
    rng : int, Generator or None
        Seed. The order of rows and columns and the number of threads do not matter.

    Returns
    -------
    ModelChoice

    Raises
    ------
    InputError
        If a cell is missing or negative, there are fewer than 5 regions, more than 2,000, or fewer than 2
        sectors that differ between regions, or an option is out of range.
    RegionError, GraphError
        If graph and quotients differ in their regions, or a region has no neighbor.

    Notes
    -----
    A posterior compares the models given and no others. Look at ``fit`` first: if no model makes tables like
    the observed one, the least unlikely of them means nothing. The Monte-Carlo error says how much the
    numbers move with other simulations; it does not say how much they move with other priors.

    References
    ----------
    Pudlo et al. (2016), *Bioinformatics* 32, 859–866 (random forests for model choice). Malley et al. (2012),
    *Methods of Information in Medicine* 51, 74–81 (probabilities from forests). Lemaire et al. (2016),
    arXiv:1601.04096 (goodness of fit from simulated summaries).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> choice = model_posterior(study.table.values, study.graph, simulations=600, trees=60, rng=1)
    >>> choice.selected != "dispersed", float(round(choice.posterior.sum(), 6))
    (True, 1.0)
    """
    _check(models, simulations, trees)
    table = checked_quotients(quotients)
    if len(table) > _MOST_REGIONS:
        raise InputError(
            f"Models are compared for {_MOST_REGIONS} regions at most; quotients has {len(table)}."
        )
    varies = varying(table.to_numpy())
    constant = [name for name in quotients.columns if name in set(table.columns[~varies])]
    reason = why_undecided(graded(table, "rank", threshold).to_numpy(), "rank", threshold)
    if reason:
        raise InputError(f"The models cannot be compared: {reason}.")
    priors = Priors() if priors is None else priors
    table = table.loc[:, varies]
    sizes = None if base_shares is None else size_null(table, base_shares, units)
    weights, cells = row_standardized(graph, table.index), table.to_numpy()
    seeds = seeds_of(rng, "model-choice")
    each = simulations // len(models)
    maker = Generator.of(cells, weights, priors, sizes)
    simulated = [simulated_summaries(maker, model, weights, threshold, each, seeds) for model in models]
    observed = summaries(cells[None], cells, weights, threshold)[0]
    states = np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, len(get_args(FocalModel))))
    grown = grow(np.concatenate(simulated), observed[None], each, trees, states)
    labels = pd.Index([str(model) for model in models], name="model")
    truth = np.repeat(np.arange(len(models)), each)
    return ModelChoice(
        pd.Series(grown.posterior[0], labels, name="posterior"),
        pd.Series(grown.error[0], labels, name="error"),
        pd.Series(grown.votes[0], labels, name="votes"),
        pd.Series([fit_p_value(part, observed) for part in simulated], labels, name="fit"),
        _confusion(truth, grown.judged, labels),
        calibration_curve(truth, grown.judged),
        _quantiles(simulated, observed, labels),
        pd.Series(grown.importance, pd.Index(SUMMARIES, name="summary"), name="importance"),
        tuple(map(str, constant)),
        simulations,
        threshold,
        priors,
    )


def prior_sensitivity(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    sets: Mapping[str, Priors] = PRIOR_SETS,
    models: Sequence[FocalModel] = MODELS,
    threshold: float = 1.0,
    simulations: int = 6_000,
    rng: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Posterior probabilities under several sets of priors.

    Parameters and errors are those of :func:`model_posterior`.

    Returns
    -------
    DataFrame
        Index ``priors``; a column for each model, then ``accuracy`` and ``fit`` (of the best model).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> sets = {"default": Priors(), "strong": PRIOR_SETS["strong"]}
    >>> table = prior_sensitivity(study.table.values, study.graph, sets=sets, simulations=600, rng=1)
    >>> table.columns.tolist()
    ['focal', 'belt', 'dispersed', 'accuracy', 'fit']
    """
    rows = {}
    for name, priors in sets.items():
        choice = model_posterior(
            quotients,
            graph,
            models=models,
            priors=priors,
            threshold=threshold,
            simulations=simulations,
            rng=rng,
        )
        last = pd.Series({"accuracy": choice.accuracy, "fit": choice.fit[choice.selected]})
        rows[name] = pd.concat([choice.posterior, last])
    return pd.DataFrame(rows).T.rename_axis("priors")


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
        key = (*seeds.spawn_key, get_args(FocalModel).index(model), first // chunk)
        child = np.random.SeedSequence(seeds.entropy, spawn_key=key)
        tables = maker.tables(model, min(chunk, part.stop - first), child)
        found.append(summaries(tables, maker.cells, weights, threshold))
    return np.concatenate(found)


def _confusion(truth: NDArray[np.intp], judged: Floats, labels: pd.Index) -> pd.DataFrame:
    chosen = judged.argmax(axis=1)
    k = len(labels)
    counts = np.bincount(truth * k + chosen, minlength=k * k).reshape(k, k)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return pd.DataFrame(shares, index=labels.rename("true"), columns=labels.rename("chosen"))


def _quantiles(simulated: Sequence[Floats], observed: Floats, labels: pd.Index) -> pd.DataFrame:
    inner = [np.quantile(part, [0.025, 0.5, 0.975], axis=0) for part in simulated]
    low, middle, high = np.stack(inner, axis=1)
    index = pd.MultiIndex.from_product([SUMMARIES, labels], names=["summary", "model"])
    columns = {"low": low.T.ravel(), "median": middle.T.ravel(), "high": high.T.ravel()}
    return pd.DataFrame({"observed": np.repeat(observed, len(labels)), **columns}, index=index)


def _check(models: Sequence[FocalModel], simulations: int, trees: int) -> None:
    unknown = [model for model in models if model not in get_args(FocalModel)]
    if unknown or len(set(models)) < 2 or len(set(models)) < len(models):
        raise InputError(
            f"models is {listing(models)}; it must name two or more of {listing(get_args(FocalModel))}, "
            "each once."
        )
    check_number(simulations, "simulations", 600)
    check_number(trees, "trees", 60, 100_000)


class Grown(NamedTuple):
    """What the forests say of observed tables, and of the simulated ones they had not seen."""

    posterior: Floats  # observed × models, as error and votes
    error: Floats
    votes: Floats
    judged: Floats  # simulations × models: calibrated out-of-bag probabilities
    importance: Floats


def grow(features: Floats, observed: Floats, each: int, trees: int, seeds: np.random.SeedSequence) -> Grown:
    """Grow the forests and calibrate their votes, see :func:`spatialkz.focal.model_posterior`.

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
