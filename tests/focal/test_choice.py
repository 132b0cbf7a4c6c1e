"""The comparison of models recognizes what it should, and does not what nobody could."""

import json
import warnings
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import GraphError, InputError
from spatialkz.focal.models.choice import model_posterior, prior_sensitivity
from spatialkz.focal.models.learning import calibration_curve, fit_p_value, learnt
from spatialkz.focal.models.models import MODELS, PRIOR_SETS, SHAPES, Generator, Priors
from spatialkz.focal.models.reach import reach, wanted
from spatialkz.focal.models.summaries import SUMMARIES, simulated_summaries
from spatialkz.geography.weights import row_standardized

# Hubs and belts that do nothing.
NOTHING = replace(Priors(), lift=(0.0, 0.0), slope=(0.0, 0.0))
QUICK = {"simulations": 3000, "rng": 1}


@pytest.fixture(scope="module")
def choice(study):
    return model_posterior(study.table.values, study.graph, **QUICK)


def table_of(model, study, number, **priors):
    quotients = study.table.values.sort_index().sort_index(axis=1)
    weights = row_standardized(study.graph, quotients.index)
    maker = Generator(quotients.to_numpy(), replace(Priors(), **priors), weights)
    made = maker.tables(model, 1, np.random.SeedSequence(number))[0]
    return pd.DataFrame(made, quotients.index, quotients.columns)


def test_models_are_recognized_far_beyond_chance(choice):
    assert choice.accuracy["model"] > 0.6  # one in six by chance
    assert choice.accuracy["shape"] > 0.85
    assert choice.accuracy["place"] > 0.65
    assert np.allclose(choice.confusion.sum(axis=1), 1)
    assert choice.posterior.sum() == pytest.approx(1)
    for question in (choice.shape, choice.place):
        assert question["posterior"].sum() == pytest.approx(1)


def test_models_that_are_the_same_cannot_be_told_apart(study):
    same = model_posterior(study.table.values, study.graph, priors=NOTHING, **QUICK)
    assert same.accuracy["model"] == pytest.approx(1 / 6, abs=0.04)
    assert same.accuracy["shape"] == pytest.approx(1 / 2, abs=0.04)
    assert same.posterior.tolist() == pytest.approx([1 / 6] * 6, abs=0.15)
    assert same.shape["posterior"].tolist() == pytest.approx([1 / 2] * 2, abs=0.2)


CLEAR = {"lift": (4.0, 6.0), "slope": (0.0, 0.1), "following": (0.9, 1.0), "rho": (0.94, 0.95)}


@pytest.mark.parametrize("model", MODELS)
def test_clear_tables_are_named(study, model):
    few = {"hubs": (2, 0.18)} if model in SHAPES["spikes"] else {}
    tables = [table_of(model, study, number, **CLEAR, **few) for number in range(5)]
    found = [model_posterior(table, study.graph, **QUICK) for table in tables]
    assert min(one.fit[model] for one in found) > 0.01
    if model in ("sector belts", "dispersed"):
        assert np.mean([one.posterior[model] for one in found]) > 0.6
        return
    shape = "spikes" if model in SHAPES["spikes"] else "gradient"
    assert np.median([one.shape.loc[shape, "posterior"] for one in found]) > 0.9


def test_place_takes_nothing_from_shape(study):
    """Two foci apart and two by degrees apart: shape differs, and place does not follow it."""
    apart = [table_of("foci", study, number, **CLEAR, hubs=(2, 0.1)) for number in range(6)]
    found = [model_posterior(table, study.graph, **QUICK) for table in apart]
    assert min(one.shape.loc["spikes", "posterior"] for one in found) > 0.8
    assert 0.1 < np.mean([one.place.loc["contiguous", "posterior"] for one in found]) < 0.6


