"""Registers on real local clusters: Spark, and Dask whose workers are lost midway."""

import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import SpatialKZError
from spatialkz.tables import aggregate_register

ROWS = 3000
DRAW = np.random.default_rng(5)
FIRMS = pd.DataFrame(
    {
        "kato": DRAW.choice(["7110", " 7510", "79"], ROWS),
        "oked": DRAW.choice(["62.01", "J62", "20110", "01"], ROWS),
        "jobs": DRAW.integers(0, 500, ROWS),
        "output": DRAW.lognormal(3, 2, ROWS),
        "year": 2022,
    }
)
HOW = {"regions": 2, "sectors": "section", "plants": True, "where": {"year": 2022}, "constant": ["year"]}


def added_up(frame, value="jobs"):
    return aggregate_register(frame, "kato", "oked", value, **HOW)


def assert_same(found, wanted, rtol):
    pd.testing.assert_frame_equal(found.values, wanted.values, rtol=rtol, atol=0)
    pd.testing.assert_frame_equal(found.plants, wanted.plants)
    np.testing.assert_allclose(found.herfindahl, wanted.herfindahl, rtol=1e-12)


@pytest.fixture(scope="module")
def spark():
    if shutil.which("java") is None and not os.environ.get("CI"):
        pytest.skip("Spark needs Java, which is not installed here")
    import warnings

    with warnings.catch_warnings():
        # PySpark warns of pandas 3, which it is not asked for here.
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        options = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.driver.memory": "600m",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
        }
        session = SparkSession.builder.master("local[1]").config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_spark_adds_up_to_the_same_table(spark, tmp_path):
    FIRMS.to_parquet(tmp_path / "firms.parquet")
    frame = spark.read.parquet(str(tmp_path / "firms.parquet")).repartition(3)
    assert_same(added_up(frame), added_up(FIRMS), rtol=0)
    assert_same(added_up(frame, "output"), added_up(FIRMS, "output"), rtol=1e-12)
    broken = frame.selectExpr("kato", "oked", "year", "raise_error('a lost disk') + jobs AS jobs")
    with pytest.raises(SpatialKZError, match=r"Spark could not add up the register: .*a lost disk"):
        added_up(broken)


@pytest.fixture(scope="module")
def cluster():
    import dask
    from distributed import Client, LocalCluster

    # A busy machine is no lost worker.
    dask.config.set({"distributed.comm.timeouts.connect": "120s", "distributed.scheduler.worker-ttl": None})
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        Client(local, timeout="120s") as client,
    ):
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1))
        yield client


def dying(flag, rows):
    """The rows, but the worker with the third part dies: once if there is a flag to leave, else always."""
    if rows.index[0] == 1000 and not (flag and Path(flag).exists()):
        if flag:
            Path(flag).touch()
        os._exit(1)
    return rows


@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_of_dask_is_replaced_and_a_lost_cluster_is_told(cluster, tmp_path):
    import dask.dataframe

    assert cluster.ncores()
    frame = dask.dataframe.from_pandas(FIRMS, npartitions=6)
    once = frame.map_partitions(partial(dying, str(tmp_path / "flag")), meta=frame._meta)
    assert_same(added_up(once), added_up(FIRMS), rtol=0)
    assert (tmp_path / "flag").exists()
    always = frame.map_partitions(partial(dying, ""), meta=frame._meta)
    with pytest.raises(SpatialKZError, match=r"Dask could not add up the register: Attempted to run task"):
        added_up(always)
