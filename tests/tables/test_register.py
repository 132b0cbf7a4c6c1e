"""Registers: the same table from every engine, codes by prefix, and what is told of the rest."""

import subprocess
import sys
import warnings
from dataclasses import replace

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


def small(**columns):
    given = {"kato": ["71", "75", "75"], "oked": ["62", "62", "20"], "jobs": [1.0, 2.0, 3.0]}
    return pd.DataFrame({**given, **columns})


def added_up(frame, value="jobs", **options):
    return aggregate_register(frame, "kato", "oked", value, **options)


def test_rows_without_a_code_are_counted_and_told():
    frame = small(kato=["71", None, "75"], oked=["62", "62", " "])
    frame = pd.concat([frame, small()])
    with pytest.warns(Notice) as told:
        found = added_up(frame, base="all")
    why = "1 with no region code, 1 with no sector code"
    sentence = f"2 of 6 rows (33 %) stand in no cell: {why}; they hold 5 of jobs."
    assert [str(one.message) for one in told] == [sentence]
    assert sentence.replace("; they hold 5 of jobs", "") in found.summary()
    assert found.left_out["value"].tolist() == [2.0, 3.0]
    assert found.values.to_numpy().sum() == 7
    # The firm in Almaty without a sector is in the base of Almaty.
    assert found.base["base"].to_dict() == {"71": 2.0, "75": 8.0}
    assert found.rows == 6


def test_codes_that_match_nothing_are_refused_or_left_out_and_told():
    frame = small(oked=["62", "99999", "40"])
    with pytest.raises(InputError, match=r"^1 codes of oked have no sector: 40 \(1 rows\); mend them, add"):
        added_up(frame, sectors="division")
    frame = pd.concat([frame, small()])
    with pytest.warns(Notice, match=r"1 of 6 rows .* 1 with a code of no sector; they hold 3 of jobs"):
        found = added_up(frame, sectors="division", unmatched="leave-out")
    assert found.sectors.tolist() == ["20", "62", "99"]
    with pytest.raises(InputError, match=r"3 codes of kato have no region: 1 .1 rows., 2 .1 rows., 3"):
        added_up(small(kato=["1", "2", "3"]), regions=2)


def test_values_that_cannot_be_added_are_refused_by_their_cell():
    with pytest.raises(InputError, match=r"some are negative in 75 × 20; mend"):
        added_up(small(jobs=[1, 2, -3]))
    with pytest.raises(InputError, match=r"NaN, infinite or too large in 71 × 62"):
        added_up(small(jobs=[np.inf, 2, 3]))
    with pytest.raises(InputError, match=r"1 of 3 rows have no jobs, as in 75 × 62; fill them"):
        added_up(small(jobs=[1, None, 3]))
    with pytest.raises(
        InputError, match=r"jobs must hold numbers, but it is of type String; .* decimal = ','"
    ):
        added_up(small(jobs=["1", "2,5", "3"]))


@pytest.mark.parametrize("engine", ["pandas", "polars", "polars, lazy", "duckdb", "arrow", "dask"])
def test_missing_values_are_left_out_alike_on_every_engine(engine):
    frame = pd.concat([small(), small(jobs=[5, np.nan, 7])], ignore_index=True)
    make = ENGINES[engine]
    given = make(frame)
    if engine.startswith("polars"):
        # Polars tells NaN from a missing value; both are missing here.
        given = given.with_columns(
            jobs=given.collect().get_column("jobs").fill_null(float("nan"))
            if "lazy" in engine
            else given.get_column("jobs").fill_null(float("nan"))
        )
    with pytest.warns(Notice, match=r"1 of 6 rows .* 1 with no value"):
        found = added_up(given, missing="leave-out", plants=True)
    assert found.values.loc["75"].to_dict() == {"20": 10.0, "62": 2.0}
    assert found.plants.loc["75"].to_dict() == {"20": 2, "62": 1}