def test_stated_probabilities_come_true_on_tables_never_seen(study):
    """What is learnt from one set of tables holds for another."""
    quotients = study.table.values.sort_index()
    weights = row_standardized(study.graph, quotients.index)
    maker = Generator(quotients.to_numpy(), Priors(), weights)
    each = 900

    def simulated(number):
        seeds = np.random.SeedSequence(number)
        return [simulated_summaries(maker, model, weights, 1.0, each, seeds) for model in MODELS]

    truth = np.repeat(np.arange(len(MODELS)), each)
    stated = learnt(simulated(1), np.concatenate(simulated(2))).posterior
    came_true = truth[:, None] == np.arange(len(MODELS))
    # Brier score against its expectation if the probabilities are right.
    score, expected = ((stated - came_true) ** 2).sum(axis=1), (stated * (1 - stated)).sum(axis=1)
    excess = score - expected
    assert abs(excess.mean()) < 3 * excess.std() / np.sqrt(len(excess)) + 0.01
    assert score.mean() < 0.5  # a sixth for each model would give 0.83


def test_probabilities_of_tables_not_learnt_from_are_calibrated(choice):
    assert choice.calibration_error < 0.03
    counts = choice.calibration.groupby("question", sort=False)["count"].sum()
    assert counts.to_dict() == {"model": 6 * 3000, "shape": 2 * 2000, "place": 2 * 2000}
    assert choice.calibration["stated"].between(choice.calibration["low"], choice.calibration["high"]).all()


def test_the_error_covers_the_scatter_between_seeds(study):
    runs = [
        model_posterior(study.table.values, study.graph, simulations=1200, rng=seed).shape.loc["spikes"]
        for seed in range(12)
    ]
    scatter = np.std([run["posterior"] for run in runs], ddof=1)
    error = np.sqrt(np.mean([run["error"] ** 2 for run in runs]))
    assert 0.5 < error / scatter < 4  # it holds what another learner would have said as well


def test_what_a_larger_map_or_more_sectors_would_decide(study):
    quotients = study.table.values.sort_index()
    weights = row_standardized(study.graph, quotients.index)
    maker, seeds = Generator(quotients.to_numpy(), Priors(), weights), np.random.SeedSequence(1)
    found = reach({m: simulated_summaries(maker, m, weights, 1.0, 600, seeds) for m in MODELS})
    assert found.index.tolist() == ["colocation", "sectors", "shape", "place"]
    # Where the factor lies is hard to see on 17 regions, and two sectors hardly show co-location.
    assert found["place"] < 0.5 < found["colocation"]
    given = {"threshold": 1.0, "priors": Priors(), "seeds": seeds}
    assert wanted(quotients.to_numpy(), weights, "place", **given).regions >= 34
    two = wanted(quotients.to_numpy()[:, :3], weights, "colocation", **given)
    assert two.sectors > 3
    assert two.sectors % 3 == 0


def test_threads_and_order_do_not_matter(study, choice, shuffled):
    filters = warnings.filters[:]
    with joblib.parallel_config(n_jobs=1):
        alone = model_posterior(study.table.values, study.graph, **QUICK)
    with joblib.parallel_config(n_jobs=2):
        pair = model_posterior(study.table.values, study.graph, **QUICK)
    other = model_posterior(shuffled(study.table.values).iloc[:, ::-1], study.graph, **QUICK)
    for run in (alone, pair, other):
        pd.testing.assert_frame_equal(run.to_frame(), choice.to_frame(), check_exact=True)
        pd.testing.assert_frame_equal(run.confusion, choice.confusion, check_exact=True)
    assert warnings.filters == filters  # which threads of scikit-learn's own forests would change


def test_fit_is_uniform_for_tables_of_the_model_and_small_for_others():
    rng = np.random.default_rng(1)
    skew = rng.lognormal(size=(4000, 3)) @ rng.normal(size=(3, 3))
    p_values = [fit_p_value(skew[200:], one) for one in skew[:200]]
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)
    assert fit_p_value(skew, skew.mean(axis=0) + 100) == 1 / 4001
    # A summary that never varies is no obstacle.
    assert fit_p_value(np.column_stack([skew, np.ones(4000)]), np.r_[skew.mean(axis=0), 1]) > 0.5


