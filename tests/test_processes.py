"""A second process gives what the first would have given, and never outlives it."""

import os
import signal
import subprocess
import sys
import time
from operator import truediv

import numpy as np
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
        table = beside.submit(pd.Series, [1.0, 2.0], name="x")
        # More than a pipe holds: it does not wait until the result is wanted.
        much, warned, wrong = (
            beside.submit(np.zeros, 10**6),
            beside.submit(notice, "The font lacks a letter."),
            beside.submit(truediv, 1, 0),
        )
        assert beside.submit(print, "not a result").result() is None
        with pytest.raises(ZeroDivisionError) as raised:
            wrong.result()
        assert "Traceback" in raised.value.__notes__[0]
        with pytest.warns(Notice, match="lacks a letter"):
            assert warned.result() is None
        assert len(much.result()) == 10**6
        pd.testing.assert_series_equal(table.result(), pd.Series([1.0, 2.0], name="x"))
        assert table.seconds[0] >= 0


def test_a_fault_of_the_input_stays_one():
    with SecondProcess("spatialkz.study") as beside:
        from spatialkz.study import load_study

        with pytest.raises(InputError, match="There is no bundled study 'atlantis'"):
            beside.submit(load_study, "atlantis").result()


def test_one_that_is_ended_from_outside_is_told():
    with SecondProcess("math") as beside:
        tasks = beside.submit(time.sleep, 60), beside.submit(time.sleep, 60)
        beside._process.kill()
        for task in (*tasks, beside.submit(time.sleep, 60)):
            with pytest.raises(ChildProcessError, match="ended from outside"):
                task.result()


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
        task = beside.submit(time.sleep, 60)
        print(beside._process.pid, flush=True)
        task.result()
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
