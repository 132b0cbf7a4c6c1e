import runpy
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point
from small_maps import UTM, cloud, lattice

from spatialkz import geography
from spatialkz.errors import InputError, RegionError
from spatialkz.geography import (
    RECIPES,
    KNearest,
    Queen,
    as_recipe,
    neighbor_graph,
    recipe_family,
)
from spatialkz.regions import load_boundaries

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTS = DOCS.parent / "scripts" / "docs"
CITIES = ["AST", "ALA", "SHM"]


@pytest.fixture(scope="module")
def country():
    return load_boundaries(2018)


# Names and words.


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("queen", "queen contiguity"),
        ("rook", "rook contiguity"),
        ("knn", "4 nearest neighbors"),
        ("knn:k=1", "nearest neighbor"),
        ("knn: k = 3, symmetric = true", "3 nearest neighbors, either way"),
        ("distance_band", "smallest distance band that leaves no region alone"),
        ("distance_band:threshold=350.5", "distance band up to 350.5 km"),
        ("inverse_distance", "inverse distance, power 1"),
        ("kernel:function=cosine,bandwidth=90", "cosine kernel, bandwidth 90 km"),
        ("gabriel", "Gabriel graph"),
        ("delaunay", "Delaunay triangulation"),
        ("city_merged:base=rook", "city merged with its region (rook contiguity)"),
        ("queen|knn:k=2&gabriel", "queen contiguity or (2 nearest neighbors and Gabriel graph)"),
    ],
)
def test_recipes_print_themselves_in_words(line, words):
    recipe = as_recipe(line)
    assert str(recipe) == words
    assert as_recipe(line) == recipe == eval(repr(recipe), dict(vars(geography)))
    assert hash(recipe) == hash(as_recipe(line))


@pytest.mark.parametrize(
    ("recipe", "options", "complaint"),
    [
        ("bishop", {}, f"recipe is 'bishop'; it must be one of {', '.join(RECIPES)}"),
        (7, {}, "a name or a graph recipe, not int"),
        ("queen", {"k": 4}, "The recipe queen has no option k; it has none"),
        ("knn", {"threshold": 4}, "The recipe knn has no option threshold; known are k, symmetric"),
        ("knn:k", {}, "'k' in the recipe 'knn:k' is not of the form option=value"),
        ("knn:k=3", {"k": 4}, "The recipe knn is given k twice"),
        ("queen|knn", {"k": 4}, "not clear to which recipe of 'queen|knn' the option k goes"),
        (KNearest(3), {"k": 4}, "made already; k cannot change it"),
        ("travel_time", {"k": 4}, "The recipe travel_time needs the option table"),
        ("knn", {"k": 0}, "k is 0; it must be at least 1"),
        ("knn", {"k": 2.5}, "k is 2.5; it must be a whole number"),
        ("knn", {"k": True}, "k is True; it must be a whole number"),
        ("knn", {"symmetric": "yes"}, "symmetric is 'yes'; it must be true or false"),
        ("knn", {"k": 17}, "k is 17; it must be less than 17 for these regions"),
        ("kernel", {"k": 16}, "k is 16; it must be less than 16 for these regions"),
        ("kernel", {"k": 3, "bandwidth": 9}, "a bandwidth or k, not both"),
        ("kernel", {"function": "round"}, "function is 'round'; it must be one of triangular"),
        ("kernel", {"bandwidth": 0}, "bandwidth is 0; it must be a positive number of kilometers"),
        ("distance_band", {"threshold": -1}, "threshold is -1; it must be a positive number of kilometers"),
        ("distance_band", {"threshold": 0}, "threshold is 0; it must be a positive number"),
        ("distance_band", {"threshold": float("nan")}, "threshold is nan; it must be a positive number"),
        ("inverse_distance", {"power": 0}, "power is 0; it must be a positive number"),
        ("inverse_distance", {"power": "2"}, "power is '2'; it must be a positive number"),
        ("inverse_distance", {"threshold": -4}, "threshold is -4; it must be a positive number"),
        ("city_merged", {"base": 4}, "base is 4; it must be a graph recipe"),
        ("distance_band", {"threshold": 1}, "has no neighbors by distance band up to 1 km"),
    ],
)
def test_bad_recipes_are_refused(country, recipe, options, complaint):
    with pytest.raises(InputError, match=complaint.replace("|", r"\|").replace("(", r"\(")):
        neighbor_graph(country, recipe, **options)


def test_recipes_combine_only_with_recipes():
    with pytest.raises(TypeError):
        Queen() | "rook"
    with pytest.raises(TypeError):
        Queen() & 4


# The map.


