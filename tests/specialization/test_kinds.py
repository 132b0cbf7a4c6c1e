"""Every kind of quotient can be had by its name."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError
from spatialkz.geography import graph_from_pairs
from spatialkz.options import QuotientKind
from spatialkz.specialization import location_quotient, symmetric_quotient
from spatialkz.specialization.quotients import QUOTIENT_KINDS, quotients_of_kind
from spatialkz.specialization.variants import (
    additive_quotient,
    log_standardized_quotient,
    normalized_rca,
    standardized_quotient,
    windowed_quotient,
)

VALUES = pd.DataFrame(
    {"steel": [30.0, 10, 5], "cars": [7.0, 3, 9], "law": [10.0, 30, 2], "it": [4.0, 6, 1]}, index=list("abc")
)
GROUPS = pd.Series({"steel": "industry", "cars": "industry", "law": "services", "it": "services"})
GRAPH = graph_from_pairs(pd.DataFrame({"region": ["a"], "neighbor": ["b"]}), VALUES.index)
SIMPLE = location_quotient(VALUES, groups=GROUPS)
WANTED = {
    "simple": SIMPLE,
    "symmetric": symmetric_quotient(SIMPLE),
    "additive": additive_quotient(VALUES, groups=GROUPS),
    "normalized": normalized_rca(VALUES, groups=GROUPS),
    "standardized": standardized_quotient(SIMPLE),
    "log-standardized": log_standardized_quotient(SIMPLE),
    "windowed": windowed_quotient(VALUES, GRAPH, groups=GROUPS),
}


@pytest.mark.parametrize("kind", get_args(QuotientKind))
def test_each_kind_is_its_function(kind):
    graph = GRAPH if kind == "windowed" else None
    found = quotients_of_kind(VALUES, kind=kind, groups=GROUPS, graph=graph)
    pd.testing.assert_frame_equal(found, WANTED[kind])
    assert np.isfinite(found).all(axis=None)
    if kind != "windowed":
        pd.testing.assert_frame_equal(QUOTIENT_KINDS[kind](VALUES, groups=GROUPS), found)


def test_the_names_are_complete():
    assert {*QUOTIENT_KINDS, "windowed"} == set(get_args(QuotientKind)) == set(WANTED)


def test_options_belong_to_their_kind():
    with pytest.raises(InputError, match=r"kind is 'focal'; it must be one of simple, .*windowed"):
        quotients_of_kind(VALUES, kind="focal")
    with pytest.raises(InputError, match="windowed quotient needs a graph"):
        quotients_of_kind(VALUES, kind="windowed")
    with pytest.raises(InputError, match="simple quotient takes no graph"):
        quotients_of_kind(VALUES, graph=GRAPH)
    with pytest.raises(InputError, match="additive quotient takes no floor"):
        quotients_of_kind(VALUES, kind="additive", floor=0.1)
    zero = VALUES.replace(3.0, 0.0)
    with pytest.raises(InputError, match="there is 0 in b × cars"):
        quotients_of_kind(zero, kind="log-standardized")
    found = quotients_of_kind(zero, kind="log-standardized", floor=0.01)
    pd.testing.assert_frame_equal(found, log_standardized_quotient(location_quotient(zero), floor=0.01))
