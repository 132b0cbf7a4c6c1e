import json

import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.errors import GraphError, InputError
from spatialkz.spatial import local_moran, moran
from spatialkz.spatial.sensitivity import graph_sensitivity


@pytest.fixture(scope="module")
def graphs(study):
    return {"queen": study.graph, "second order": study.graph.higher_order(2, lower_order=True)}


def test_each_graph_gives_what_it_gives_alone(quotients, graphs):
    found = graph_sensitivity(quotients, graphs, permutations=199, rng=3)
    for name, graph in graphs.items():
        alone = moran(quotients, graph, permutations=199, rng=3).to_frame()
        pd.testing.assert_frame_equal(found.to_frame().xs(name, level="graph")[alone.columns], alone)
        local = local_moran(quotients, graph, permutations=199, rng=3).to_frame()["label"]
        pd.testing.assert_series_equal(found.labels[name], local, check_names=False)


def test_enclaves_become_attainable_on_the_wider_graph(quotients, graphs):
    table = graph_sensitivity(quotients[["research"]], graphs, permutations=199, rng=3).to_frame()
    assert table.loc[("research", "queen"), "unattainable"] >= 3
    assert table.loc[("research", "queen"), "neighbors_least"] == 1
    assert table.loc[("research", "second order"), "unattainable"] <= 1
    labels = graph_sensitivity(quotients, graphs, permutations=199, rng=3).labels
    enclaves = labels.loc[labels.index.get_level_values("region").isin(["Nur-Sultan", "Shymkent"])]
    assert (enclaves["queen"] == "unattainable").all()
    assert not (enclaves["second order"] == "unattainable").any()


def test_ranges_and_agreement(quotients, graphs):
    found = graph_sensitivity(quotients, graphs, permutations=199, rng=3)
    ranges, rows = found.ranges(), found.to_frame().loc["electrical"]
    assert ranges.loc["electrical", "statistic_low"] == rows["statistic"].min()
    assert ranges.loc["electrical", "p_high"] == rows["p_value"].max()
    assert ranges["significant"].between(0, 1).all()
    agreement = found.agreement()
    assert agreement["share"].isin([0.5, 1.0]).all()
    same = found.labels["queen"] == found.labels["second order"]
    assert (agreement["share"].eq(1) == same).all()
    assert "on 2 graphs" in found.summary()
    json.dumps(found.to_dict())


def test_the_same_seed_gives_the_same(quotients, graphs, shuffled):
    first = graph_sensitivity(quotients, graphs, permutations=99, rng=1)
    second = graph_sensitivity(shuffled(quotients), graphs, permutations=99, rng=1)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    pd.testing.assert_frame_equal(first.labels, second.labels.loc[first.labels.index])


def test_bad_input_is_refused(quotients, graphs, study):
    with pytest.raises(InputError, match="at least one"):
        graph_sensitivity(quotients, {})
    with pytest.raises(InputError, match="mapping"):
        graph_sensitivity(quotients, [study.graph])
    regions = quotients.index
    lone = Graph.from_arrays(regions, regions, [0.0] * 17)
    with pytest.raises(GraphError, match="Graph 'empty': Every region needs a neighbor"):
        graph_sensitivity(quotients, {**graphs, "empty": lone}, permutations=99)
