"""Which choice moves the ranks, of any indicators and of a study's areas: Sobol' indices, by SALib."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from spatialkz.candidates.evidence.evidence import DrawnEvidence, area_evidence
from spatialkz.candidates.scoring.choices import (
    Drawn,
    RankChoices,
    Setup,
    evaluate,
    scenario_codes,
    shared_ranks,
    study_choices,
)
from spatialkz.candidates.scoring.normalization import Floats
from spatialkz.errors import InputError
from spatialkz.randomness import generator
from spatialkz.resampling.pvalues import check_number
from spatialkz.results import Result, json_ready
from spatialkz.specialization import breadth, table_quotients
from spatialkz.study import Study

Ints = npt.NDArray[np.intp]

MEAN_SHIFT = "mean shift"
_COLUMNS = {"S1": "first", "S1_conf": "first_margin", "ST": "total", "ST_conf": "total_margin"}


def sobol_indices(
    model: Callable[[npt.NDArray[np.float64]], pd.DataFrame | Floats],
    factors: Mapping[str, tuple[float, float]],
    *,
    samples: int = 1024,
    rng: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    r"""First-order and total Sobol' indices of independent uniform factors.

    .. math:: S_k = \frac{V[E(Y \mid x_k)]}{V(Y)}, \qquad
              T_k = 1 - \frac{V[E(Y \mid x_{\sim k})]}{V(Y)}

    *S* is the share of the variance of the output that factor *k* explains alone, *T* the share it has a
    part in. SALib draws the points (Saltelli's extension of a scrambled Sobol' sequence) and estimates.

    Parameters
    ----------
    model : callable
        Points (N, factors) → outputs (N,) or (N, outputs), or a DataFrame with a column for each output.
    factors : mapping
        Name → (low, high).
    samples : int
        A power of 2; the model meets samples × (factors + 2) points.
    rng : int, Generator or None
        Seed.

    Returns
    -------
    DataFrame
        Index (output, factor); ``first, first_margin, total, total_margin``, margins being half-widths
        of 95 % bootstrap intervals, and ``variance`` of the output. Estimates may be a little below 0.
        An output that does not vary is moved by nothing: its indices are 0.

    Raises
    ------
    InputError
        If samples is not a power of 2, a factor has no range, or the model returns another number of outputs
        or one that is not finite.

    References
    ----------
    Saltelli et al. (2010), *Computer Physics Communications* 181, 259–270; Iwanaga, Usher & Herman (2022),
    *Socio-Environmental Systems Modelling* 4, 18155 (SALib).

    Examples
    --------
    Ishigami's function, of which the first indices are 0.314, 0.442 and 0:

    >>> def ishigami(x):
    ...     return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    >>> found = sobol_indices(ishigami, {name: (-np.pi, np.pi) for name in ("a", "b", "c")}, rng=1)
    >>> found["first"].round(1).abs().tolist()
    [0.3, 0.4, 0.0]
    """
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sampling

    check_number(samples, "samples", 2)
    if samples & (samples - 1):
        raise InputError(f"samples is {samples}; a power of 2 is expected.")
    empty = [name for name, (low, high) in factors.items() if not low < high]
    if empty or not factors:
        raise InputError(f"Each factor needs a low end below its high end: {empty or 'there is no factor'}.")
    bounds = [list(ends) for ends in factors.values()]
    problem = {"num_vars": len(factors), "names": list(factors), "bounds": bounds}
    seeds = generator(rng, "sobol_indices").integers(2**31, size=2).tolist()
    points = sampling.sample(problem, samples, calc_second_order=False, seed=seeds[0])
    given = model(points)
    outputs = given if isinstance(given, pd.DataFrame) else pd.DataFrame(np.asarray(given, dtype=np.float64))
    cells = outputs.to_numpy(dtype=np.float64)
    if len(cells) != len(points) or not np.isfinite(cells).all():
        raise InputError(
            f"The model must return finite outputs for {len(points)} points; it returned {len(cells)}"
            f"{'' if np.isfinite(cells).all() else ', some not finite'}."
        )
    tables = {}
    for name, output in zip(outputs.columns, cells.T, strict=True):
        table = pd.DataFrame(0.0, index=list(factors), columns=list(_COLUMNS.values()))
        if np.ptp(output) > 0:
            estimate = analysis.analyze(problem, output, calc_second_order=False, seed=seeds[1])
            for theirs, ours in _COLUMNS.items():
                table[ours] = np.asarray(estimate[theirs])
        tables[name] = table.assign(variance=output.var())
    return pd.concat(tables, names=["output", "factor"])


@dataclass(frozen=True, repr=False)
class RankSensitivity(Result):
    """Result of :func:`rank_sensitivity`.

    Attributes
    ----------
    overall : DataFrame
        Index factor; ``first, first_margin, total, total_margin, variance`` of the mean shift in rank.
    items : DataFrame
        The same for the rank of each item; index (item, factor).
    """

    overall: pd.DataFrame
    items: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Indices of the mean shift in rank, by factor."""
        return self.overall.copy()

    def to_dict(self) -> dict[str, object]:
        """Both tables, ready for JSON."""
        rows = self.items.reset_index().astype({"item": str}).to_dict("records")
        return {"mean_shift": json_ready(self.overall), "items": [json_ready(row) for row in rows]}

    def summary(self) -> str:
        """Factors by total index."""
        table = self.overall.sort_values("total", ascending=False, kind="stable")
        return f"Sobol' indices of the mean shift in rank\n{table.to_string(float_format='{:.3f}'.format)}"


