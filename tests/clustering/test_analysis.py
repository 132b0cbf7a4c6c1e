import pickle

import pandas as pd
import pytest

from spatialkz.clustering import analyse_clusters, analysis, clusters
from spatialkz.clustering.partition import methods
from spatialkz.errors import InputError, SpatialKZError


@pytest.mark.parametrize("k", [3, None])
def test_the_analysis_survives_pickling(quotients, study, k):
    found = analyse_clusters(
        quotients, study.graph, methods=["ward", "clustgeo"], k=k, resamples=20, draws=19, rng=1
    )
    again = pickle.loads(pickle.dumps(found))
    assert again.to_dict() == found.to_dict()
    assert again.summary() == found.summary()
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
    assert (again.main.tree == found.main.tree).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"methods": ["kmeans", "magic"]}, "method is 'magic'"),
        ({"methods": ["skater"]}, "works without a graph"),
        ({"methods": []}, "methods is empty"),
        ({"k": 0}, "k is 0"),
        ({"k": 99}, "k is 99"),
        ({"draws": 0}, "draws is 0"),
        ({"draws": 9}, "draws is 9, so no p-value is below 0.1; .* needs at least 19"),
        ({"significance": 0}, "significance is 0; it must lie between 0 and 1"),
        ({"choose_by": "magic"}, "choose_by is 'magic'"),
        ({"resamples": 0}, "resamples is 0"),
        ({"resamples": 2}, "at least 9 are needed"),
        ({"transform": "magic"}, "transform is 'magic'"),
        ({"groups": pd.Series({"steel": "industry"})}, "groups"),
        ({"rng": -1}, "rng is -1"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_computed(
    quotients, study, monkeypatch, options, told
):
    monkeypatch.setattr(methods, "partitions", None)
    monkeypatch.setattr(analysis, "structure_tests", None)
    with pytest.raises(SpatialKZError, match=told):
        analyse_clusters(quotients, study.graph, **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"resamples": 0}, "resamples is 0"),
        ({"references": -1}, "references is -1"),
        ({"choose_by": "gap", "references": 0}, "needs references"),
        ({"draws": 9}, "needs at least 19"),
        ({"significance": 1.5}, "significance is 1.5"),
        ({"k": 0}, "k is 0"),
        ({"k": 17}, "k is 17; with 17 distinct regions it must be from 1 to 16"),
        ({"choose_by": "bic"}, "for kmeans it must be one of"),
    ],
)
def test_clusters_are_refused_before_any_is_made(quotients, study, monkeypatch, options, told):
    monkeypatch.setattr(methods, "partitions", None)
    monkeypatch.setattr(clusters, "structure_tests", None)
    with pytest.raises(InputError, match=told):
        clusters.cluster_regions(quotients, graph=study.graph, **options)
