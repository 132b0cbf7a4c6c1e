"""The comparison of models recognizes what it should, and does not what nobody could."""

import json
import warnings
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import GraphError, InputError
from spatialkz.focal.models.choice import (
    calibration_curve,
    fit_p_value,
    grow,
    model_posterior,
    prior_sensitivity,
    simulated_summaries,
)
from spatialkz.focal.models.models import PRIOR_SETS, Generator, Priors
from spatialkz.geography.weights import row_standardized

# Hubs and belts that do nothing.
NOTHING = replace(Priors(), lift=(0.0, 0.0), slope=(0.0, 0.0))
QUICK = {"simulations": 3000, "trees": 120, "rng": 1}


@pytest.fixture(scope="module")
def choice(study):
    return model_posterior(study.table.values, study.graph, **QUICK)


def table_of(model, study, number, **priors):
    quotients = study.table.values.sort_index().sort_index(axis=1)
    weights = row_standardized(study.graph, quotients.index)
    maker = Generator.of(quotients.to_numpy(), weights, replace(Priors(), **priors))
    made = maker.tables(model, 1, np.random.SeedSequence(number))[0]
    return pd.DataFrame(made, quotients.index, quotients.columns)


def test_models_are_recognized_far_beyond_chance(choice):
    assert choice.accuracy > 0.75
    assert np.allclose(choice.confusion.sum(axis=1), 1)
    assert (np.diag(choice.confusion) > 0.6).all()
    assert choice.posterior.sum() == pytest.approx(1)


def test_models_that_are_the_same_cannot_be_told_apart(study):
    same = model_posterior(study.table.values, study.graph, priors=NOTHING, **QUICK)
    assert same.accuracy == pytest.approx(1 / 3, abs=0.04)
    assert same.posterior.tolist() == pytest.approx([1 / 3] * 3, abs=0.1)
    assert same.calibration_error < 0.03


@pytest.mark.parametrize(
    ("model", "priors"),
    [
        ("focal", {"lift": (3.5, 4.0), "slope": (0.0, 0.1), "following": (0.9, 1.0), "hubs": (1, 0.1)}),
        ("belt", {"lift": (3.5, 4.0), "following": (0.9, 1.0), "rho": (0.94, 0.95)}),
        ("dispersed", {}),
    ],
)
def test_clear_tables_are_named(study, model, priors):
    tables = [table_of(model, study, number, **priors) for number in range(2)]
    found = [model_posterior(table, study.graph, **QUICK) for table in tables]
    assert np.mean([one.posterior[model] for one in found]) > 0.7
    assert min(one.fit[model] for one in found) > 0.01


def test_stated_probabilities_come_true_on_tables_never_seen(study):
    """All out-of-bag probabilities hold for new tables too: forests made for one set judge another."""
    quotients = study.table.values.sort_index()
    weights = row_standardized(study.graph, quotients.index)
    maker = Generator.of(quotients.to_numpy(), weights, Priors())
    models, each = ("focal", "belt", "dispersed"), 900

    def simulated(number):
        seeds = np.random.SeedSequence(number)
        return np.concatenate([simulated_summaries(maker, m, weights, 1.0, each, seeds) for m in models])

    truth = np.repeat(np.arange(3), each)
    stated = grow(simulated(1), simulated(2), each, 120, np.random.SeedSequence(9)).posterior
    came_true = truth[:, None] == np.arange(3)
    # Brier score against its expectation if the probabilities are right.
    score, expected = ((stated - came_true) ** 2).sum(axis=1), (stated * (1 - stated)).sum(axis=1)
    excess = score - expected
    assert abs(excess.mean()) < 3 * excess.std() / np.sqrt(len(excess)) + 0.01
    assert score.mean() < 0.4  # a third for each model would give 0.67


def test_out_of_bag_probabilities_are_calibrated(choice):
    assert choice.calibration_error < 0.02
    assert choice.calibration["count"].sum() == 3 * 3000
    assert choice.calibration["stated"].between(choice.calibration["low"], choice.calibration["high"]).all()


def test_the_error_is_as_large_as_the_scatter_between_seeds(study):
    runs = [
        model_posterior(study.table.values, study.graph, simulations=900, trees=60, rng=seed)
        for seed in range(8)
    ]
    scatter = np.std([run.posterior["focal"] for run in runs], ddof=1)
    error = np.mean([run.error["focal"] for run in runs])
    assert 0.5 < scatter / error < 2


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
    # All sectors in one order: co-location beyond what any prior gives.
    values = np.sort(study.table.values.to_numpy() + 1e-3 * np.arange(17)[:, None], axis=0)
    one_order = pd.DataFrame(values, study.table.regions, study.table.sectors)
    found = model_posterior(one_order, study.graph, **QUICK)
    assert (found.fit <= 0.01).all()


def test_calibration_curve_by_hand():
    judged = np.array([[0.95, 0.05], [0.95, 0.05], [0.25, 0.75], [1.0, 0.0]])
    curve = calibration_curve(np.array([0, 1, 1, 0]), judged)
    assert curve.index.tolist() == [0, 2, 7, 9]
    assert curve["observed"].tolist() == pytest.approx([1 / 3, 0, 1, 2 / 3])
    assert curve["stated"].tolist() == pytest.approx([0.1 / 3, 0.25, 0.75, 2.9 / 3])
    assert curve["count"].tolist() == [3, 1, 1, 3]


def test_the_reading_depends_on_the_priors(study):
    """Hubs or belt is a matter of priors; that chance alone made the table, none of them allows."""
    table = prior_sensitivity(study.table.values, study.graph, simulations=600, rng=1)
    assert table.index.tolist() == list(PRIOR_SETS)
    assert (table["dispersed"] < 0.05).all()
    assert table["focal"].max() - table["focal"].min() > 0.1


def test_results_are_complete_and_read_only(choice):
    content = json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    assert set(content["posterior"]) == {"focal", "belt", "dispersed"}
    assert content["priors"]["lift"] == [1.5, 4.0]
    assert content["summaries"]["top components"]["belt"]["observed"] == 3
    assert choice.to_frame().columns.tolist() == ["posterior", "error", "votes", "fit"]
    assert "posterior" in choice.summary()
    with pytest.raises(ValueError, match="read-only"):
        choice.posterior.to_numpy()[0] = 1
    assert choice.importance.sum() == pytest.approx(1)


def test_a_sector_the_same_everywhere_is_left_out_and_named(study, choice):
    more = study.table.values.assign(flat=0.5)
    found = model_posterior(more, study.graph, **QUICK)
    assert found.constant == ("flat",)
    pd.testing.assert_series_equal(found.posterior, choice.posterior)


def test_a_mixture_can_be_compared_and_sizes_can_count(study):
    models = ("focal", "belt", "dispersed", "mixture")
    shares = pd.Series(np.linspace(1, 3, 17) / 34, index=study.table.regions)
    found = model_posterior(study.table.values, study.graph, models=models, base_shares=shares, **QUICK)
    assert found.confusion.shape == (4, 4)
    assert found.posterior.index.tolist() == list(models)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"models": ("focal",)}, "two or more"),
        ({"models": ("focal", "focal")}, "each once"),
        ({"models": ("focal", "star")}, "focal, star"),
        ({"simulations": 100}, "simulations is 100"),
        ({"trees": 5}, "trees is 5"),
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
