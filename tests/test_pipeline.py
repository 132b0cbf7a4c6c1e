import hashlib
import json
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest

from spatialkz.errors import InputError, Notice, OutputError
from spatialkz.pipeline import analyse, run_study
from spatialkz.study import Choices

TABLES = ["quotients", "concentration", "autocorrelation", "local", "clusters", "candidates", "areas"]


@pytest.fixture(scope="module")
def results(quick, tmp_path_factory):
    return run_study(quick, tmp_path_factory.mktemp("run") / "results", seed=42)


def test_the_folder_holds_what_is_promised(results):
    found = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert {f"{name}.csv" for name in TABLES} <= found
    assert {"focal.json", "focal_multiverse.csv"} <= found
    assert {"clustering.json", "focal.json", "map.gpkg", "report.html", "manifest.json"} <= found
    assert any(name.startswith("figures/") for name in found)
    assert [path.name for path in results.parent.iterdir()] == ["results"]  # no scratch folder is left


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("candidates", "rank region sector group lq lq_low lq_high score rank_low rank_high p_top10"),
        ("areas", "rank region breadth score rank_low rank_high p_top3 tier"),
        (
            "autocorrelation",
            "variable statistic expected variance z p_value p_adjusted n method alternative",
        ),
        ("local", "variable region statistic quadrant p_value p_adjusted p_min label"),
    ],
)
def test_columns_others_rely_on_come_first_and_in_order(results, table, columns):
    wanted = columns.split()
    assert pd.read_csv(results / f"{table}.csv").columns.tolist()[: len(wanted)] == wanted


def test_tables_are_complete_and_hold_no_missing_numbers(results):
    sizes = {
        "quotients": 187,
        "autocorrelation": 12,
        "local": 204,
        "clusters": 17,
        "candidates": 41,
        "areas": 17,
    }
    for name, size in sizes.items():
        table = pd.read_csv(results / f"{name}.csv")
        assert len(table) == size
        assert not table.drop(columns="tier", errors="ignore").isna().to_numpy().any(), name


def test_the_map_opens_with_its_regions_and_numbers(results):
    layer = gpd.read_file(results / "map.gpkg").set_index("region")
    assert len(layer) == 17
    assert layer.loc["Almaty City", "breadth"] == 10
    assert layer.loc["Zhambyl", "lq_chemical"] == 12.79
    assert layer.crs == "EPSG:4326"
    assert layer.is_valid.all()


def test_the_manifest_says_what_was_run_with_what(results, quick):
    manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 42
    assert manifest["choices"]["threshold"] == 1.0
    assert manifest["versions"]["scikit-learn"]
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256((results / name).read_bytes()).hexdigest() == digest
    by_name = {path.name: path for path in quick.inputs}
    assert manifest["inputs"]["table1.csv"] == hashlib.sha256(by_name["table1.csv"].read_bytes()).hexdigest()
    listed = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert set(manifest["outputs"]) == listed - {"manifest.json"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(results, quick, tmp_path):
    again = run_study(quick, tmp_path / "again", seed=42)
    other = run_study(quick, tmp_path / "other", seed=43)
    others = ["clustering.json", "focal.json", "focal_multiverse.csv", "ranking.json", "growth_points.csv"]
    for name in [*(f"{table}.csv" for table in TABLES), *others]:
        assert (again / name).read_bytes() == (results / name).read_bytes(), name
    assert (other / "autocorrelation.csv").read_bytes() != (results / "autocorrelation.csv").read_bytes()
    first, second = (json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (results, again))
    del first["times"], second["times"]
    for manifest in (first, second):
        manifest["outputs"] = {k: v for k, v in manifest["outputs"].items() if not k.endswith(".gpkg")}
    assert first == second


def test_a_stage_called_alone_repeats_the_run(results, quick):
    from spatialkz.spatial import moran
    from spatialkz.specialization import breadth, table_quotients

    quotients = table_quotients(quick.table)
    alone = moran(
        quotients.assign(breadth=breadth(quotients)), quick.graph, permutations=199, rng=42
    ).to_frame()
    run = pd.read_csv(results / "autocorrelation.csv", index_col="variable")
    pd.testing.assert_series_equal(alone["p_value"], run["p_value"], check_exact=False)


def test_a_study_without_polygons_has_no_map_but_all_else(quick, tmp_path):
    folder = run_study(replace(quick, boundaries=None), tmp_path / "results")
    assert not (folder / "map.gpkg").exists()
    assert len(pd.read_csv(folder / "areas.csv")) == 17
    assert (folder / "report.html").is_file()


def test_a_run_that_fails_leaves_earlier_results_alone(quick, tmp_path, monkeypatch):
    folder = run_study(quick, tmp_path / "results")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    high = replace(quick, choices=Choices(threshold=99.0, permutations=99, resamples=10, draws=100))
    with pytest.raises(InputError, match="threshold 99"):
        run_study(high, folder)
    monkeypatch.setattr("spatialkz.pipeline.write_page", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_study(quick, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_second_run_replaces_the_first_and_keeps_what_is_not_ours(quick, tmp_path):
    folder = run_study(quick, tmp_path / "results")
    (folder / "notes.txt").write_text("of today")
    (folder / "areas.csv").write_text("edited by hand")
    with pytest.warns(Notice, match=r"were kept: areas.kept.csv, notes.txt\.$"):
        run_study(quick, folder)
    assert (folder / "notes.txt").read_text() == "of today"
    assert (folder / "areas.kept.csv").read_text() == "edited by hand"
    assert len(pd.read_csv(folder / "areas.csv")) == 17
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert not {"notes.txt", "areas.kept.csv"} & set(manifest["outputs"])


def test_a_folder_that_must_not_be_written_is_refused_before_the_first_stage(quick, tmp_path):
    stages = []
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(OutputError, match="holds files that are no earlier results"):
        run_study(quick, tmp_path / "thesis", progress=stages.append)
    with pytest.raises(OutputError, match=r"made from \(study.toml"):
        run_study(quick, quick.inputs[0].parent, progress=stages.append)
    with pytest.raises(InputError, match="one of en, ru, kk"):
        run_study(quick, tmp_path / "results", lang="fr", progress=stages.append)
    assert not stages
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"


def test_a_variable_without_variation_is_left_out_and_named(quick):
    values = quick.table.values.copy()
    values["programming"] = 0.4
    flat = replace(quick, table=replace(quick.table, values=values, groups=quick.table.groups))
    findings = analyse(flat, seed=1)
    assert "programming" not in findings.moran.to_frame().index
    assert any("programming" in note for note in findings.notes)
