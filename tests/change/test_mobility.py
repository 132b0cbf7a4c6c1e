"""Transition matrices equal those of giddy 2.3 (Rey, Kang & Wolf), whose output is typed in here."""

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

import spatialkz
from spatialkz.change import rank_mobility, transition_matrices
from spatialkz.errors import InputError

# Eight regions of a 2 × 4 lattice in nine years, and what giddy.markov.Spatial_Markov(y, lat2W(2, 4),
# cutoffs=[.7, 1.2], lag_cutoffs=[.7, 1.2]) says of them: T, Q, LR, dof_hom, s.
Y = [
    [0.82, 0.59, 0.55, 0.61, 0.82, 0.84, 0.73, 0.6, 0.72],
    [1.5, 1.61, 1.18, 0.93, 1.39, 1.46, 0.95, 0.93, 0.69],
    [0.85, 0.76, 0.63, 0.73, 0.72, 0.62, 0.68, 0.84, 0.56],
    [0.94, 0.73, 0.7, 0.51, 0.51, 0.51, 0.47, 0.36, 0.33],
    [0.76, 0.54, 0.57, 0.43, 0.58, 0.7, 0.42, 0.45, 0.34],
    [1.01, 1.02, 0.62, 0.58, 0.55, 0.7, 0.52, 0.62, 0.47],
    [0.92, 0.75, 1.07, 1.24, 2.27, 2.66, 3.29, 4.06, 3.49],
    [0.98, 1.38, 1.25, 1.31, 1.3, 1.51, 1.38, 1.33, 1.41],
]
T = [
    [[5, 2, 0], [2, 2, 1], [0, 0, 1]],
    [[12, 1, 0], [5, 8, 2], [0, 2, 9]],
    [[5, 1, 0], [2, 0, 0], [0, 0, 4]],
]
EDGES = (0.7000001, 1.2)  # giddy counts a value at an edge to the lower class
LATTICE = {0: [1, 4], 1: [0, 2, 5], 2: [1, 3, 6], 3: [2, 7], 4: [0, 5], 5: [1, 4, 6], 6: [2, 5, 7], 7: [3, 6]}
GRAPH = Graph.from_arrays(
    [i for i, near in LATTICE.items() for _ in near],
    [j for near in LATTICE.values() for j in near],
    [1.0] * 20,
)
VALUES = {year: pd.DataFrame({"x": np.array(Y)[:, year]}) for year in range(9)}


def test_a_chain_of_giddys_help_page():
    """Markov(c).p and its steady state; c has five regions in three years, classes a, b, c."""
    letters = {"a": 0.0, "b": 1.0, "c": 2.0}
    rows = ["bac", "cca", "cbc", "aab", "abc"]
    values = {year: pd.DataFrame({"x": [letters[row[year]] for row in rows]}) for year in range(3)}
    found = transition_matrices(values, edges=(0.5, 1.5))
    assert found.counts.to_numpy().tolist() == [[1, 2, 1], [1, 0, 2], [1, 1, 1]]
    np.testing.assert_allclose(
        found.probabilities, [[1 / 4, 1 / 2, 1 / 4], [1 / 3, 0, 2 / 3], [1 / 3, 1 / 3, 1 / 3]]
    )
    np.testing.assert_allclose(found.stationary, [0.30769231, 0.28846154, 0.40384615], atol=1e-8)
    assert found.statistics["mobility"] == pytest.approx(1.2083333333333335)  # markov_mobility(p, "P")


def test_a_spatial_chain_of_giddy():
    found = transition_matrices(VALUES, edges=EDGES, graph=GRAPH, permutations=99, rng=1)
    assert found.conditional.to_numpy().reshape(3, 3, 3).tolist() == T
    assert found.counts.to_numpy().tolist() == [[22, 4, 0], [9, 10, 3], [0, 2, 14]]
    np.testing.assert_allclose(found.stationary, [0.55980861, 0.21052632, 0.22966507], atol=1e-8)
    wanted = {"Q": 6.05991822991823, "LR": 7.27671973200318, "df": 8}
    wanted |= {"Q_p": 0.6405201275255454, "LR_p": 0.5070922741648591}
    assert found.statistics[list(wanted)].to_dict() == pytest.approx(wanted)
    assert 0.01 <= found.statistics["Q_permutation_p"] <= 1


def test_permutation_keeps_its_level_where_the_asymptotic_test_does_not():
    """Regions that stand still: steps are not independent, and χ² rejects too often."""
    rng, permuted, asymptotic = np.random.default_rng(6), [], []
    for _ in range(60):
        level = rng.normal(0, 1, (8, 1)) + rng.normal(0, 0.5, (8, 12))
        values = {year: pd.DataFrame({"x": np.exp(level[:, year])}) for year in range(12)}
        found = transition_matrices(values, edges=(0.7, 1.2), graph=GRAPH, permutations=99, rng=rng)
        permuted.append(found.statistics["Q_permutation_p"] <= 0.1)
        asymptotic.append(found.statistics["Q_p"] <= 0.1)
    assert np.mean(permuted) <= 0.2  # .1 and two standard errors
    assert np.mean(asymptotic) > np.mean(permuted)


def test_chains_that_do_not_mix():
    values = {year: pd.DataFrame({"x": [0.1, 0.1, 2.0]}) for year in range(3)}
    found = transition_matrices(values)
    assert not found.statistics["ergodic"]
    assert found.stationary.isna().all()
    assert found.probabilities.loc["0.5–1"].isna().all()


def test_ranks_by_hand():
    panel = spatialkz.load_study("kazakhstan-gva").panel
    found = rank_mobility(panel, 2011, 2020).loc["Information and communication"]
    before, after = (
        spatialkz.specialization.table_quotients(panel.tables[year])["Information and communication"].rank()
        for year in (2011, 2020)
    )
    assert found["mean_shift"] == pytest.approx((after - before).abs().mean())
    assert abs(found["largest_shift"]) == (after - before).abs().max()
    assert -1 <= found["tau"] <= found["tau_step"] <= 1


def test_wrong_use():
    with pytest.raises(InputError, match="edges are 1, 1"):
        transition_matrices(VALUES, edges=(1, 1))
    with pytest.raises(InputError, match="at least two periods"):
        transition_matrices({1: VALUES[1]})
    with pytest.raises(InputError, match="2 lacks 7"):
        transition_matrices({2: VALUES[2].drop(index=7), 3: VALUES[3]})
