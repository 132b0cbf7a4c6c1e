import json
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
QUICK = {
    "compute_quotients": ["kazakhstan-gva-2020"],
    "spatial_autocorrelation": ["kazakhstan-gva-2020", "--permutations", "99"],
    "cluster_regions": ["kazakhstan-gva-2020", "--k", "3"],
    "rank_candidates": ["kazakhstan-gva-2020", "--draws", "100"],
}


def run(name, arguments, monkeypatch):
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    return ended.value.code or 0


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.glob("*.py")))
def test_every_script_has_help_and_stays_thin(name, monkeypatch, capsys):
    assert run(name, ["--help"], monkeypatch) == 0
    assert "--" in capsys.readouterr().out
    assert len((SCRIPTS / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 45


@pytest.mark.parametrize("name", sorted(QUICK))
def test_scripts_write_their_table(name, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(name, QUICK[name], monkeypatch) == 0
    assert capsys.readouterr().out
    assert all(len(pd.read_csv(path)) for path in tmp_path.glob("*.csv"))
    assert list(tmp_path.glob("*.csv"))


def test_clusters_come_with_their_doubts(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert run("cluster_regions", QUICK["cluster_regions"], monkeypatch) == 0
    out = capsys.readouterr().out
    for part in (
        "k-means, k = 3 (given",
        "cluster structure (standardized-silhouette",
        "leave-one-region-out",
        "Rand",
    ):
        assert part in out
    columns = pd.read_csv(tmp_path / "clusters.csv").columns
    assert {"kmeans_cluster", "ward_cluster", "consensus_probability"} <= set(columns)


def test_the_focal_hypothesis_gets_a_verdict_for_every_family(monkeypatch, tmp_path, capsys):
    quick = ["--permutations", "99", "--simulations", "600", "-o", str(tmp_path / "focal.json")]
    assert run("test_focal_hypothesis", quick, monkeypatch) == 0
    out = capsys.readouterr().out
    found = json.loads((tmp_path / "focal.json").read_text(encoding="utf-8"))
    assert list(found["families"]) == ["all", "industry", "services", "high technology"]
    for family in found["families"].values():
        assert family["verdict"] in family["answer"]
        assert family["answer"] in out


def test_prerequisites_are_said_and_written_whole(monkeypatch, tmp_path, capsys):
    target = tmp_path / "prerequisites.json"
    assert run("prerequisite_models", ["-o", str(target)], monkeypatch) == 0
    out = capsys.readouterr().out
    assert "expected_absent" in out
    told = json.loads(target.read_text(encoding="utf-8"))
    assert len(told["tests"]) == 121
    assert set(told["policies"]["policies"]) == {"special economic zone", "technopark"}
    assert run("prerequisite_models", ["kazakhstan-gva-2022"], monkeypatch) == 2
    assert "has no covariates, or fewer than 6 regions" in capsys.readouterr().err


def test_bad_input_is_one_sentence(monkeypatch, capsys):
    assert run("rank_candidates", ["atlantis"], monkeypatch) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_paper_is_held_against_its_table(quick, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("spatialkz.load_study", {quick.name: quick}.get)  # with fewer draws
    assert run("reproduce_paper", ["--out", str(tmp_path / "results")], monkeypatch) == 0
    out = capsys.readouterr().out
    assert "Cells with LQ ≥ 1: 41; in bold: 40" in out
    assert "'industry': 6, 'services': 5" in out
    assert (tmp_path / "results" / "report.html").is_file()
