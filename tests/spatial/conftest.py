"""Reference data and values of R's spdep; how they were made is in tests/reference/spatial/README.md."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spatialkz.geography import graph_from_pairs

REFERENCE = Path(__file__).parent.parent / "reference" / "spatial"


def _table_and_graph(name):
    table = pd.read_csv(REFERENCE / f"{name}.csv", dtype={"region": str}).set_index("region")
    pairs = pd.read_csv(REFERENCE / f"{name}_neighbors.csv", dtype=str)
    return table, graph_from_pairs(pairs, table.index)


@pytest.fixture(scope="session")
def oldcol():
    """Columbus with the neighbors of spdep's ``oldcol``."""
    return _table_and_graph("columbus")


@pytest.fixture(scope="session")
def carolina():
    return _table_and_graph("carolina")


@pytest.fixture(scope="session")
def spdep():
    """``spdep(test)``: the quantities of one test as a Series."""
    table = pd.read_csv(REFERENCE / "global.csv").set_index(["test", "quantity"])["value"]
    return lambda test: table.loc[test]


@pytest.fixture(scope="session")
def local_spdep():
    return pd.read_csv(REFERENCE / "local.csv", dtype={"region": str}).set_index("region")


@pytest.fixture(scope="session")
def null_tables(study):
    """``null_tables(kind, count)``: independent values for the 17 regions, a column for each replicate."""

    def draw(kind, count, seed=20):
        rng = np.random.default_rng(seed)
        shape = (len(study.table.regions), count)
        cells = {
            "normal": lambda: rng.normal(10, 1, size=shape),
            "lognormal": lambda: rng.lognormal(sigma=1.5, size=shape),
            "zero-inflated": lambda: rng.gamma(0.5, size=shape) * (rng.random(shape) < 0.6),
        }[kind]()
        return pd.DataFrame(cells, index=study.table.regions)

    return draw
