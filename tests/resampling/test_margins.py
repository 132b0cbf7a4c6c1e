"""Random tables of 0 and 1 with given margins and forbidden cells, against all that there are."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from spatialkz.resampling.margins import can_move, drawn_sums

DRAWS = 20_000


def all_tables(ones, allowed):
    """Every table with the margins of ``ones`` and no 1 outside the allowed cells, by trying all rows."""
    choices = [
        list(combinations(np.flatnonzero(cells), row.sum())) for row, cells in zip(ones, allowed, strict=True)
    ]
    found = []
    for chosen in product(*choices):
        table = np.zeros(ones.shape, dtype=int)
        for row, columns in enumerate(chosen):
            table[row, list(columns)] = 1
        if (table.sum(axis=0) == ones.sum(axis=0)).all():
            found.append(table)
    return np.array(found)


def random_case(seed, shape=(4, 5)):
    draw = np.random.default_rng(seed)
    allowed = draw.random(shape) < 0.75
    return allowed & (draw.random(shape) < 0.45), allowed


def frequencies(ones, allowed, tables, weights=None):
    codes = 2.0 ** np.arange(ones.size).reshape(ones.shape)
    drawn = drawn_sums(ones, allowed, codes[None], DRAWS, np.random.default_rng(5), weights)[:, 0]
    number = {float((table * codes).sum()): at for at, table in enumerate(tables)}
    return np.bincount([number[code] for code in drawn], minlength=len(tables))


@pytest.mark.parametrize("seed", [3, 4, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_draws_are_as_likely_as_they_should_be(seed, weighted):
    ones, allowed = random_case(seed)
    tables = all_tables(ones, allowed)
    assert 1 < len(tables) < 200
    weights = np.random.default_rng(seed).normal(size=ones.shape) if weighted else np.zeros(ones.shape)
    chance = np.exp((tables * weights).sum(axis=(1, 2)))
    found = frequencies(ones, allowed, tables, weights if weighted else None)
    assert stats.chisquare(found, chance / chance.sum() * DRAWS).pvalue > 0.001


def test_tables_that_no_checkerboard_leads_to_are_drawn_too():
    """Rao, Jana & Bandyopadhyay (1996): three regions, three sectors, a forbidden cell in each."""
    ones = np.eye(3, dtype=bool)
    allowed = ones | np.roll(ones, 1, axis=1)
    tables = all_tables(ones, allowed)
    assert len(tables) == 2
    assert frequencies(ones, allowed, tables) == pytest.approx(DRAWS / 2, abs=4 * np.sqrt(DRAWS / 4))


def test_whether_there_is_another_table_is_known():
    for seed in range(60):
        ones, allowed = random_case(seed, (3, 4))
        assert can_move(ones, allowed) == (len(all_tables(ones, allowed)) > 1)
    assert not can_move(np.zeros((2, 2), dtype=bool), np.ones((2, 2), dtype=bool))
