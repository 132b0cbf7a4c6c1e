"""Which model makes tables like the one observed? Approximate Bayesian computation by classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from spatialkz.errors import InputError
from spatialkz.focal.models.learning import fit_p_value, learnt
from spatialkz.focal.models.models import (
    MODELS,
    PLACES,
    PRIOR_SETS,
    SHAPES,
    Classes,
    Generator,
    Priors,
    checked_priors,
)
from spatialkz.focal.models.reach import reach
from spatialkz.focal.models.summaries import SHAPE, SUMMARIES, simulated_summaries, summaries
from spatialkz.focal.questions.grades import checked_quotients, graded, varying, why_undecided
from spatialkz.focal.questions.size_null import Shares, optional_size_null
from spatialkz.geography.weights import row_standardized
from spatialkz.resampling.checks import seeds_of
from spatialkz.resampling.pvalues import Floats, check_number
from spatialkz.results import Result, json_ready

# A belt needs dense matrices of the size of the map.
_MOST_REGIONS = 2_000
_FEWEST = 600


@dataclass(frozen=True, repr=False)
class ModelChoice(Result):
    """Result of :func:`model_posterior`.

    Attributes
    ----------
    posterior, error : Series
        By model: posterior probability, and its standard error (simulations and learners, see there).
    shape : DataFrame
        Index ``spikes, gradient``; columns ``posterior, error``: of the models that co-locate sectors, those
        with few regions lifted against those in which all differ, by summaries that do not know the map.
    place : DataFrame
        Index ``contiguous, anywhere``; the same for the models that follow the map against those that do not,
        spikes and gradients alike.
    fit : Series
        By model: p-value of the hypothesis that the table is one of the model's. Small where the observed
        summaries lie further out than those of nearly all tables the model makes.
    power : Series
        What each test finds among tables of which it is true, see :func:`spatialkz.focal.models.reach.reach`.
    accuracy : Series
        Index ``model, shape, place``: share of simulated tables classified rightly by learners that had not
        seen them.
    confusion : DataFrame
        Rows the true model, columns the one chosen; shares of tables simulated.
    calibration : DataFrame
        Index ``(question, bin)``; of all such probabilities between ``low`` and ``high`` the mean
        (``stated``), the share that came true (``observed``) and the ``count``. They agree if probabilities
        mean what they say.
    summaries : DataFrame
        Index ``(summary, model)``; ``observed``, and ``low, median, high``, the central 95 % simulated.
    constant : tuple of str
        Sectors that are the same everywhere, left out: every arrangement of them is the same.
    simulations, threshold, priors
        As given.
    """

    posterior: pd.Series
    error: pd.Series
    shape: pd.DataFrame
    place: pd.DataFrame
    fit: pd.Series
    power: pd.Series
    accuracy: pd.Series
    confusion: pd.DataFrame
    calibration: pd.DataFrame
    summaries: pd.DataFrame
    constant: tuple[str, ...]
    simulations: int
    threshold: float
    priors: Priors

    @property
    def selected(self) -> str:
        """The most probable model."""
        return str(self.posterior.idxmax())

    def best_fit(self, shape: str) -> float:
        """Goodness of fit of the better of the two models of a shape."""
        return float(self.fit[list(SHAPES[shape])].max())

    @property
    def calibration_error(self) -> float:
        """Mean distance of stated from observed probability (expected calibration error)."""
        gap = (self.calibration["stated"] - self.calibration["observed"]).abs()
        return float(np.average(gap, weights=self.calibration["count"]))

    def to_frame(self) -> pd.DataFrame:
        """Index ``model``; columns ``posterior, error, fit``."""
        return pd.DataFrame({"posterior": self.posterior, "error": self.error, "fit": self.fit})

    def to_dict(self) -> dict[str, object]:
        """Everything, ready for JSON."""
        by_summary = {
            name: json_ready(rows.droplevel("summary"))
            for name, rows in self.summaries.groupby("summary", sort=False)
        }
        by_question = {
            name: json_ready(rows.droplevel("question"))
            for name, rows in self.calibration.groupby("question", sort=False)
        }
        series = {"posterior": self.posterior, "error": self.error, "fit": self.fit, "power": self.power}
        tables = {"shape": self.shape, "place": self.place, "confusion": self.confusion}
        given = {"simulations": self.simulations, "threshold": self.threshold, "priors": vars(self.priors)}
        plain = {"selected": self.selected, "accuracy": self.accuracy, "constant": list(self.constant)}
        results: dict[str, object] = {**plain, **series, **tables, **given}
        results |= {"calibration_error": self.calibration_error, "calibration": by_question}
        return {name: json_ready(value) for name, value in (results | {"summaries": by_summary}).items()}

    def summary(self) -> str:
        """Posterior and fit by model, shape and place, and how far they can be trusted."""
        either = pd.concat([self.shape, self.place])
        told = ", ".join(f"{name} {self.accuracy[name]:.0%}" for name in self.accuracy.index)
        return (
            f"Models of a table with these margins, {self.simulations} simulated tables\n"
            f"{self.to_frame().to_string(float_format='{:.3f}'.format)}\n"
            f"Shape and place of a common factor\n{either.to_string(float_format='{:.3f}'.format)}\n"
            f"Recognized among simulated tables: {told}; "
            f"mean error of stated probabilities: {self.calibration_error:.3f}"
        )


def model_posterior(
    quotients: pd.DataFrame,
    graph: Graph,
    *,
    priors: Priors | None = None,
    threshold: float = 1.0,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    simulations: int = 12_000,
    rng: int | np.random.Generator | None = None,
) -> ModelChoice:
    r"""Posterior probabilities of models of a table, learnt from tables that the models make.

    The models are those of :mod:`spatialkz.focal.models.models`, equally probable beforehand; what is looked
    at are the :mod:`spatialkz.focal.models.summaries` *s*. A classifier that has seen simulated tables of
    each model equally often estimates

    .. math:: P(k \mid s) = \frac{p(s \mid k)}{\sum_l p(s \mid l)} .

    Three questions are put: which of the six models (all summaries); of the four that co-locate sectors,
    spikes or a gradient (``shape``, by summaries that do not know the map, so that nothing of place enters);
    and of the same four, contiguous or anywhere (``place``, by all summaries, with spikes and gradients on
    both sides, so that shape decides nothing).

    Multinomial logistic regression on the summaries, their squares and (for shape) products is the learner;
    for shape and place boosted trees, which err in other ways, are a second one. Each learns from a quarter
    of the simulations at a time and judges the other three; the posterior is the mean, and

    .. math:: \mathrm{error}^2 = \frac{\mathrm{var}(\text{quarters})}{4} +
        \left(\frac{p_\text{regression} - p_\text{trees}}{2}\right)^2 ,

    so that it covers what other seeds and another learner would have said.

    Parameters
    ----------
    quotients : DataFrame, shape (regions, sectors)
        Location quotients of at least 5 regions and 2 sectors.
    graph : libpysal.graph.Graph
        Keyed by the same region labels; row-standardized here.
    priors : Priors, optional
        See :class:`spatialkz.focal.Priors`, and :func:`prior_sensitivity`.
    threshold : float
        Quotient from which a region counts as specialized.
    base_shares, units : optional
        Chance by size of region, as in :func:`spatialkz.focal.colocation_test`.
    simulations : int
        Simulated tables, all models together; at least 600.
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
    A posterior compares the models given and no others. Look at ``fit`` too: if no model makes tables like
    the observed one, the least unlikely of them means little. The error says how much the numbers move with
    other simulations and learners; it does not say how much they move with other priors.

    References
    ----------
    Lueckmann et al. (2021), *AISTATS* 130, 343–351 (classifiers as posteriors). Pudlo et al. (2016),
    *Bioinformatics* 32, 859–866 (model choice by classification of summaries). Lemaire et al. (2016),
    arXiv:1601.04096 (goodness of fit from simulated summaries).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> choice = model_posterior(study.table.values, study.graph, simulations=600, rng=1)
    >>> choice.selected != "dispersed", float(round(choice.posterior.sum(), 6))
    (True, 1.0)
    """
    check_number(simulations, "simulations", _FEWEST)
    priors = checked_priors(priors)
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
    table = table.loc[:, varies]
    sizes = optional_size_null(table, base_shares, units)
    weights, cells = row_standardized(graph, table.index), table.to_numpy()
    seeds = seeds_of(rng, "model-choice")
    each = simulations // len(MODELS)
    maker = Generator(cells, priors, weights, sizes)
    simulated = {
        model: simulated_summaries(maker, model, weights, threshold, each, seeds) for model in MODELS
    }
    observed = summaries(cells[None], cells, weights, threshold)
    known = np.array([name in SHAPE for name in SUMMARIES])
    everything = np.ones(len(SUMMARIES), dtype=bool)
    questions: dict[str, tuple[Classes, NDArray[np.bool_]]] = {
        "model": ({str(model): (model,) for model in MODELS}, everything),
        "shape": (SHAPES, known),
        "place": (PLACES, everything),
    }
    answers = {
        name: learnt(
            [np.concatenate([simulated[model][:, used] for model in models]) for models in classes.values()],
            observed[:, used],
        )
        for name, (classes, used) in questions.items()
    }
    names = {name: pd.Index(list(classes), name=name) for name, (classes, _) in questions.items()}
    frames = {
        name: pd.DataFrame({"posterior": found.posterior[0], "error": found.error[0]}, index=names[name])
        for name, found in answers.items()
    }
    models, curves = names["model"], {name: found.calibration for name, found in answers.items()}
    return ModelChoice(
        frames["model"]["posterior"],
        frames["model"]["error"],
        frames["shape"],
        frames["place"],
        pd.Series([fit_p_value(part, observed[0]) for part in simulated.values()], models, name="fit"),
        reach(simulated, answers["shape"].judged),
        pd.Series({name: found.accuracy for name, found in answers.items()}, name="accuracy"),
        pd.DataFrame(answers["model"].confusion, models.rename("true"), models.rename("chosen")),
        pd.concat(curves, names=["question", "bin"]),
        _quantiles(list(simulated.values()), observed[0], models),
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
    threshold: float = 1.0,
    base_shares: Shares | Sequence[Shares] | None = None,
    units: float | pd.Series | None = None,
    simulations: int = 6_000,
    rng: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Posterior probabilities under several sets of priors.

    Parameters and errors are those of :func:`model_posterior`.

    Returns
    -------
    DataFrame
        Index ``priors``; ``spikes`` and ``contiguous`` (posterior probabilities of shape and place), then a
        column for each model, ``accuracy`` (of shape) and ``fit`` (of the best model).

    Examples
    --------
    >>> import spatialkz
    >>> study = spatialkz.load_study()
    >>> sets = {"default": Priors(), "strong": PRIOR_SETS["strong"]}
    >>> table = prior_sensitivity(study.table.values, study.graph, sets=sets, simulations=600, rng=1)
    >>> table.columns[:3].tolist()
    ['spikes', 'contiguous', 'foci']
    """
    if not isinstance(sets, Mapping) or not sets:
        raise InputError("sets must be a mapping of names to Priors, with at least one.")
    for priors in sets.values():
        checked_priors(priors)
    rows = {}
    for name, priors in sets.items():
        choice = model_posterior(
            quotients,
            graph,
            priors=priors,
            threshold=threshold,
            base_shares=base_shares,
            units=units,
            simulations=simulations,
            rng=rng,
        )
        rows[name] = {
            "spikes": choice.shape.loc["spikes", "posterior"],
            "contiguous": choice.place.loc["contiguous", "posterior"],
            **choice.posterior.to_dict(),
            "accuracy": choice.accuracy["shape"],
            "fit": choice.fit[choice.selected],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("priors")


def _quantiles(simulated: Sequence[Floats], observed: Floats, labels: pd.Index) -> pd.DataFrame:
    inner = [np.quantile(part, [0.025, 0.5, 0.975], axis=0) for part in simulated]
    low, middle, high = np.stack(inner, axis=1)
    index = pd.MultiIndex.from_product([SUMMARIES, labels], names=["summary", "model"])
    columns = {"low": low.T.ravel(), "median": middle.T.ravel(), "high": high.T.ravel()}
    return pd.DataFrame({"observed": np.repeat(observed, len(labels)), **columns}, index=index)
