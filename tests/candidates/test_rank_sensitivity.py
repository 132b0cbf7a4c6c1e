"""Sobol' indices: SALib's numbers on its own test function, and choices with known shares."""

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sampling
from SALib.test_functions import Ishigami

from spatialkz.candidates.scoring.choices import RankChoices
from spatialkz.candidates.scoring.sensitivity import rank_sensitivity, sobol_indices
from spatialkz.errors import InputError
from spatialkz.randomness import generator

ISHIGAMI = dict.fromkeys(("x1", "x2", "x3"), (-np.pi, np.pi))


def test_ishigami_gives_the_numbers_of_salib():
    problem = {"num_vars": 3, "names": list(ISHIGAMI), "bounds": [[-np.pi, np.pi]] * 3}
    first, second = generator(11, "sobol_indices").integers(2**31, size=2).tolist()
    points = sampling.sample(problem, 512, calc_second_order=False, seed=first)
    theirs = analysis.analyze(problem, Ishigami.evaluate(points), calc_second_order=False, seed=second)
    ours = sobol_indices(Ishigami.evaluate, ISHIGAMI, samples=512, rng=11)
    for column, name in {
        "first": "S1",
        "first_margin": "S1_conf",
        "total": "ST",
        "total_margin": "ST_conf",
    }.items():
        assert ours[column].tolist() == theirs[name].tolist()


def test_ishigami_comes_near_its_exact_indices():
    a, b = 7, 0.1
    variance = a**2 / 8 + b * np.pi**4 / 5 + b**2 * np.pi**8 / 18 + 0.5
    alone = np.array([0.5 * (1 + b * np.pi**4 / 5) ** 2, a**2 / 8, 0])
    both = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    found = sobol_indices(Ishigami.evaluate, ISHIGAMI, samples=4096, rng=1)
    np.testing.assert_allclose(found["first"], alone / variance, atol=0.02)
    np.testing.assert_allclose(found["total"], (alone + np.array([both, 0, both])) / variance, atol=0.02)
    np.testing.assert_allclose(found["variance"], variance, rtol=0.05)


def test_an_output_that_does_not_vary_has_indices_of_zero():
    found = sobol_indices(lambda x: np.column_stack([x[:, 0], x[:, 0] * 0]), {"x": (0, 1)}, samples=64, rng=1)
    assert found.loc[(1, "x")].tolist() == [0, 0, 0, 0, 0]
    assert found.loc[(0, "x"), "first"] == pytest.approx(1, abs=0.01)


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.lognormal(size=(9, 4)).round(2) + 0.01, columns=["lq", "share", "near", "p"])
    return table.set_axis([f"region {i}" for i in range(9)]), pd.Series(1, index=table.columns)


def test_a_single_choice_explains_everything(case):
    choices = RankChoices(("rank",), ("arithmetic", "geometric", "topsis"), concentration=None, drop=False)
    found = rank_sensitivity(*case, choices, samples=256, rng=1)
    assert found.overall.index.tolist() == ["aggregation"]
    assert found.overall["total"].tolist() == pytest.approx([1], abs=0.05)


def test_order_and_seed(case, shuffled):
    evidence, directions = case
    drawn = (evidence - 0.005, evidence + 0.005)
    first = rank_sensitivity(evidence, directions, drawn=drawn, samples=64, realizations=16, rng=3)
    second = rank_sensitivity(
        shuffled(evidence), shuffled(directions), drawn=drawn, samples=64, realizations=16, rng=3
    )
    assert set(first.overall.index) == {"error", "weights", "normalization", "aggregation", "dropped"}
    # SALib estimates from outputs that may differ in the last digit.
    pd.testing.assert_frame_equal(second.overall, first.overall, rtol=1e-6, atol=1e-9)
    pd.testing.assert_frame_equal(
        second.items.loc[["region 4"]], first.items.loc[["region 4"]], rtol=1e-6, atol=1e-9
    )
    assert first.to_dict()["mean_shift"]["weights"]["total"] > 0
    assert "Sobol" in first.summary()


def test_a_scenario_that_changes_nothing_has_no_share(case):
    evidence, directions = case

    def draw(scenario, size, rng):
        drawn = np.tile(evidence.to_numpy(), (size, 1, 1))
        drawn[:, :, 0] *= 1 if scenario["graph"] == "queen" else -1
        return drawn if rng is None else drawn + rng.uniform(-0.005, 0.005, drawn.shape)

    choices = RankChoices(
        ("rank", "minmax"), scenarios={"graph": ("queen", "rook"), "threshold": (1.0, 0.9)}, drop=False
    )
    found = rank_sensitivity(evidence, directions, choices, drawn=draw, samples=256, realizations=32, rng=1)
    # The error is the same under every scenario, so a threshold that does nothing has exactly no part.
    assert found.overall.loc["threshold", ["first", "total"]].tolist() == [0, 0]
    assert found.overall.loc["graph", "total"] > 0.1


def test_bad_input_is_refused(case):
    with pytest.raises(InputError, match="power of 2"):
        sobol_indices(Ishigami.evaluate, ISHIGAMI, samples=1000)
    with pytest.raises(InputError, match=r"low end below its high end.*x"):
        sobol_indices(Ishigami.evaluate, {"x": (1, 1)}, samples=64)
    with pytest.raises(InputError, match=r"finite outputs for 192 points.*not finite"):
        sobol_indices(lambda x: x[:, 0] * np.nan, {"x": (0, 1)}, samples=64)
    with pytest.raises(InputError, match="nothing can move the ranks"):
        rank_sensitivity(*case, RankChoices(("rank",), ("topsis",), concentration=None, drop=False))
    with pytest.raises(InputError, match="realizations is 1"):
        rank_sensitivity(*case, realizations=1)
