"""Points in regions: against a loop over all pairs, on borders, outside, and some rows at a time."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import spatialkz
from spatialkz.errors import InputError, Notice
from spatialkz.geography import place_points, place_register, points
from spatialkz.tables import aggregate_register

DRAW = np.random.default_rng(8)
QUARTERS = gpd.GeoDataFrame(
    geometry=[shapely.box(x, y, x + 1, y + 1) for y in (0, 1) for x in (0, 1)],
    index=["SW", "SE", "NW", "NE"],
    crs=4326,
)


@pytest.fixture(scope="module")
def country():
    return spatialkz.load_study().boundaries


def test_each_point_is_in_the_region_that_a_loop_finds(country):
    west, south, east, north = country.to_crs(4326).total_bounds
    lon, lat = DRAW.uniform(west, east, 400), DRAW.uniform(south, north, 400)
    firms = gpd.GeoSeries.from_xy(lon, lat, crs=4326)
    placed = place_points(firms, country)
    moved = firms.to_crs(country.crs)
    wanted = [
        next((name for name in country.index if country.geometry[name].contains(p)), None) for p in moved
    ]
    assert placed.regions.where(placed.regions.notna(), None).tolist() == wanted
    assert placed.outside.tolist() == [k for k, name in enumerate(wanted) if name is None]
    assert not len(placed.on_border)
    assert 0 < len(placed.outside) < 400


def test_borders_are_told_and_count_for_none_or_the_first():
    firms = gpd.GeoSeries(
        [*shapely.points([[0.5, 0.5], [1, 0.5], [1, 1], [0, 0.5], [9, 9]]), None],
        index=list("abcdef"),
        crs=4326,
    )
    placed = place_points(firms, QUARTERS)
    assert placed.regions.dropna().to_dict() == {
        "a": "SW",
        "d": "SW",
    }  # d is on the border of one region alone
    assert placed.on_border.to_dict() == {"b": "SW, SE", "c": "SW, SE, NW, NE"}
    assert (placed.outside.tolist(), placed.nowhere.tolist()) == (["e"], ["f"])
    assert placed.summary() == (
        "2 of 6 points lie in a region; 1 outside all of them, 1 without coordinates, 2 on a border of "
        "several (SW, SE, SW, SE, NW, NE)."
    )
    assert place_points(firms, QUARTERS, border="first").regions.dropna().to_dict() == dict.fromkeys(
        "abcd", "SW"
    )


def test_files_of_points_become_a_table_some_rows_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(points, "_BATCH", 100)
    firms = pd.DataFrame(
        {"lon": DRAW.uniform(-0.2, 2, 1000), "lat": DRAW.uniform(0, 2, 1000), "oked": "01110", "jobs": 2}
    )
    firms.loc[:4, "lon"] = np.nan
    firms.loc[5, ["lon", "lat"]] = 1, 1
    firms.to_csv(tmp_path / "firms.csv", index=False)
    with pytest.warns(
        Notice, match=r"^\d+ of 1,000 points lie in a region; \d+ outside all of them, 5 without "
    ):
        placed = place_register(
            tmp_path / "firms.csv", QUARTERS, "lon", "lat", columns=["oked", "jobs"], texts=["oked"]
        )
    with pytest.warns(Notice, match="with no region code"):
        table = aggregate_register(placed, "region", "oked", "jobs", sectors="section")
    assert table.sectors.tolist() == ["A"]
    inside = firms[(firms["lon"] > 0) & firms.index.isin(firms.index[6:])]
    east, north = inside["lon"] > 1, inside["lat"] > 1
    assert table.values["A"].to_dict() == {
        "NE": 2 * (east & north).sum(),
        "NW": 2 * (~east & north).sum(),
        "SE": 2 * (east & ~north).sum(),
        "SW": 2 * (~east & ~north).sum(),
    }
    with pytest.warns(Notice), pytest.raises(InputError, match="no column wages"):
        aggregate_register(
            place_register(firms, QUARTERS, "lon", "lat", columns=["oked"]), "region", "oked", "wages"
        )


def test_points_that_cannot_be_placed_are_refused(country):
    swapped = gpd.GeoSeries.from_xy([51.1, 43.2], [71.4, 76.9], crs=4326)
    with pytest.raises(
        InputError, match=r"No point lies in any region: .* longitude and latitude are swapped"
    ):
        place_points(swapped, country.to_crs(4326))
    with pytest.raises(InputError, match=r"to 2, 2; check their coordinate reference system"):
        place_points(gpd.GeoSeries.from_xy([7e6], [5e6], crs=4326), QUARTERS)
    with pytest.raises(InputError, match=r"The points have no coordinate reference system"):
        place_points(gpd.GeoSeries.from_xy([1], [1]), QUARTERS)
    frame = pd.DataFrame({"lon": [9.0], "lat": [9.0]})
    with pytest.raises(InputError, match=r"No point lies in any region: the first is at 9, 9"):
        place_register(frame, QUARTERS, "lon", "lat")
    for wrong in ("x", None, country.index, country):
        with pytest.raises(
            InputError, match=r"points must be (a GeoSeries|points, but these are not: Akmola)"
        ):
            place_points(wrong, country)
    import polars

    with pytest.raises(
        InputError, match=r"lazy frame or a cluster cannot be placed from here; write it to Parquet"
    ):
        place_register(polars.from_pandas(frame).lazy(), QUARTERS, "lon", "lat")
