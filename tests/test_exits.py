"""Commands end in at most one sentence, within a moment, and leave nothing half written."""

import io
import logging
import signal
import subprocess
import sys
import time
import warnings

import pytest

from spatialkz.errors import InputError, notice, say
from spatialkz.processes import guarded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")
MODULE = [sys.executable, "-m", "spatialkz"]


def start(arguments, **options):
    def as_from_a_terminal():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(arguments, preexec_fn=as_from_a_terminal, **(given | options))


def stopped(process, number):
    """Seconds from signal to exit, status, and standard error."""
    sent = time.perf_counter()
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    return time.perf_counter() - sent, process.returncode, told


def waited_for(folder, process, pattern):
    while process.poll() is None and not list(folder.glob(pattern)):
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_ends_at_once_and_leaves_earlier_results(tmp_path, number, status):
    (tmp_path / "results").mkdir()
    process = start([*MODULE, "run", "--out", "results"], cwd=tmp_path)
    waited_for(tmp_path, process, ".results-*/new")
    assert [path.name for path in tmp_path.glob(".results-*/lock")] == ["lock"]
    seconds, found, told = stopped(process, number)
    assert seconds < 2
    assert (found, told.splitlines()[-1]) == (status, "spatialkz: stopped.")
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


BUSY = {
    "imports": "import pandas, sklearn, numba, matplotlib.pyplot, geopandas; time.sleep(60)",
    "Python": "while True: pass",
    "compiled code": "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)",
    "threads": "in_blocks(lambda part: hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1), 8, steps=1e20)",
    "a swallowed exception": "forever()",
}


@pytest.mark.parametrize("work", BUSY)
def test_whatever_runs_is_stopped_within_two_seconds(work):
    code = f"""
import hashlib, sys, time
from spatialkz.processes import guarded
from spatialkz.resampling.parallel import in_blocks
def forever():
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
def work():
    print("ready", flush=True)
    {BUSY[work]}
guarded(work)
"""
    process = start([sys.executable, "-c", code])
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    seconds, status, told = stopped(process, signal.SIGINT)
    assert seconds < 2
    assert (status, told) == (130, "spatialkz: stopped.\n")


def test_a_signal_that_is_ignored_stays_so():
    code = (
        "import os, signal; from spatialkz.processes import guarded; "
        "signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "guarded(lambda: (os.kill(os.getpid(), signal.SIGINT), print('still here')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("still here\n", "")


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("regions > /dev/full", 2, "Standard output cannot be written: No space left on device."),
        ("--help > /dev/full", 2, "Standard output cannot be written: No space left on device."),
        ("regions -o full.csv", 2, "full.csv cannot be written: No space left on device."),
        ("regions -o full.xlsx", 2, "full.xlsx cannot be written: No space left on device."),
        ("regions >&-", 2, "Standard output is closed; name a file with --output."),
        ("regions Karagnda 2> /dev/full", 2, ""),
        ("regions Karagnda 2>&-", 2, ""),
        ("regions | true", 0, ""),
        ("audit kazakhstan-2022 | head -c 9", 0, ""),
    ],
)
def test_full_disks_and_closed_pipes_are_one_sentence_or_none(tmp_path, line, status, told):
    for name in ("full.csv", "full.xlsx"):
        (tmp_path / name).symlink_to("/dev/full")
    # The number of the first command in the pipe, on a third channel.
    line = f"{{ {sys.executable} -m spatialkz {line}; echo ${{PIPESTATUS[0]}} >&3; }} 3> status"
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int((tmp_path / "status").read_text()) == status
    assert found.stderr == (f"spatialkz: {told}\n" if told else "")
    assert "Karagnda" not in found.stdout


def test_notices_are_sentences_and_logs_of_libraries_are_not_shown(capsys):
    def command():
        notice("The font lacks a letter.")
        logging.getLogger("matplotlib").warning("a temporary cache directory was made")

    guarded(command)
    assert capsys.readouterr().err == "spatialkz: The font lacks a letter.\n"
    with pytest.warns(DeprecationWarning, match="not ours"):
        guarded(lambda: warnings.warn("not ours", DeprecationWarning, stacklevel=1))


def test_errors_are_told_by_kind(capsys):
    def memory():
        raise MemoryError("Unable to allocate 74.5 GiB for an array with shape (100000, 100000)")

    def full():
        raise OSError(28, "No space left on device", "figure.svg")

    def wrong():
        raise InputError("The table is empty.")

    for command, told in (
        (memory, "There is not enough memory: Unable to allocate 74.5 GiB for an array with shape"),
        (full, "figure.svg cannot be written: No space left on device."),
        (wrong, "The table is empty."),
    ):
        with pytest.raises(SystemExit) as ended:
            guarded(command)
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith(f"spatialkz: {told}")
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 / 0)


def test_a_line_on_standard_error_is_written_whole(monkeypatch):
    written = []

    class Pipe(io.RawIOBase):
        def writable(self):
            return True

        def write(self, content):
            written.append(bytes(content))
            return len(content)

    # As Python opens standard error.
    stream = io.TextIOWrapper(io.BufferedWriter(Pipe()), encoding="utf-8", line_buffering=True)
    monkeypatch.setattr(sys, "stderr", stream)
    say("audit (1% done, 0 s)")
    assert written == [b"spatialkz: audit (1% done, 0 s)\n"]
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody listens")