def test_an_absurd_table_fits_no_model(study):
    # Sectors in two opposite orders: no common factor and no chance makes that.
    up = np.sort(study.table.values.to_numpy() + 1e-3 * np.arange(17)[:, None], axis=0)
    up[:, ::2] = up[::-1, ::2]
    opposite = pd.DataFrame(up, study.table.regions, study.table.sectors)
    found = model_posterior(opposite, study.graph, **QUICK)
    assert (found.fit <= 0.02).all()


def test_calibration_curve_by_hand():
    judged = np.array([[0.95, 0.05], [0.95, 0.05], [0.25, 0.75], [1.0, 0.0]])
    curve = calibration_curve(np.array([0, 1, 1, 0]), judged)
    assert curve.index.tolist() == [0, 2, 7, 9]
    assert curve["observed"].tolist() == pytest.approx([1 / 3, 0, 1, 2 / 3])
    assert curve["stated"].tolist() == pytest.approx([0.1 / 3, 0.25, 0.75, 2.9 / 3])
    assert curve["count"].tolist() == [3, 1, 1, 3]


def test_priors_move_the_reading_and_the_table_says_by_how_much(study):
    table = prior_sensitivity(study.table.values, study.graph, simulations=600, rng=1)
    assert table.index.tolist() == list(PRIOR_SETS)
    assert table.columns.tolist() == ["spikes", "contiguous", *MODELS, "accuracy", "fit"]
    assert table["spikes"].max() > table["spikes"].min()


def test_results_are_complete_and_read_only(choice):
    content = json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    assert list(content["posterior"]) == list(MODELS)
    assert set(content["shape"]) == {"spikes", "gradient"}
    assert content["priors"]["lift"] == [1.5, 8.0]
    assert content["summaries"]["top components"]["belt"]["observed"] == 3
    assert set(content["summaries"]) == set(SUMMARIES)
    assert choice.to_frame().columns.tolist() == ["posterior", "error", "fit"]
    assert "posterior" in choice.summary()
    with pytest.raises(ValueError, match="read-only"):
        choice.posterior.to_numpy()[0] = 1


def test_a_sector_the_same_everywhere_is_left_out_and_named(study, choice):
    more = study.table.values.assign(flat=0.5)
    found = model_posterior(more, study.graph, **QUICK)
    assert found.constant == ("flat",)
    pd.testing.assert_series_equal(found.posterior, choice.posterior)


def test_sizes_enter_the_models(study, choice):
    shares = pd.Series(np.linspace(1, 30, 17), index=study.table.regions)
    found = model_posterior(study.table.values, study.graph, base_shares=shares / shares.sum(), **QUICK)
    assert not np.allclose(found.posterior, choice.posterior)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"simulations": 100}, "simulations is 100"),
        ({"threshold": -1.0}, "threshold is -1"),
    ],
)
def test_wrong_options_are_refused(study, wrong, message):
    with pytest.raises(InputError, match=message):
        model_posterior(study.table.values, study.graph, **wrong)


def test_tables_and_graphs_that_cannot_be_compared_are_refused(study):
    flat = study.table.values * 0 + 0.5
    with pytest.raises(InputError, match="cannot be compared: fewer than two sectors differ"):
        model_posterior(flat, study.graph)
    gap = study.table.values.copy()
    gap.iloc[0, 0] = np.nan
    with pytest.raises(InputError, match="must be finite"):
        model_posterior(gap, study.graph)
    alone = study.graph.subgraph(study.table.regions.drop("Akmola"))  # the only neighbor of Nur-Sultan
    with pytest.raises(GraphError, match="Nur-Sultan"):
        model_posterior(study.table.values.drop("Akmola"), alone)
