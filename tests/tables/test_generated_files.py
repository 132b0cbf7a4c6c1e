"""Whatever a file looks like: its right table or one sentence, never another table, never a traceback.

``benchmarks/reading.py`` tries thousands more; its summary is in ``docs/reading.md``.
"""

import re
import runpy
import tempfile
from pathlib import Path

import pytest
from generated_files import broken, read, written
from hypothesis import HealthCheck, given, settings

ROOT = Path(__file__).parent.parent.parent
QUICK = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@QUICK
@given(file=written())
def test_a_table_in_any_style_is_read_rightly_or_refused(file, folder):
    ended = read(file, folder)
    assert ended == "refused" if file.table is None else ended in {"read", "refused"}


@QUICK
@given(file=broken())
def test_a_broken_file_is_read_or_refused(file, folder):
    assert read(file, folder) in {"read", "refused"}


def test_the_page_has_the_summary_of_the_long_run_without_a_wrong_table():
    made = runpy.run_path(str(ROOT / "benchmarks" / "reading.py"))
    found = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    assert found.startswith(made["INTRODUCTION"]), "run: python benchmarks/reading.py"
    for what in made["WHAT"].values():
        assert re.search(rf"\| 5,000 {what} \| [\d,]+ \| [\d,]+ \| 0 \| \d+ \|\n", found)
