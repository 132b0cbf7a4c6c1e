import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda import Geary, Moran
from libpysal.graph import Graph
from scipy.spatial.distance import cdist

from spatialkz.errors import InputError, RegionError
from spatialkz.geography import neighbor_graph
from spatialkz.spatial import correlogram, geary, moran


@pytest.fixture(scope="module")
def points():
    """Forty points in meters, and two variables, one of which is smooth over the map."""
    rng = np.random.default_rng(3)
    xy = rng.uniform(0, 400_000, size=(40, 2))
    labels = [f"r{number:02}" for number in range(40)]
    smooth = np.sin(xy[:, 0] / 90_000) + np.cos(xy[:, 1] / 90_000)
    values = pd.DataFrame({"smooth": smooth, "noise": rng.normal(size=40)}, index=labels)
    return values, gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), index=labels, crs=32642)


@pytest.fixture(scope="module")
def lattice():
    """A graph of 5 × 5 squares that share an edge, and their middles in meters, 10 km apart."""
    y, x = np.divmod(np.arange(25), 5)
    squares = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(10_000.0 * x, 10_000.0 * y),
        index=[f"c{k:02}" for k in range(25)],
        crs=32642,
    )
    return neighbor_graph(squares, "distance_band:threshold=10"), squares


@pytest.mark.parametrize(("statistic", "peer", "name"), [("moran", Moran, "I"), ("geary", Geary, "C")])
def test_disjoint_and_cumulative_bands_equal_esda_on_weights_made_by_hand(points, statistic, peer, name):
    values, regions = points
    kilometers = cdist(regions.get_coordinates(), regions.get_coordinates()) / 1000
    ends = [100.0, 180.0, 250.0]
    for cumulative in (False, True):
        found = correlogram(
            values, regions, bands=ends, cumulative=cumulative, statistic=statistic, permutations=99, rng=1
        ).to_frame()
        for low, high, band in zip([0, *ends[:-1]], ends, (1, 2, 3), strict=True):
            near = (kilometers > (0 if cumulative else low)) & (kilometers <= high)
            i, j = np.nonzero(near)
            graph = Graph.from_arrays(i, j, np.ones(len(i))).transform("r")
            assert near.any(axis=1).all()
            for variable in values:
                wanted = getattr(peer(values[variable].to_numpy(), graph, permutations=0), name)
                assert found.loc[(variable, band), "statistic"] == pytest.approx(wanted, abs=1e-10)
                assert found.loc[(variable, band), "pairs"] == near.sum() / 2


@pytest.mark.parametrize(("statistic", "alone"), [("moran", moran), ("geary", geary)])
def test_a_band_is_the_global_test_on_its_graph(study, quotients, shuffled, statistic, alone):
    """Geodesics on the ellipsoid, the same permutations; the order of rows plays no part."""
    options = {"permutations": 199, "rng": 5}
    bands = [700.0, 1500.0]
    found = correlogram(quotients, study.boundaries, bands=bands, statistic=statistic, **options).to_frame()
    graph = neighbor_graph(study.boundaries, "distance_band:threshold=700")
    wanted = alone(quotients, graph, **options).to_frame()
    columns = ["statistic", "expected", "variance", "z", "p_value"]
    pd.testing.assert_frame_equal(found.xs(1, level="band")[columns], wanted[columns])
    again = correlogram(
        shuffled(quotients), shuffled(study.boundaries), bands=bands, statistic=statistic, **options
    )
    pd.testing.assert_frame_equal(again.to_frame(), found)


