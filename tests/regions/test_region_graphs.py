"""The graph of a study's regions: from the published list, polygons, a file, or the user's own map."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from spatialkz.errors import GraphError, InputError, RegionError
from spatialkz.geography import KNearest, Queen, neighbor_graph
from spatialkz.regions import load_boundaries, region_table, resolve_regions
from spatialkz.regions.graphs import bundled_boundaries, region_codes, region_graph


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPATIALKZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def resolved(vintage, column="name_en"):
    return resolve_regions(region_table(vintage)[column], vintage=vintage)


@pytest.mark.parametrize(("vintage", "links"), [(1999, 28), (2018, 29), (2022, 35)])
def test_the_published_list_equals_the_map(vintage, links):
    regions = resolved(vintage)
    listed = region_graph(regions, Queen()).graph
    drawn = neighbor_graph(bundled_boundaries(regions))
    assert listed.n_edges == drawn.n_edges == 2 * links
    assert set(listed.adjacency.index) == set(drawn.adjacency.index)


def test_some_of_the_regions():
    regions = resolved(2018).iloc[[0, 1, 2, 3]]
    found = region_graph(regions, Queen(), isolates="keep").graph
    assert list(found.unique_ids) == list(regions.index)
    whole = neighbor_graph(bundled_boundaries(resolved(2018))).adjacency
    here = whole[[i in regions.index and j in regions.index for i, j in whole.index]]
    assert set(found.adjacency[found.adjacency > 0].index) == set(here.index)


def test_a_file_may_name_regions_in_any_language(tmp_path):
    regions = resolved(2018).iloc[:3]
    (tmp_path / "pairs.csv").write_text(
        f"{regions['name_ru'].iloc[0]},{regions['code'].iloc[1]}\n{regions.index[1]},{regions['name_kk'].iloc[2]}\n",
        encoding="utf-8",
    )
    found = region_graph(regions, tmp_path / "pairs.csv").graph
    a, b, c = regions.index
    assert found[a].index.tolist() == [b]
    assert found[c].index.tolist() == [b]


def test_attaching_by_the_bundled_map(tmp_path):
    regions = resolved(2018)
    names = regions.loc[regions["code"].isin(["AKM", "KRG", "AST"])]
    label = {code: name for name, code in names["code"].items()}
    (tmp_path / "pairs.csv").write_text(f"region,neighbor\n{label['AKM']},{label['KRG']}\n")
    with pytest.raises(GraphError, match=r"has no neighbors in pairs\.csv"):
        region_graph(names, tmp_path / "pairs.csv")
    found = region_graph(names, tmp_path / "pairs.csv", isolates="attach").graph
    assert found[label["AST"]].index.tolist() == [label["AKM"]]


def test_codes_of_other_regions_are_none():
    assert region_codes(pd.DataFrame(index=["A"])) == {}
    codes = region_codes(resolve_regions(["ВКО", "KZ-AST"]))
    assert codes["VKO"] == codes["East Kazakhstan"] == "ВКО"
    assert codes["AST"] == "KZ-AST"
    assert len(load_boundaries(2018)) == 17


def test_own_maps_and_what_is_refused():
    frame = pd.DataFrame(index=["B", "A"])
    own = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], index=["A", "B"], crs=4326)
    found = region_graph(frame, Queen(), own)
    assert list(found.graph.unique_ids) == ["B", "A"]
    assert found.notes == ()
    with pytest.raises(RegionError, match=r"the map lacks B\."):
        region_graph(frame, KNearest(1), own.iloc[:1])
    with pytest.raises(
        InputError, match="Neighbors are needed: name a file of neighbors, or a file of boundaries"
    ):
        region_graph(frame, Queen())
    for option in ("isolates", "parts"):
        with pytest.raises(InputError, match=f"{option} is 'drop'; it must be one of error, keep, attach"):
            region_graph(resolved(2018), Queen(), **{option: "drop"})
    parted = own.set_geometry([box(0, 0, 0.9995, 1), box(1, 0, 2, 1)], crs=4326)
    with pytest.raises(GraphError, match="Only a gap of at most"):
        region_graph(frame, Queen(), parted)
    assert list(region_graph(frame, Queen(), parted, gap=0, isolates="keep").graph.isolates) == ["B", "A"]