def test_bad_maps_are_refused(country):
    with pytest.raises(InputError, match="need a coordinate reference system, but the regions have none"):
        neighbor_graph(country.set_crs(None, allow_override=True), "knn")
    assert neighbor_graph(country.set_crs(None, allow_override=True), "queen").n == 17
    gap = country.copy()
    gap.loc["AKT", "geometry"] = None
    with pytest.raises(InputError, match="Contiguity needs a polygon for every region; AKT has none"):
        neighbor_graph(gap, "queen")
    with pytest.raises(InputError, match="Distances need a geometry for every region; AKT has none"):
        neighbor_graph(gap, "knn")
    with pytest.raises(InputError, match="polygon for every region; r0, r1, r2 has none"):
        neighbor_graph(cloud(3), "city_merged")
    twins = cloud(5).set_axis(list("abcde"))
    twins.loc["d", "geometry"] = twins.geometry["b"]
    for recipe in ("knn:k=2", "gabriel", "delaunay", "inverse_distance", "distance_band"):
        with pytest.raises(InputError, match="a point of its own, but these coincide: b and d"):
            neighbor_graph(twins, recipe)
    with pytest.raises(InputError, match="The coordinates of r0, r1, r2 are no longitude and latitude"):
        neighbor_graph(cloud(3).set_crs(4326, allow_override=True), "knn:k=1")
    with pytest.raises(InputError, match="is geocentric"):
        neighbor_graph(cloud(3).set_crs(4978, allow_override=True), "knn:k=1")
    line = gpd.GeoDataFrame(geometry=[Point(x, 0) for x in range(4)], crs=UTM)
    for recipe in ("delaunay", "gabriel"):
        with pytest.raises(InputError, match="three regions that do not lie on one line"):
            neighbor_graph(line, recipe)


def test_bad_points_are_refused(country):
    with pytest.raises(InputError, match="no column 'capital' of points; the columns are"):
        neighbor_graph(country, "knn", points="capital")
    with pytest.raises(InputError, match="must be a GeoSeries, or the name of a column"):
        neighbor_graph(country.assign(x=1), "knn", points="x")
    points = country.representative_point()
    with pytest.raises(RegionError, match="points lacks AKM"):
        neighbor_graph(country, "knn", points=points.drop("AKM"))
    with pytest.raises(InputError, match="must be points, but these are not: AKM"):
        neighbor_graph(country, "knn", points=country.geometry)
    points["AKM"] = None
    with pytest.raises(InputError, match="need a point for every region; AKM has none"):
        neighbor_graph(country, "knn", points=points)


# The enclaves.


def test_on_contiguity_the_enclaves_have_one_neighbor_and_other_recipes_give_more(country):
    counts = {
        line: neighbor_graph(country, r).cardinalities[CITIES].tolist() for line, r in recipe_family().items()
    }
    assert counts["queen"] == counts["rook"] == [1, 1, 1]
    assert counts["city_merged"] == [5, 4, 4]  # their hosts have 5, 4 and 4 neighbors, the city among them
    assert counts["knn:k=4"] == [4, 4, 4]
    assert min(min(c) for line, c in counts.items() if line not in {"queen", "rook"}) >= 2
    # In the division of 2022 East Kazakhstan has one neighbor, too, but lies beside it.
    after = load_boundaries(2022)
    one = neighbor_graph(after).cardinalities
    assert set(one.index[one == 1]) == {*CITIES, "VKO"}
    assert neighbor_graph(after, "city_merged").cardinalities["VKO"] == 1


def test_the_family_leaves_out_what_the_regions_cannot_carry(country):
    assert "rook" not in recipe_family(country)  # equals queen here
    assert "city_merged" in recipe_family(country)
    assert list(recipe_family(lattice(2, 2))) == [
        "queen",
        "rook",
        "knn:k=3",
        "distance_band",
        "inverse_distance",
        "gabriel",
    ]
    assert list(recipe_family(cloud(5))) == [
        "knn:k=3",
        "knn:k=4",
        "distance_band",
        "inverse_distance",
        "gabriel",
    ]
    for line, recipe in recipe_family(country).items():
        assert as_recipe(line) == recipe
        assert neighbor_graph(country, recipe).n == 17


def test_the_table_of_recipes_is_the_one_its_script_makes():
    from spatialkz import load_study, local_moran

    script = runpy.run_path(str(SCRIPTS / "make_graph_table.py"))
    made = (DOCS / "methods" / "graphs.md").read_text(encoding="utf-8")
    assert script["page"]() == made, "run: python scripts/docs/make_graph_table.py"
    # Its bound is what the local test says of values without ties.
    study = load_study()
    values = pd.Series(np.random.default_rng(4).normal(size=17), index=study.table.regions, name="x")
    for line in ("queen", "knn:k=3", "knn:k=5", "distance_band", "gabriel", "city_merged"):
        graph = neighbor_graph(study.boundaries, line, isolates="error")
        said = local_moran(values, graph).to_frame().loc["x", "p_min"]
        for city in script["CITIES"]:
            np.testing.assert_allclose(said[city], script["smallest_p_value"](graph[city].to_numpy(), 16))
    assert script["smallest_p_value"](np.array([1.0, 2, 2]), 4) == 2 / 12
    assert script["smallest_p_value"](np.ones(4), 4) == 1
