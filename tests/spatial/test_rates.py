import numpy as np
import pandas as pd
import pytest
from esda.smoothing import assuncao_rate

from spatialkz.errors import InputError, RegionError
from spatialkz.spatial.rates import rate_deviates, rate_moran


def test_carolina_equals_spdep(carolina, spdep):
    """Sudden infant deaths 1974–78 in the counties of North Carolina."""
    table, graph = carolina
    found = rate_moran(table["SID74"], table["BIR74"], graph, method="randomization").to_frame()
    assert found.loc["SID74", "statistic"] == pytest.approx(spdep("rates")["statistic"], abs=1e-10)


def test_deviates_equal_esda(carolina):
    table, _ = carolina
    found = rate_deviates(table["SID74"], table["BIR74"])["SID74"]
    wanted = assuncao_rate(table["SID74"].to_numpy(), table["BIR74"].to_numpy())
    np.testing.assert_allclose(found, wanted, atol=1e-10)


def test_variances_that_would_be_negative():
    """Rates more alike than chance: the between variance is negative and large populations fall below 0."""
    events = pd.Series([10, 1, 10, 100], index=list("abcd"), name="events")
    people = pd.Series([100, 10, 100, 1000], index=list("abcd"))
    found = rate_deviates(events, people)["events"]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, assuncao_rate(events.to_numpy(), people.to_numpy()), atol=1e-10)


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