def rank_sensitivity(
    evidence: pd.DataFrame,
    directions: pd.Series,
    choices: RankChoices | None = None,
    *,
    drawn: Drawn = None,
    samples: int = 1024,
    realizations: int = 256,
    rng: int | np.random.Generator | None = None,
) -> RankSensitivity:
    r"""Sobol' indices of the choices behind a ranking.

    Outputs are the mean shift :math:`\frac{1}{n} \sum_i |r_i - r_i^0|` from the default ranks and the rank of
    each item, tied items sharing the mean of their ranks. Factors are those of :func:`rank_uncertainty` that
    have more than one option: ``error``, scenarios, ``normalization``, ``weights``, ``aggregation``,
    ``dropped``. A uniform number picks the option; for error and weights it picks one of ``realizations``
    drawn beforehand, the same ones under every other choice.

    Parameters
    ----------
    evidence, directions, choices, drawn
        As for :func:`rank_uncertainty`; an array ``drawn`` is itself the realizations of error.
    samples : int
        A power of 2; (factors + 2) × samples rankings are made.
    realizations : int
        Draws of error (for each combination of scenarios) and of weights that the factors pick from.
    rng : int, Generator or None
        Seed.

    Returns
    -------
    RankSensitivity

    Raises
    ------
    InputError
        As :func:`rank_uncertainty`; if no choice has more than one option.

    References
    ----------
    Saisana, Saltelli & Tarantola (2005), *Journal of the Royal Statistical Society A* 168, 307–323.

    Examples
    --------
    >>> evidence = pd.DataFrame({"lq": [3.0, 2.0, 1.0], "share": [0.5, 0.6, 0.3]},
    ...                         index=["North", "South", "West"])
    >>> found = rank_sensitivity(evidence, pd.Series({"lq": 1, "share": 1}), samples=128, rng=1)
    >>> found.overall.index.tolist()
    ['normalization', 'aggregation', 'dropped', 'weights']
    """
    setup = Setup.of(evidence, directions, choices or RankChoices(), drawn)
    check_number(realizations, "realizations", 2, 1_000_000)
    for_weights, for_error, for_points = generator(rng, "rank_sensitivity").spawn(3)
    levels = {name: len(options) for name, options in setup.options.items()}
    weights = setup.drawn_weights(realizations, for_weights)
    levels["weights"] = realizations if setup.choices.concentration is not None else 1
    stored: dict[tuple[int, ...], Floats] = {}
    levels["error"] = 1
    if drawn is not None:
        levels["error"] = len(drawn) if isinstance(drawn, np.ndarray) else realizations
        seed = int(for_error.integers(2**63))
        for scenario in scenario_codes(setup):
            # The same numbers under every scenario, so that error and scenario are separate factors.
            stored[scenario] = setup.evidence(
                scenario, np.arange(levels["error"]), np.random.default_rng(seed)
            )
    factors = {name: (0.0, 1.0) for name, count in levels.items() if count > 1}
    if not factors:
        raise InputError("No choice has more than one option, so nothing can move the ranks.")
    model = partial(_outputs, setup, list(factors), levels, weights, stored)
    found = sobol_indices(model, factors, samples=samples, rng=for_points)
    items = found.drop(index=MEAN_SHIFT, level="output").rename_axis(index=["item", "factor"])
    overall = found.loc[[MEAN_SHIFT]].droplevel("output")
    return RankSensitivity(overall, items)


