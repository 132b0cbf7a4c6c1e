"""Broken and odd files are read rightly, or refused in one sentence: no third way."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from odd_files import bodies, encodings, labels, layout, marks, numbers, totals, workbooks

from spatialkz.errors import InputError
from spatialkz.tables import TableOptions, read_table_file

KINDS = (numbers, marks, encodings, layout, bodies, workbooks, labels, totals)
CASES = [case for kind in KINDS for case in kind.CASES]


def test_there_are_enough_and_each_has_its_name():
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_odd_file(case, tmp_path):
    path = case.build(tmp_path)
    options = TableOptions(**case.options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if isinstance(case.expected, str):
            refuses(path, options, case.expected)
        else:
            reads(path, options, case)


def refuses(path, options, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        read_table_file(path, options)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert said.endswith(".")
    assert len(said) < 900
    assert path.name in said or said.startswith(("The mark ", "The decimal mark ", "A long table needs "))


def reads(path, options, case):
    table = read_table_file(path, options)
    hidden = table.hidden
    pd.testing.assert_frame_equal(
        table.values, case.expected.astype(float), check_names=False, check_exact=True
    )
    assert (table.values.isna() == hidden).all(axis=None)
    assert {(region, column) for region, column in hidden.stack()[hidden.stack()].index} == case.hidden
    assert np.isfinite(table.values.to_numpy()[~hidden.to_numpy()]).all()
    if case.notes:
        assert re.fullmatch(rf"{re.escape(path.name)}.*: {case.notes}\.", *table.notes)
    else:
        assert table.notes == ()
