from itertools import combinations, permutations

import libpysal
import numpy as np
import pandas as pd
import pytest
from esda import Moran_Local
from libpysal.graph import Graph

from spatialkz.errors import InputError
from spatialkz.spatial import local_moran


def brute_force(x, neighbors, region):
    """Two-sided exact p and its smallest possible value, by enumeration in plain Python."""
    z = x - x.mean()
    others = [z[name] for name in x.index if name != region]
    lags = [sum(chosen) / len(chosen) for chosen in combinations(others, len(neighbors[region]))]
    products = [z[region] * lag for lag in lags]
    observed = z[region] * z[neighbors[region]].mean()

    def two_sided(value):
        above = sum(p >= value - 1e-9 for p in products) / len(products)
        below = sum(p <= value + 1e-9 for p in products) / len(products)
        return min(1, 2 * min(above, below))

    return two_sided(observed), min(two_sided(max(products)), two_sided(min(products)))


@pytest.mark.parametrize("sector", ["research", "electronics", "breadth"])
def test_exact_p_values_equal_brute_force(variables, study, sector):
    neighbors = {region: list(study.graph[region].index) for region in variables.index}
    found = local_moran(variables[sector], study.graph).to_frame().loc[sector]
    for region in ("Nur-Sultan", "Almaty City", "Pavlodar", "Zhambyl", "Kyzylorda"):
        p_value, p_min = brute_force(variables[sector], neighbors, region)
        assert found.loc[region, "p_value"] == pytest.approx(p_value, abs=1e-12)
        assert found.loc[region, "p_min"] == pytest.approx(p_min, abs=1e-12)


def test_statistic_and_quadrant_equal_esda(quotients, study):
    found = local_moran(quotients, study.graph).to_frame()
    names = {1: "HH", 2: "LH", 3: "LL", 4: "HL"}
    for sector in quotients:
        peer = Moran_Local(quotients[sector].to_numpy(), study.graph, permutations=0)
        np.testing.assert_allclose(found.loc[sector, "statistic"], peer.Is, atol=1e-12)
        assert found.loc[sector, "quadrant"].tolist() == [names[q] for q in peer.q]


def test_permutation_agrees_with_enumeration(variables, study):
    exact = local_moran(variables, study.graph)
    drawn = local_moran(variables, study.graph, method="permutation", permutations=9999, rng=2)
    assert (exact.methods == "exact").all()
    assert (drawn.methods == "permutation").all()
    gap = (exact.to_frame()["p_value"] - drawn.to_frame()["p_value"]).abs()
    assert gap.max() < 0.03


def test_enclaves_cannot_be_significant_and_are_called_so(variables, study):
    found = local_moran(variables, study.graph).to_frame()
    for city in ("Nur-Sultan", "Almaty City", "Shymkent"):
        rows = found.xs(city, level="region")
        assert (rows["p_min"] >= 0.125 - 1e-12).all()
        assert (rows["label"] == "unattainable").all()
    greater = local_moran(variables["research"], study.graph, alternative="greater").to_frame()
    assert greater.loc[("research", "Nur-Sultan"), "p_min"] == pytest.approx(1 / 16)


def test_p_never_falls_below_its_bound(variables, study):
    for alternative in ("two-sided", "greater", "less"):
        found = local_moran(variables, study.graph, alternative=alternative).to_frame()
        assert (found["p_value"] >= found["p_min"] - 1e-12).all()
        assert (found["p_value"] > 0).all()


def test_labels_follow_quadrant_and_level(variables, study):
    test = local_moran(variables, study.graph, alpha=0.2)
    found = test.to_frame()
    meaning = {"HH": "hot", "LL": "cold", "HL": "high outlier", "LH": "low outlier"}
    significant = found[(found["p_value"] <= 0.2) & (found["p_min"] <= 0.2)]
    assert len(significant) > 5
    assert (significant["label"] == significant["quadrant"].map(meaning)).all()
    assert (found.loc[found["p_min"] > 0.2, "label"] == "unattainable").all()


def test_shuffled_rows_change_nothing(variables, study, shuffled):
    for method in ("exact", "permutation"):
        first = local_moran(variables, study.graph, method=method, permutations=199, rng=4).to_frame()
        second = local_moran(
            shuffled(variables), study.graph, method=method, permutations=199, rng=4
        ).to_frame()
        pd.testing.assert_frame_equal(second.loc[first.index], first)


def test_unequal_weights_are_enumerated_in_every_order_or_simulated(variables, study):
    adjacency = study.graph.adjacency.reset_index()
    adjacency["weight"] = np.arange(1, len(adjacency) + 1, dtype=float)
    graph = Graph.from_arrays(*(adjacency[name].to_numpy() for name in ("focal", "neighbor", "weight")))
    x = variables["research"]
    auto = local_moran(x, graph, permutations=999, rng=1)
    assert auto.methods["Nur-Sultan"] == "exact"  # one neighbor: its weight is 1 whatever it was
    assert auto.methods["Karaganda"] == "permutation"
    with pytest.raises(InputError, match="at most 20,000 possible sets of neighbors"):
        local_moran(x, graph, method="exact")
    simulated = local_moran(x, graph, method="permutation", permutations=9999, rng=1).to_frame()
    z = x - x.mean()
    enumerated = [name for name in x.index if auto.methods[name] == "exact" and len(graph[name]) > 1]
    assert enumerated
    for region in enumerated:
        others, weights = z.drop(region), graph[region] / graph[region].sum()
        products = [
            z[region] * sum(w * value for w, value in zip(weights, order, strict=True))
            for order in permutations(others, len(weights))
        ]
        observed = z[region] * (weights * z[weights.index]).sum()
        above = sum(p >= observed - 1e-9 for p in products) / len(products)
        below = sum(p <= observed + 1e-9 for p in products) / len(products)
        row = auto.to_frame().loc[("research", region)]
        assert row["p_value"] == pytest.approx(min(1, 2 * min(above, below)), abs=1e-12)
        assert row["p_min"] <= row["p_value"] + 1e-12
        assert simulated.loc[("research", region), "p_value"] == pytest.approx(row["p_value"], abs=0.02)


def test_a_larger_map_is_simulated_and_agrees_with_esda():
    import geopandas as gpd

    frame = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    graph = Graph.build_contiguity(frame, rook=False)
    found = local_moran(frame["CRIME"], graph, permutations=9999, rng=1).to_frame()
    peer = Moran_Local(frame["CRIME"].to_numpy(), graph, permutations=9999, seed=1)
    two_sided = np.minimum(1, 2 * peer.p_sim)
    assert np.abs(found["p_value"].to_numpy() - two_sided).max() < 0.04


def test_bad_input_is_refused(variables, study):
    with pytest.raises(InputError, match="one of auto, exact, permutation"):
        local_moran(variables, study.graph, method="fast")
    with pytest.raises(InputError, match="between 0 and 1"):
        local_moran(variables, study.graph, alpha=5)
    with pytest.raises(InputError, match="these are constant: flat"):
        local_moran(variables.assign(flat=0.0), study.graph)