def test_one_year_and_one_unit_where_that_is_asked():
    frame = pd.concat([small(year=2021, unit="jobs"), small(year=2022, unit="jobs")])
    with pytest.raises(
        InputError, match=r"year must have one value in all rows, but it has at least 2021 and 2022"
    ):
        added_up(frame, constant=["year"])
    found = added_up(frame, constant=["year", "unit"], where={"year": "2022"})
    assert found.values.to_numpy().sum() == 6
    assert added_up(frame, where={"year": [2021, 2022.0], "unit": "jobs"}).values.to_numpy().sum() == 12
    with pytest.raises(InputError, match=r"No row of the register has year = 1999"):
        added_up(frame, where={"year": 1999})
    with pytest.raises(InputError, match=r"year = last, but the column year holds numbers"):
        added_up(frame, where={"year": "last"})
    mixed = frame.assign(unit=["jobs", "jobs", None] * 2)
    with pytest.raises(InputError, match=r"2 of 6 rows have no unit, which must be one for all"):
        added_up(mixed, constant=["unit"])


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_kept_and_units_compared_on_every_engine(engine):
    frame = pd.concat([small(unit="jobs", note="a"), small(unit="jobs", note="b")])
    found = added_up(ENGINES[engine](frame), where={"note": ["b", "c"]}, constant=["unit"])
    assert found.values.to_numpy().tolist() == [[0.0, 1.0], [3.0, 2.0]]
    with pytest.raises(
        InputError, match=r"note must have one value in all rows, but it has at least a and b"
    ):
        added_up(ENGINES[engine](frame), constant=["note"])


def test_regions_without_a_row_and_tables_too_wide_are_told(monkeypatch):
    with pytest.warns(Notice, match=r"^2 of 4 regions have no row: Abai, Ulytau\.$"):
        added_up(small(), regions={"71": "Astana", "10": "Abai", "75": "Almaty", "62": "Ulytau"})
    monkeypatch.setattr("spatialkz.tables.register._MOST_CELLS", 3)
    with pytest.raises(InputError, match=r"2 regions and 2 sectors, 4 cells; check the columns"):
        added_up(small())


