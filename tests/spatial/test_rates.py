import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.spatial.moran import rate_deviates, rate_moran


def test_carolina_equals_spdep(carolina, spdep):
    """Sudden infant deaths 1974–78 in the counties of North Carolina."""
    table, graph = carolina
    found = rate_moran(table["SID74"], table["BIR74"], graph, method="randomization").to_frame()
    assert found.loc["SID74", "statistic"] == pytest.approx(spdep("rates")["statistic"], abs=1e-10)


def test_deviates_equal_the_formula_of_the_paper():
    """Assunção & Reis, eq. 4–6, for rates of 10, 4 and 0 % where the overall rate is 6 %."""
    events = pd.DataFrame({"x": [10, 2, 0], "half": [5, 1, 0]}, index=list("abc"))
    people = pd.Series([50, 50, 100], index=list("cba"))
    between = (100 * 0.04**2 + 50 * 0.02**2 + 50 * 0.06**2) / 200 - 0.06 / (200 / 3)
    large, small = np.sqrt(between + 0.06 / 100), np.sqrt(between + 0.06 / 50)
    wanted = [0.04 / large, -0.02 / small, -0.06 / small]
    np.testing.assert_allclose(rate_deviates(events, people)["x"], wanted, atol=1e-12)


def test_variances_that_would_be_negative():
    """Rates more alike than chance: the variance between is below 0, and of the largest region in all."""
    events = pd.Series([10, 1, 10, 101], index=list("abcd"), name="events")
    people = pd.Series([100, 10, 100, 1000], index=list("abcd"))
    overall, rate = 122 / 1210, (events / people).to_numpy()
    between = (people.to_numpy() * (rate - overall) ** 2).sum() / 1210 - overall / 302.5
    assert between + overall / 1000 < 0 < between + overall / 100
    spread = [between + overall / 100, between + overall / 10, between + overall / 100, overall / 1000]
    found = rate_deviates(events, people)["events"]
    np.testing.assert_allclose(found, (rate - overall) / np.sqrt(spread), atol=1e-12)


def test_size_where_populations_differ_greatly(study):
    rng = np.random.default_rng(4)
    people = pd.Series(np.geomspace(50, 50_000, 17), index=study.table.regions)
    events = pd.DataFrame(rng.poisson(0.05 * people.to_numpy()[:, None], size=(17, 400)), index=people.index)
    found = rate_moran(events, people, study.graph, permutations=4999, rng=1).to_frame()["p_value"]
    assert 0.01 < (found <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_order_of_the_population_does_not_matter(carolina, shuffled):
    table, graph = carolina
    first = rate_moran(table["SID74"], table["BIR74"], graph, permutations=99, rng=1).to_frame()
    second = rate_moran(table["SID74"], shuffled(table["BIR74"]), graph, permutations=99, rng=1).to_frame()
    pd.testing.assert_frame_equal(first, second)


def test_bad_input_is_refused(carolina):
    table, graph = carolina
    events, people = table["SID74"], table["BIR74"]
    with pytest.raises(InputError, match="positive population; not so in 7"):
        rate_moran(events, people.where(people.index != "7", 0), graph)
    with pytest.raises(InputError, match="there are none of SID74"):
        rate_moran(events * 0, people, graph)
    with pytest.raises(InputError, match="at least 0"):
        rate_moran(-events, people, graph)
    with pytest.raises(RegionError, match="the population lacks 7"):
        rate_moran(events, people.drop("7"), graph)
    with pytest.raises(InputError, match="must be a pandas Series"):
        rate_moran(events, people.to_frame(), graph)
