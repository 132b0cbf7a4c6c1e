"""Simulated tables keep the margins, and their factors are what the models say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_array

from spatialkz.errors import InputError
from spatialkz.focal.models.models import MODELS, Generator, Priors, sar_factor
from spatialkz.focal.questions.size_null import size_null
from spatialkz.geography.weights import row_standardized


@pytest.fixture(scope="module")
def weights(study):
    return row_standardized(study.graph, study.table.regions)


def maker(study, weights, sizes=None, **priors):
    return Generator(study.table.values.to_numpy(), replace(Priors(), **priors), weights, sizes)


def seed(number):
    return np.random.SeedSequence(number)


@pytest.mark.parametrize("model", MODELS)
def test_every_table_has_the_observed_values_of_each_sector(study, weights, model):
    made = maker(study, weights).tables(model, 40, seed(1))
    expected = np.sort(study.table.values.to_numpy(), axis=0)
    assert np.array_equal(np.sort(made, axis=1), np.broadcast_to(expected, made.shape))
    assert len(np.unique(made, axis=0)) == 40


def test_the_same_seeds_give_the_same_tables(study, weights):
    generator = maker(study, weights)
    assert np.array_equal(generator.tables("belt", 5, seed(3)), generator.tables("belt", 5, seed(3)))
    assert not np.array_equal(generator.tables("belt", 5, seed(3)), generator.tables("belt", 5, seed(4)))


def test_dispersed_values_fall_anywhere_and_sectors_are_independent(study, weights):
    cells = study.table.values.to_numpy()
    made = maker(study, weights).tables("dispersed", 4000, seed(2))
    where = made[:, :, 0].argmax(axis=1)
    assert stats.chisquare(np.bincount(where, minlength=17)).pvalue > 0.001
    # Both leaders in one region: 1 in 17, if the largest value is not shared.
    assert (np.sort(cells, axis=0)[-2] < cells.max(axis=0)).all()
    together = (where == made[:, :, 2].argmax(axis=1)).sum()
    assert stats.binomtest(together, 4000, 1 / 17).pvalue > 0.001


@pytest.mark.parametrize("rho", [-0.4, 0.5, 0.9])
def test_belt_has_the_correlations_of_the_autoregression(study, weights, rho):
    # Three hubs of fixed lift, so that the spread of the factor is known.
    generator = maker(study, weights, rho=(rho, rho), slope=(0, 0), hubs=(3, 0.17), lift=(2, 2))
    hubs = 2.0 * (np.arange(17) < 3)
    factors = generator.factor("belt", 40_000, np.random.default_rng(5))[:, :, 0]
    inverse = (np.eye(17) - 1 / 17) @ np.linalg.inv(np.eye(17) - rho * weights.toarray())
    covariance = inverse @ inverse.T
    spread = np.sqrt(np.diag(covariance))
    found = np.corrcoef(factors.T)
    assert np.abs(found - covariance / np.outer(spread, spread)).max() < 0.03
    # No region varies more than another, and a belt lifts as much as hubs do.
    assert factors.var(axis=1).mean() == pytest.approx(hubs.var(), rel=0.05)
    assert factors.var(axis=0) == pytest.approx(hubs.var(), rel=0.05)


def test_a_map_without_neighbors_has_regions_that_differ_at_random():
    factor = sar_factor(csr_array((4, 4)), 0.5)
    assert factor @ factor.T == pytest.approx(np.eye(4) * 4 / 3 - 1 / 3)


def test_hubs_are_few_anywhere_and_lifted_within_the_prior(study, weights):
    generator = maker(study, weights, slope=(0, 0))
    hubs = generator.factor("foci", 5000, np.random.default_rng(1))[:, :, 0]
    number = (hubs > 0).sum(axis=1)
    assert stats.chisquare(np.bincount(number, minlength=5)[1:5]).pvalue > 0.001
    assert number.max() == 4  # a fifth of 17, rounded up
    lifts = hubs[hubs > 0]
    assert lifts.min() >= 1.5
    assert lifts.max() <= 8
    assert stats.chisquare((hubs > 0).sum(axis=0)).pvalue > 0.001


def test_slope_makes_all_regions_differ_by_that_much(study, weights):
    even = maker(study, weights, lift=(0, 0), slope=(0.5, 0.5))
    assert even.factor("foci", 5000, np.random.default_rng(1)).std() == pytest.approx(0.5, rel=0.02)


def moran(factors, weights):
    z = factors - factors.mean(axis=1, keepdims=True)
    return ((z * (weights @ z.T).T).sum(axis=1) / (z**2).sum(axis=1)).mean()


def test_shape_and_place_are_crossed(study, weights):
    """Adjoining foci have the values of foci beside each other; a gradient has those of a belt anywhere."""
    generator = maker(study, weights)
    foci, adjoining, gradient, belt = (
        generator.factor(model, 3000, np.random.default_rng(1))[:, :, 0]
        for model in ("foci", "adjoining", "gradient", "belt")
    )
    assert np.array_equal(np.sort(adjoining, axis=1), np.sort(foci, axis=1))
    for anywhere in (foci, gradient):
        assert moran(anywhere, weights) == pytest.approx(-1 / 16, abs=0.02)
    for contiguous in (adjoining, belt):
        assert moran(contiguous, weights) > 0.05
    for spikes, degrees in ((foci, gradient), (adjoining, belt)):
        assert stats.skew(spikes, axis=1).mean() > 1
        assert stats.skew(degrees, axis=1).mean() == pytest.approx(0, abs=0.05)
        assert degrees.var(axis=1).mean() == pytest.approx(spikes.var(axis=1).mean(), rel=0.1)


def test_belts_of_sectors_have_nothing_in_common(study, weights):
    factors = maker(study, weights).factor("sector belts", 2000, np.random.default_rng(1))
    assert factors.shape == (2000, 17, 11)
    assert moran(factors[:, :, 4], weights) > 0.05
    together = (factors[:, :, 0] * factors[:, :, 1]).mean(axis=1)
    assert together.mean() == pytest.approx(0, abs=4 * together.std() / np.sqrt(2000))


def test_followers_follow_the_factor_and_others_do_not(study, weights):
    strong = maker(study, weights, lift=(50, 60), slope=(0, 0), following=(1, 1), hubs=(1, 0.01))
    made = strong.tables("foci", 50, seed(1))
    leaders = made.argmax(axis=1)
    assert (leaders == leaders[:, :1]).all()
    none = maker(study, weights, following=(0, 0)).tables("foci", 50, seed(1))
    assert np.array_equal(none, maker(study, weights).tables("dispersed", 50, seed(1)))


def test_sizes_make_small_regions_vary_more_and_leave_the_size_null_as_it_is(study, weights):
    quotients = study.table.values
    shares = quotients.iloc[:, 0] * 0 + np.linspace(1, 9, 17)
    sizes = size_null(quotients, shares / shares.sum())
    made = maker(study, weights, sizes).tables("dispersed", 256, seed(7))
    # The seeds of the noise are the first child's; with it the size null makes the same orders.
    child = np.random.SeedSequence(7, spawn_key=(0,))
    scores = sizes.scores(child, slice(0, 256))
    cells = quotients.to_numpy()
    untied = [j for j in range(11) if len(np.unique(cells[:, j])) == 17]
    assert np.array_equal(made.argsort(axis=1)[:, :, untied], scores.argsort(axis=1)[:, :, untied])
    extreme = (made == cells.max(axis=0)).mean(axis=(0, 2))
    # Shares of 256 × 11 maxima; four regions together have a standard error of about 0.0022.
    assert extreme[:4].mean() > extreme[-4:].mean() + 0.01


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rho": (0.5, 1.0)}, "rho is 0.5 to 1"),
        ({"lift": (3.0, 1.0)}, "lift is 3 to 1"),
        ({"slope": (-1.0, 1.0)}, "slope is -1 to 1"),
        ({"following": (0.5, 1.5)}, "following is 0.5 to 1.5"),
        ({"hubs": (0, 0.2)}, "hubs is"),
        ({"lift": (float("nan"), 1.0)}, "lift is nan"),
    ],
)
def test_impossible_priors_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Priors(**wrong)
