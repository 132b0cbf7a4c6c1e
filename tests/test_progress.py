"""What is told of long work."""

import io
import sys
import time

import spatialkz
from spatialkz.clustering import analyse_clusters
from spatialkz.progress import Stage, Stages, shown_progress


def test_stages_tell_their_share_and_keep_their_times():
    told = []
    stages = Stages(lambda *step: told.append(step), {"tests": 1, "figures": 3})
    stages.begin("tests")
    time.sleep(0.02)
    stages.part("local", 0.5)
    stages.begin("figures")
    stages.begin("not foreseen")
    stages.end()
    assert told == [("tests", 0.0), ("tests: local", 0.125), ("figures", 0.25), ("not foreseen", 0.0)]
    assert [stage.name for stage in stages.times] == ["tests", "figures", "not foreseen"]
    assert stages.times[0].wall >= 0.02
    assert set(stages.times[0].to_dict()) == {"stage", "wall", "cpu"}
    before = stages.times[0].cpu
    stages.shared("tests", 2.0)
    assert stages.times[0].cpu == before + 2
    # What a second process did while this one waited.
    stages.begin("figures")
    stages.took([Stage("figures", 3.0, 3.0), Stage("not foreseen", 1.0, 1.0)])
    assert told[-2:] == [("figures", 0.25), ("not foreseen", 0.0)]
    assert [stage.wall for stage in stages.times[3:]] == [3, 1]


def test_library_calls_tell_alike(quick):
    values, graph = quick.table.values, quick.graph
    calls = {
        "clusters": lambda hook: analyse_clusters(
            values, graph, k=3, resamples=10, draws=19, rng=1, progress=hook
        ),
        "ranking": lambda hook: spatialkz.rank_candidates(quick, rng=1, progress=hook),
    }
    for name, call in calls.items():
        told = []
        call(lambda *step, told=told: told.append(step))
        shares = [done for _, done in told]
        assert len(told) > 2, name
        assert shares == sorted(shares), name
        assert shares[0] == 0, name
        assert shares[-1] < 1, name


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_lines_a_terminal_a_bar_and_a_closed_stream_nothing(monkeypatch):
    log, terminal = io.StringIO(), Terminal()
    monkeypatch.setenv("TERM", "xterm")
    for stream in (log, terminal):
        monkeypatch.setattr(sys, "stderr", stream)
        with shown_progress() as progress:
            progress("focal test", 0.25)
            progress("clusters", 0.5)
    assert log.getvalue().splitlines() == [
        "spatialkz: focal test (25% done, 0 s)",
        "spatialkz: clusters (50% done, 0 s)",
    ]
    assert "clusters" in terminal.getvalue()
    assert "50%" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", None)
    with shown_progress() as progress:
        assert progress is None
