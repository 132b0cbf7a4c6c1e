"""Shared inputs: the paper's study as it is bundled, and a quick version of it."""

from dataclasses import replace

import pandas as pd
import pytest

import spatialkz
from spatialkz.study import Choices


@pytest.fixture(scope="session")
def study():
    return spatialkz.load_study("kazakhstan-2022")


@pytest.fixture(scope="session")
def quick(study):
    return replace(study, choices=Choices(permutations=199, resamples=10, draws=200, simulations=600))


@pytest.fixture(scope="session")
def quotients(study):
    return study.table.values


@pytest.fixture(scope="session")
def variables(quotients):
    """The eleven sectors and breadth, as the pipeline tests them."""
    return quotients.assign(breadth=(quotients >= 1).sum(axis=1))


@pytest.fixture
def shuffled():
    """Rows of a table in another order."""

    def shuffle(table: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
        return table.sample(frac=1, random_state=7)

    return shuffle
