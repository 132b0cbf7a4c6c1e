"""Concentration relative to other sectors: the level with few sectors, its power, and its columns."""

import numpy as np
import pandas as pd
import pytest

from spatialkz.focal.concentration import relative_concentration_test
from spatialkz.focal.questions.size_null import expected_hoover

REGIONS = [f"r{i:02d}" for i in range(17)]
SHARES = pd.Series(1 / np.arange(1, 18) / (1 / np.arange(1, 18)).sum(), REGIONS)


def of_units(units, seed):
    """Sectors of these numbers of units, tested."""
    rng = np.random.default_rng(seed)
    drawn = np.column_stack([rng.dirichlet((n - 1) * SHARES) for n in units])
    table = pd.DataFrame(drawn / SHARES.to_numpy()[:, None], REGIONS, [f"s{j}" for j in range(len(units))])
    return relative_concentration_test(
        table, SHARES, index=["locational_gini"], permutations=199, rng=seed
    ).to_frame()


@pytest.mark.parametrize("sectors", [3, 5])
def test_few_equal_sectors_are_not_found_more_concentrated_than_each_other(sectors):
    # With the median taken as known .13 and .09 of the tests rejected, and some adjusted one in .18 and .15.
    found = [of_units([20] * sectors, seed) for seed in range(200)]
    error = np.sqrt(0.05 * 0.95 / 200)
    assert np.mean([(f["p_value"] <= 0.05).mean() for f in found]) < 0.05 + 2 * error
    assert np.mean([(f["p_adjusted"] <= 0.05).any() for f in found]) < 0.05 + 2.5 * error


def test_a_sector_of_few_units_is_found_among_many():
    found = [of_units([3, 60, 60, 60, 60, 60], seed) for seed in range(10)]
    assert np.mean([f["p_value"].iloc[0] <= 0.05 for f in found]) >= 0.9
    assert found[0].loc[("s0", "locational_gini"), "units"] < 10


def test_the_expectation_of_the_index_is_its_mean():
    rng = np.random.default_rng(3)
    for total in (0.8, 6.0, 50.0):
        drawn = rng.dirichlet(total * SHARES, 20_000)
        mean = (np.abs(drawn - SHARES.to_numpy()).sum(axis=1) / 2).mean()
        assert expected_hoover(np.array([total]), SHARES.to_numpy()[:, None])[0] == pytest.approx(
            mean, abs=0.005
        )