def test_the_engines_are_loaded_on_first_use():
    code = (
        "import sys, spatialkz.tables; print(*{'duckdb', 'narwhals', 'polars', 'pyspark'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not told.stdout.split()


def test_a_folder_of_partitions_is_one_register(tmp_path):
    for year in (2021, 2022):
        for form in ("parquet", "csv"):
            (tmp_path / form / f"year={year}").mkdir(parents=True)
        small().to_parquet(tmp_path / "parquet" / f"year={year}" / "part.parquet")
        small().to_csv(tmp_path / "csv" / f"year={year}" / "part.csv", index=False)
    for form in ("parquet", "csv"):
        assert added_up(tmp_path / form, where={"year": 2022}).values.to_numpy().sum() == 6
        assert added_up(tmp_path / form).values.to_numpy().sum() == 12


def test_numbers_as_codes_get_their_zeros_back_or_are_asked_about():
    frame = small(oked=[1110, 62011, 20130])
    with pytest.raises(
        InputError, match=r"numbers of 4 to 5 digits \(1110, 62011\), so that leading .*sector_digits"
    ):
        added_up(frame, sectors="division")
    assert added_up(frame, sectors="division", sector_digits=5).sectors.tolist() == ["01", "20", "62"]
    assert added_up(frame, sectors="section", sector_digits=5).sectors.tolist() == ["A", "C", "J"]
    # With a gap, pandas has floats; the label of 1110.0 is 1110.
    with pytest.warns(Notice, match=r"1 with no sector code"):
        assert added_up(small(oked=[1110, None, 62011])).sectors.tolist() == ["1110", "62011"]
    with pytest.raises(InputError, match=r"sector_digits is 4, but there is a sector code 62011"):
        added_up(frame, sectors="division", sector_digits=4)


def test_prefixes_exclude_each_other_or_the_longest_counts():
    prefixes = {"30": "transport equipment", "303": "aircraft", "62": "software", "20": "chemicals"}
    frame = small(oked=["30300", "30200", "303"])
    with pytest.raises(InputError, match=r"begin with 303 match two sectors, aircraft \(303\) and transport"):
        added_up(frame, sectors=prefixes)
    found = added_up(frame, sectors=prefixes, overlap="longest")
    assert found.values.sum().to_dict() == {"transport equipment": 2.0, "aircraft": 4.0}
    numbered = added_up(small(kato=[1, 10, 10]), regions={1: "Akmola", 10: "Abai"}, overlap="longest")
    assert numbered.regions.tolist() == ["Akmola", "Abai"]


def test_plants_give_the_herfindahl_of_ellison_and_glaeser():
    """The example of REAT::ellison.a that ellison_glaeser carries."""
    plants = pd.DataFrame(
        {
            "kato": ["Wien"] * 5 + ["Linz"] * 4 + ["Graz"],
            "oked": "machines",
            "jobs": [200, 650, 12000, 100, 50, 16000, 13000, 1500, 1500, 25000],
        }
    )
    found = added_up(plants, plants=True, base=pd.Series({"Wien": 500000, "Linz": 400000, "Graz": 100000}))
    index = ellison_glaeser(found.values, found.herfindahl, found.base)
    assert index.loc["machines", "gamma"] == pytest.approx(0.05990628, abs=1e-8)
    counted = aggregate_register(plants, "kato", "oked", plants=True)
    assert counted.kind == "counts"
    assert counted.herfindahl["machines"] == 1 / 10


def test_plants_are_dropped_once_they_no_longer_fit():
    found = added_up(small(), plants=True)
    same = replace(found, unit="jobs")
    assert same.plants is not None
    joined = found.values.groupby(["all", "all"]).sum()
    whole = replace(found, values=pd.concat([joined, joined.set_axis(["none"])]))
    assert whole.plants is None
    assert whole.herfindahl.equals(found.herfindahl)
    assert replace(found, values=found.values[["62"]], groups=pd.Series(dtype=str)).herfindahl is None


def test_what_is_no_register_is_refused(tmp_path, monkeypatch):
    good = small()
    with pytest.raises(InputError, match=r"The register is of type dict; expected a frame of pandas, Polars"):
        added_up({"kato": []})
    with pytest.raises(InputError, match=r"has no column job; .*'job' for 'jobs'"):
        added_up(good, "job")
    with pytest.raises(InputError, match=r"The register has no rows"):
        added_up(good.iloc[:0])
    with pytest.raises(InputError, match=r"None of the 3 rows has both a region and a sector"):
        added_up(small(oked=None).astype({"oked": "str"}).assign(oked=""))
    with pytest.raises(InputError, match=r"There is no file .*none.parquet; check"):
        added_up(tmp_path / "none.parquet")
    with pytest.raises(InputError, match=r"no Parquet or CSV file in the folder"):
        added_up(tmp_path)
    with pytest.raises(InputError, match=r"No file was named"):
        added_up([])
    good.to_csv(tmp_path / "a.csv", index=False)
    good.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"of two forms, CSV, Parquet"):
        added_up(tmp_path)
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(InputError, match=r"a.xlsx is neither Parquet nor CSV by its name"):
        added_up(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match=r"The register has no column wages"):
        added_up(tmp_path / "a.csv", "wages")
    (tmp_path / "b.parquet").write_bytes(b"no such thing")
    with pytest.raises(InputError, match=r"b.parquet cannot be read: "):
        added_up(tmp_path / "b.parquet")
    (tmp_path / "b.csv").write_text("kato,oked,jobs\n71,62,1\n75,62,many\n", encoding="utf-8")
    with pytest.raises(SpatialKZError, match=r"DuckDB could not add up the register: .*Line: 3"):
        added_up(tmp_path / "b.csv")
    with pytest.raises(RegionError, match=r"two regions that look alike"):
        added_up(small(kato=["Abai", "Аbai", "x"]))
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"DuckDB, which is not installed \(pip install duckdb\)"):
        added_up(tmp_path / "a.csv")


def test_zeros_come_back_before_codes_are_cut_on_every_engine(tmp_path):
    rows = pd.DataFrame({"r": ["A", "B", "A"], "s": ["6201", "2014", "1010"], "v": [1, 2, 4]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    for given in (rows, polars_frame(rows).lazy(), tmp_path / "rows.csv"):
        found = aggregate_register(given, "r", "s", "v", sectors="section", sector_digits=4).values
        assert found.to_dict() == {"C": {"A": 4, "B": 2}, "J": {"A": 1, "B": 0}}


def test_a_division_of_one_digit_before_a_dot_has_lost_a_zero():
    rows = pd.DataFrame({"r": ["A", "B"], "s": ["1.10", "62.01"], "v": [1, 2]})
    for given in (rows, rows.assign(s=[1.10, 62.01]), polars_frame(rows).lazy()):
        with pytest.raises(InputError, match=r"1 codes of s have no sector: 1\.1"):
            aggregate_register(given, "r", "s", "v", sectors="division")


def test_a_file_is_added_up_once(tmp_path):
    path = tmp_path / "rows.csv"
    FIRMS.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"rows\.csv is named more than once"):
        aggregate_register([path, tmp_path / "*.csv"], "kato", "oked", "jobs")