def _outputs(
    setup: Setup,
    factors: list[str],
    levels: dict[str, int],
    weights: Floats,
    stored: dict[tuple[int, ...], Floats],
    points: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """Mean shift and ranks at points of the unit cube."""
    # A first row that takes every default is what the shifts are measured from.
    code = {name: np.zeros(len(points) + 1, dtype=np.intp) for name in levels}
    for name, column in zip(factors, points.T, strict=True):
        code[name][1:] = np.minimum(column * levels[name], levels[name] - 1).astype(np.intp)
    chosen = np.asarray(weights)[code["weights"]]
    chosen[0] = setup.weights
    fetch = partial(_stored, setup, stored, code["error"])
    ranks = evaluate(
        setup,
        np.column_stack([code[name] for name in setup.options][:-1]),
        setup.without_dropped(chosen, code["dropped"]),
        fetch,
        shared_ranks,
        np.random.default_rng(0),
    )
    usual, ranks = ranks[0], ranks[1:, np.argsort(setup.rows)]
    shift = np.abs(ranks - usual[np.argsort(setup.rows)]).mean(axis=1)
    table = pd.DataFrame(ranks, columns=setup.table.index.to_flat_index())
    table.insert(0, MEAN_SHIFT, shift)
    return table


def _stored(
    setup: Setup,
    stored: dict[tuple[int, ...], Floats],
    realization: Ints,
    scenario: tuple[int, ...],
    ids: Ints,
    rng: np.random.Generator,  # noqa: ARG001
) -> Floats:
    """Evidence of the realization that each draw picks."""
    if not stored:
        return setup.evidence(scenario, ids, None)
    values = stored[scenario][realization[ids]]
    if ids[0] == 0:
        values[0] = setup.point
    return values


def area_sensitivity(
    study: Study, *, samples: int = 1024, rng: int | np.random.Generator | None = None
) -> RankSensitivity:
    """Sobol' indices of the choices behind the area ranking of :func:`rank_candidates`.

    Factors are those that its draws vary: rounding (``error``; its indices are 0 where quotients are exact),
    threshold, normalization, weights, aggregation, and the indicator left out. Regions without a candidate
    are not ranked and take no part.

    Parameters
    ----------
    study : Study
    samples : int
        A power of 2; see :func:`rank_sensitivity`.
    rng : int, Generator or None

    Returns
    -------
    RankSensitivity

    Raises
    ------
    InputError
        As :func:`rank_sensitivity`; if fewer than two regions have a candidate, or nothing tells them apart.

    Examples
    --------
    >>> import spatialkz
    >>> found = area_sensitivity(spatialkz.load_study(), samples=64, rng=1)
    >>> print(*found.overall.index, sep=", ")
    threshold, normalization, aggregation, dropped, weights, error
    """
    threshold = study.choices.threshold
    quotients = table_quotients(study.table)
    ranked = np.flatnonzero(breadth(quotients, threshold))
    drawn = DrawnEvidence.of(study, area_evidence, quotients.index[ranked], (ranked,))
    if not drawn.varying:
        raise InputError(
            f"{len(ranked)} of {len(quotients)} regions have a quotient of {threshold:g} or more, and no "
            "evidence tells them apart, so there are no ranks that a choice could move."
        )
    table = drawn.table[drawn.varying]
    directions = pd.Series(1, index=table.columns)
    return rank_sensitivity(
        table, directions, study_choices(threshold), drawn=drawn, samples=samples, rng=rng
    )
