"""Registers: the same table from every engine, codes by prefix, and what is told of the rest."""

import warnings

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, Notice, RegionError, SpatialKZError
from spatialkz.specialization import ellison_glaeser, location_quotient
from spatialkz.tables import aggregate_register

DRAW = np.random.default_rng(17)
ROWS = 2000
REGIONS = {"71": "Astana", "75": "Almaty", "79": "Shymkent"}


def firms(rows=ROWS):
    """Plants with codes as registers write them: of several lengths, with dots, letters, spaces or none."""
    codes = ["62.01", "62011", "J62", " 20.1", "C20", "72190", "01110", "30.3", None]
    return pd.DataFrame(
        {
            "kato": DRAW.choice(["711110000", "751000000 ", "79", None], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "oked": DRAW.choice(codes, rows),
            "jobs": DRAW.integers(0, 3000, rows).astype("int32"),
            "output": DRAW.lognormal(3, 2, rows),
            "year": DRAW.choice([2021, 2022], rows),
        }
    )


FIRMS = firms()


def polars_frame(frame):
    import polars

    return polars.from_pandas(frame)


def duckdb_relation(frame):
    import duckdb

    return duckdb.connect().from_df(frame)


def arrow_table(frame):
    import pyarrow

    return pyarrow.Table.from_pandas(frame)


def arrow_dataset(frame):
    import pyarrow.dataset

    return pyarrow.dataset.dataset(arrow_table(frame))


def dask_frame(frame):
    import dask.dataframe

    return dask.dataframe.from_pandas(frame, npartitions=7)


ENGINES = {
    "pandas": lambda frame: frame,
    "pandas with categories": lambda frame: frame.astype({"kato": "category", "oked": "category"}),
    "polars": polars_frame,
    "polars, lazy": lambda frame: polars_frame(frame).lazy(),
    "duckdb": duckdb_relation,
    "arrow": arrow_table,
    "arrow dataset": arrow_dataset,
    "dask": dask_frame,
}
OPTIONS = {"regions": REGIONS, "sectors": "division", "plants": True, "base": "all"}


def quiet(frame, *columns, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)
        return aggregate_register(frame, "kato", "oked", *columns, **options)


def by_hand(value="jobs"):
    """The same by plain pandas, row by row."""
    rows = FIRMS.dropna(subset=["kato", "oked"])
    region = rows["kato"].str[:2].map(REGIONS)
    sector = rows["oked"].map(lambda code: code.strip().lstrip("JC").replace(".", "")[:2])
    cells = rows.groupby([region.rename("region"), sector.rename("sector")])[value]
    return cells.sum().unstack(fill_value=0).loc[list(REGIONS.values())], cells.count().unstack(fill_value=0)


def assert_as_by_hand(found, value="jobs", rtol=0.0):
    wanted, plants = by_hand(value)
    pd.testing.assert_frame_equal(found.values, wanted.astype(float), rtol=rtol, atol=0, check_names=False)
    pd.testing.assert_frame_equal(found.plants, plants.loc[wanted.index], check_names=False)
    known = FIRMS.dropna(subset=["kato"])
    base = known[value].groupby(known["kato"].str[:2].map(REGIONS)).sum().loc[found.regions]
    np.testing.assert_allclose(found.base["base"], base, rtol=rtol)
    rows = FIRMS.dropna(subset=["kato", "oked"])
    sizes = rows[value].astype(float).groupby(rows["oked"].str.strip().str.lstrip("JC").str[:2])
    wanted = sizes.apply(lambda v: ((v / v.sum()) ** 2).sum())
    np.testing.assert_allclose(found.herfindahl, wanted.loc[found.sectors], rtol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_table_of_plain_pandas(engine):
    frame = ENGINES[engine](FIRMS)
    assert_as_by_hand(quiet(frame, "jobs", kind="counts", **OPTIONS))


@pytest.mark.parametrize("engine", ENGINES)
def test_quotients_of_fractions_agree_to_twelve_digits(engine):
    found = quiet(ENGINES[engine](FIRMS), "output", **OPTIONS)
    assert found.kind == "volumes"
    assert_as_by_hand(found, "output", rtol=1e-12)
    wanted = location_quotient(by_hand("output")[0])
    quotients = location_quotient(found.values)
    np.testing.assert_allclose(quotients, wanted, rtol=1e-12)


@pytest.mark.parametrize("form", ["parquet", "csv", "csv.gz", "csv with commas"])
def test_files_are_read_without_loading_them(tmp_path, form):
    decimal, _, suffix = ",", form.partition(" "), form.split()[0]
    for k, part in enumerate(np.array_split(np.arange(ROWS), 3)):
        # The columns of the last file stand in another order.
        rows = FIRMS.iloc[part] if k < 2 else FIRMS.iloc[part, ::-1]
        if form == "parquet":
            rows.to_parquet(tmp_path / f"{k}.parquet", index=False)
        elif form == "csv with commas":
            rows.to_csv(tmp_path / f"{k}.csv", index=False, sep=";", decimal=",")
        else:
            rows.to_csv(tmp_path / f"{k}.{suffix}", index=False)
    options = {**OPTIONS, "decimal": decimal if form == "csv with commas" else "."}
    for files in (tmp_path, f"{tmp_path}/*.{suffix}", sorted(tmp_path.iterdir())):
        assert_as_by_hand(quiet(files, "output", **options), "output", rtol=1e-12)