def test_steps_of_a_graph_are_distances_of_a_city_block(lattice):
    graph, squares = lattice
    values = pd.Series(np.arange(25.0) ** 2, index=squares.index, name="x")
    found = correlogram(values, graph, bands=10, permutations=99, rng=1).to_frame().loc["x"]
    xy = squares.get_coordinates().to_numpy() / 10_000
    blocks = cdist(xy, xy, "cityblock")[np.triu_indices(25, 1)]
    assert found["high"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found["pairs"].tolist() == np.bincount(blocks.astype(int))[1:].tolist()
    assert found["regions"].tolist() == [25, 25, 25, 25, 24, 20, 12, 4]  # 5 steps: all but the middle


def test_regions_without_a_partner_stay_in_mean_and_variance_and_are_counted(lattice):
    _, squares = lattice
    values = pd.Series(np.arange(25.0) ** 2, index=squares.index, name="x")
    found = correlogram(values, squares, bands=[50, 60], permutations=99, rng=1).to_frame().loc[("x", 2)]
    xy, z = squares.get_coordinates().to_numpy() / 10_000, (values - values.mean()).to_numpy()
    distance = cdist(xy, xy)
    terms = [
        z[i] * np.mean([z[j] for j in range(25) if 5 < distance[i, j] <= 6])
        for i in range(25)
        if ((distance[i] > 5) & (distance[i] <= 6)).any()
    ]
    assert found["regions"] == len(terms) < 25
    assert found["statistic"] == pytest.approx(np.mean(terms) / np.mean(z**2), abs=1e-12)


def test_bands_by_number_hold_equally_many_pairs(points):
    values, regions = points
    found = correlogram(values, regions, bands=5, permutations=99, rng=1).to_frame().loc["noise"]
    assert found["pairs"].tolist() == [156] * 5
    assert found["low"].tolist() == [0.0, *found["high"].tolist()[:-1]]


def test_reach_ends_at_the_first_band_that_is_not_alike(points):
    values, regions = points
    test = correlogram(values, regions, bands=[50, 90, 130, 200, 300], permutations=999, rng=1)
    rows = test.to_frame().loc["smooth"]
    assert (rows["p_value"].iloc[:2] <= 0.05).all()
    assert rows["statistic"].iloc[-1] < rows["expected"].iloc[-1]
    far = test.reach()
    last = int(((rows["p_value"] <= 0.05) & (rows["statistic"] > rows["expected"])).cumprod().sum())
    assert far.loc["smooth"].tolist() == [rows["high"].iloc[last - 1], True]
    assert far.loc["noise"].tolist() == [0.0, True]
    near = correlogram(values["smooth"], regions, bands=[50], permutations=999, rng=1)
    assert near.reach().loc["smooth"].tolist() == [50.0, False]
    unlike = correlogram(values["smooth"], regions, bands=[50], statistic="geary", permutations=999, rng=1)
    assert unlike.reach().loc["smooth", "reach"] == 50


@pytest.mark.parametrize("statistic", ["moran", "geary"])
def test_size_with_17_regions(null_tables, study, statistic):
    """2,000 tables: a rate of 5 % has a standard error of half a point in a band."""
    test = correlogram(
        null_tables("lognormal", 2000), study.boundaries, statistic=statistic, permutations=999, rng=2
    )
    found = test.to_frame()
    rates = (found["p_value"] <= 0.05).groupby("band").mean()
    assert len(rates) == 6
    assert rates.between(0.035, 0.065).all()
    assert (found["p_adjusted"].groupby("variable").min() <= 0.05).mean() < 0.065
    # Likeness is one tail of two, so that half of the level is used up.
    assert 0.005 < (test.reach()["reach"] > 0).mean() < 0.05


def test_what_it_refuses(study, quotients, points):
    values, regions = points
    with pytest.raises(InputError, match="between 5000 and 6000 km"):
        correlogram(quotients, study.boundaries, bands=[5000, 6000, 7000])
    for wrong in ([100, 50], [], [0, 10], [np.nan], "six", [[1, 2]]):
        with pytest.raises(InputError, match="positive and increasing"):
            correlogram(values, regions, bands=wrong)
    with pytest.raises(InputError, match="bands is 0"):
        correlogram(values, regions, bands=0)
    with pytest.raises(InputError, match="one of moran, geary"):
        correlogram(values, regions, statistic="losh")
    with pytest.raises(RegionError, match="lacks Akmola"):
        correlogram(quotients, study.boundaries.drop(index="Akmola"))
    with pytest.raises(InputError, match="must be a GeoDataFrame"):
        correlogram(values, None)
    with pytest.raises(InputError, match="a graph, which has steps"):
        correlogram(quotients, study.graph, points="geometry")
    many = pd.Series(np.arange(5001.0), name="x")
    with pytest.raises(InputError, match="5,001 regions"):
        correlogram(many, gpd.GeoDataFrame(geometry=gpd.points_from_xy(many, many), crs=32642))
