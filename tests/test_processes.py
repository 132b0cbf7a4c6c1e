"""A second process gives what the first would have given, and never outlives it."""

import os
import signal
import subprocess
import sys
import time
from operator import truediv

import pandas as pd
import pytest

from spatialkz.errors import InputError, Notice, notice
from spatialkz.processes import SecondProcess


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_faults_and_notices_come_across():
    with SecondProcess("spatialkz.errors") as beside:
        beside.start(pd.Series, [1.0, 2.0], name="x")
        with pytest.raises(RuntimeError, match="fetch its result first"):
            beside.start(len, "abc")
        pd.testing.assert_series_equal(beside.result(), pd.Series([1.0, 2.0], name="x"))
        assert beside.seconds[0] >= 0
        beside.start(notice, "The font lacks a letter.")
        with pytest.warns(Notice, match="lacks a letter"):
            assert beside.result() is None
        beside.start(truediv, 1, 0)
        with pytest.raises(ZeroDivisionError) as raised:
            beside.result()
        assert "Traceback" in raised.value.__notes__[0]
        beside.start(print, "not a result")
        assert beside.result() is None


def test_a_fault_of_the_input_stays_one():
    with SecondProcess("spatialkz.study") as beside:
        from spatialkz.study import load_study

        beside.start(load_study, "atlantis")
        with pytest.raises(InputError, match="There is no bundled study 'atlantis'"):
            beside.result()


def test_one_that_is_ended_from_outside_is_told():
    with SecondProcess("math") as beside:
        beside.start(time.sleep, 60)
        beside._process.kill()
        with pytest.raises(ChildProcessError, match="ended from outside"):
            beside.result()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_first_whatever_ends_that(number):
    # A shell that starts tests in the background has them ignore SIGINT, and so what they start.
    code = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from spatialkz.processes import SecondProcess, guarded
def work():
    with SecondProcess("math") as beside:
        beside.start(time.sleep, 60)
        print(beside._process.pid, flush=True)
        beside.result()
guarded(work)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            child = int(process.stdout.readline())
            time.sleep(0.5)
            process.send_signal(number)
            process.communicate(timeout=30)
        finally:
            process.kill()
    for _ in range(100):
        if not alive(child):
            break
        time.sleep(0.05)
    assert not alive(child)
