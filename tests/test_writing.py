"""Results take the place of earlier ones whole or not at all, and nothing else is lost."""

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from spatialkz.errors import Notice, OutputError
from spatialkz.writing import abandon, check_folder, replaced_file, replaced_folder


def write_run(folder, **contents):
    """Fill a folder as a run does, with its manifest."""
    outputs = {}
    for name, text in contents.items():
        name = name.replace("_", ".")
        (folder / name).write_text(text)
        outputs[name] = hashlib.sha256(text.encode()).hexdigest()
    manifest = {"versions": {"spatialkz": "0.1.0"}, "outputs": outputs}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def run(out, then=None, **contents):
    """Replace a folder by a run with these outputs; ``then`` happens while it is being written."""
    with replaced_folder(out) as folder:
        write_run(folder, **contents)
        if then is not None:
            then(folder)


def put(path, text, then=None):
    with replaced_file(path) as beside:
        beside.write_text(text)
        if then is not None:
            then(beside)


def fail(_folder):
    raise ZeroDivisionError


def held(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def earlier(tmp_path):
    """An earlier run with two outputs."""
    folder = tmp_path / "results"
    folder.mkdir()
    write_run(folder, areas_csv="old areas", audit_json="old audit")
    return folder


def test_what_the_manifest_lists_is_replaced_whole(earlier):
    run(earlier, areas_csv="new areas")
    assert set(held(earlier)) == {"areas.csv", "manifest.json"}
    assert held(earlier)["areas.csv"] == "new areas"
    assert [path.name for path in earlier.parent.iterdir()] == ["results"]


def test_what_it_does_not_list_or_lists_otherwise_is_kept_and_named(earlier):
    (earlier / "figures" / "mine").mkdir(parents=True)
    (earlier / "empty").mkdir()
    (earlier / "figures" / "mine" / "plan.txt").write_text("a plan")
    (earlier / "report.html").write_text("not of the run")
    (earlier / "areas.csv").write_text("edited")
    (earlier / "link").symlink_to(earlier.parent)
    for _ in range(2):
        with pytest.warns(Notice, match="no results of the run before were kept") as told:
            run(earlier, areas_csv="new areas", report_html="new page")
    kept = {
        "areas.kept.csv": "edited",
        "report.kept.html": "not of the run",
        "figures/mine/plan.txt": "a plan",
    }
    found = held(earlier)
    assert {name: found[name] for name in kept} == kept
    assert set(found) == {*kept, "areas.csv", "report.html", "manifest.json"}
    assert (found["areas.csv"], found["report.html"]) == ("new areas", "new page")
    assert (earlier / "empty").is_dir()
    assert (earlier / "link").is_symlink()
    for name in kept:
        assert name in str(told[0].message)


def test_a_second_file_in_the_way_gets_a_number(earlier):
    (earlier / "areas.csv").write_text("edited")
    (earlier / "areas.kept.csv").write_text("edited before")
    with pytest.warns(Notice, match=r"areas\.kept\.csv"):
        run(earlier, areas_csv="new areas")
    texts = {name: text for name, text in held(earlier).items() if "kept" in name}
    assert sorted(texts.values()) == ["edited", "edited before"]


def test_what_arrives_during_a_run_is_kept_too(earlier):
    with pytest.warns(Notice, match=r"notes\.txt"):
        run(
            earlier,
            lambda _: (earlier / "notes.txt").write_text("written while it ran"),
            areas_csv="new areas",
        )
    assert held(earlier)["notes.txt"] == "written while it ran"


FOREIGN = [
    "{}",
    "[]",
    "no JSON",
    '{"name": "shop", "start_url": "/", "icons": []}',
    '{"versions": {"spatialkz": "0.1.0"}}',
    '{"versions": {"spatialkz": "0.1.0"}, "outputs": {}}',
    '{"versions": {"webpack": "5"}, "outputs": {"a.js": "%s"}}' % ("0" * 64),
    '{"versions": {"spatialkz": "0.1.0"}, "outputs": {"a.js": "main"}}',
    '{"versions": "spatialkz", "outputs": ["a.js"]}',
    '{"versions": {"spatialkz": "0.1.0"}, "outputs": 1',
    "[" * 100_000,
]


@pytest.mark.parametrize("manifest", FOREIGN, ids=range(len(FOREIGN)))
def test_any_other_manifest_is_not_ours(tmp_path, manifest):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text(manifest)
    (tmp_path / "web" / "index.html").write_text("a shop")
    with pytest.raises(OutputError, match=r"not results of an earlier run \(index.html, manifest.json\)"):
        run(tmp_path / "web", fail)
    assert held(tmp_path / "web") == {"manifest.json": manifest, "index.html": "a shop"}
    assert [path.name for path in tmp_path.iterdir()] == ["web"]


def test_inputs_home_and_working_folders_are_never_replaced(earlier, monkeypatch, tmp_path):
    (earlier / "data").mkdir()
    (earlier / "data" / "jobs.csv").write_text("region,a")
    with pytest.raises(OutputError, match=r"made from \(jobs.csv\); name another folder"):
        check_folder(earlier, [earlier / "data" / "jobs.csv"])
    with pytest.raises(OutputError, match=r"made from \(jobs.csv\)"):
        check_folder(tmp_path, [earlier / "data" / "jobs.csv"])
    monkeypatch.chdir(earlier / "data")
    for out in (Path("."), Path(".."), earlier, tmp_path, Path("/")):
        with pytest.raises(OutputError, match="would replace your working folder"):
            check_folder(out)
    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", str(earlier))
    for out in (earlier, tmp_path):
        with pytest.raises(OutputError, match="would replace your home folder"):
            check_folder(out)


def test_files_links_and_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for out, sentence in (
        (tmp_path / "file", "there is a file of that name"),
        (tmp_path / "file" / "results", "cannot be written: .*file is a file"),
        (tmp_path / "link", "is a link to .*elsewhere; name that folder itself"),
        (tmp_path / ("long" * 100), "cannot be written: File name too long"),
        (Path("/proc/results"), "cannot be written: No such file"),
        (Path("/dev/shm"), "is a mount point; name a folder inside it|no earlier results"),
        (tmp_path / "nul\0", "cannot be written: .*null"),
    ):
        with pytest.raises(OutputError, match=sentence):
            run(out, fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_failed_run_leaves_no_trace(tmp_path, earlier):
    before = held(earlier)
    for out in (earlier, tmp_path / "new" / "deep" / "results"):
        with pytest.raises(ZeroDivisionError):
            run(out, fail, areas_csv="half")
    assert held(earlier) == before
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_what_killed_runs_left_is_cleared_and_what_lives_is_not(earlier):
    code = """
        import sys, time
        from pathlib import Path
        from spatialkz.writing import replaced_folder
        with replaced_folder(Path(sys.argv[1])) as folder:
            (folder / "half.csv").write_text("half")
            print("writing", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(earlier)]
    killed, living = (subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2))
    mine = earlier.parent / ".results-archived"
    (mine / "old").mkdir(parents=True)
    (mine / "thesis.tex").write_text("years of work")
    try:
        for process in (killed, living):
            assert process.stdout.readline() == "writing\n"
        killed.kill()
        killed.wait()
        assert len(list(earlier.parent.glob(".results-*"))) == 3
        run(earlier, areas_csv="new areas")
        left = [path for path in earlier.parent.glob(".results-*") if path != mine]
        assert len(left) == 1
        assert (left[0] / "new" / "half.csv").read_text() == "half"
    finally:
        for process in (killed, living):
            process.kill()
            process.wait()
            process.stdout.close()
    run(earlier, areas_csv="newer areas")
    assert sorted(path.name for path in earlier.parent.iterdir()) == [".results-archived", "results"]
    assert (mine / "thesis.tex").read_text() == "years of work"


def test_results_that_a_killed_run_had_moved_aside_come_back(tmp_path):
    aside = tmp_path / ".results-0123abcd"
    for name in ("old", "new"):
        (aside / name).mkdir(parents=True)
    write_run(aside / "old", areas_csv="old areas")
    (aside / "old" / "notes.txt").write_text("mine")
    with pytest.warns(Notice) as told:
        run(tmp_path / "results", areas_csv="new areas")
    assert "were put back to" in str(told[0].message)
    assert held(tmp_path / "results")["notes.txt"] == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_abandoning_removes_what_is_half_written(tmp_path, earlier):
    before = held(earlier)

    def stopped(folder):
        abandon()
        assert not folder.exists()
        (folder / "more.csv").write_text("more")

    with pytest.raises(OutputError, match="cannot be written"):
        run(earlier, stopped, half_csv="half")
    assert held(earlier) == before
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    path.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(path)
    with pytest.raises(ZeroDivisionError):
        put(path, "half", fail)
    assert held(tmp_path) == {"table.csv": "old", "link.csv": "old"}
    put(tmp_path / "link.csv", "new")
    assert path.read_text() == "new"
    assert (tmp_path / "link.csv").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / "full.csv").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"full\.csv cannot be written: No space left on device"):
        put(tmp_path / "full.csv", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["full.csv"]
