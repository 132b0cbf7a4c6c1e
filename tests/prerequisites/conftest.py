"""The table of the paper with two covariates, and what R says of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import spatialkz

REFERENCE = Path(__file__).parents[1] / "reference" / "prerequisites"


@pytest.fixture(scope="session")
def quotients():
    return spatialkz.load_study().table.values.sort_index()


@pytest.fixture(scope="session")
def covariates():
    raw = pd.read_csv(REFERENCE / "covariates.csv", index_col="region")
    staff = np.log(1e4 * raw["rd_personnel_2022"] / raw["population_2022"])
    product = np.log(raw["grp_2020_million_tenge"] / raw["population_2020"])
    return pd.DataFrame({"staff": staff, "product": product})


@pytest.fixture(scope="session")
def reference():
    return pd.read_csv(REFERENCE / "values.csv", index_col="name")["value"]


@pytest.fixture(scope="session")
def drawn():
    """Tables of 17 regions: five sectors, three covariates, two controls."""
    rng, regions = np.random.default_rng(3), pd.Index([f"r{i:02}" for i in range(17)])
    sizes = {"quotients": ("s", 5), "covariates": ("x", 3), "controls": ("c", 2)}
    tables = {
        name: pd.DataFrame(rng.normal(size=(17, width)), regions).add_prefix(letter)
        for name, (letter, width) in sizes.items()
    }
    tables["quotients"] = np.exp(tables["quotients"] + 0.5 * tables["covariates"][["x0"]].to_numpy())
    return tables
