import hashlib
import json
import re
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph
from shapely import box

from spatialkz.clustering import check_clusterable
from spatialkz.errors import InputError, Notice, OutputError
from spatialkz.pipeline import _SHARES, analyse, run_study
from spatialkz.processes import SecondProcess
from spatialkz.spatial import moran
from spatialkz.specialization import breadth, table_quotients
from spatialkz.study import Choices, Study, StudyContext
from spatialkz.tables import ActivityTable

TABLES = ["quotients", "concentration", "autocorrelation", "local", "clusters", "candidates", "areas"]


def test_the_folder_holds_what_is_promised(results):
    found = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert {f"{name}.csv" for name in TABLES} <= found
    assert {"focal.json", "focal_multiverse.csv", "prerequisites.json", "prerequisites.csv"} <= found
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
        if name == "areas":  # regions without a candidate are not ranked and have no score
            assert (table["score"].isna() == (table["breadth"] == 0)).all()
            table = table.drop(columns=["tier", "score"])
        assert not table.isna().to_numpy().any(), name


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


def test_the_same_seed_gives_the_same_bytes_also_beside_a_second_process(results, quick, tmp_path):
    with warnings.catch_warnings(), SecondProcess("spatialkz.pipeline") as beside:
        warnings.simplefilter("error")
        again = run_study(quick, tmp_path / "again", seed=42, beside=beside)
    names = {path.relative_to(results) for path in results.rglob("*") if path.is_file()}
    assert names == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    for name in names:
        if name.suffix not in {".gpkg", ".html"} and name.name != "manifest.json":
            assert (again / name).read_bytes() == (results / name).read_bytes(), name
    first, second = (json.loads((folder / "manifest.json").read_text("utf-8")) for folder in (results, again))
    del first["times"], second["times"]
    for manifest in (first, second):
        manifest["outputs"] = {k: v for k, v in manifest["outputs"].items() if not k.endswith(".gpkg")}
    assert first == second


def test_another_seed_gives_other_bytes(tmp_path):
    one, same, other = (
        run_study(four(), tmp_path / name, seed=seed, figures="none")
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    for table in ("autocorrelation", "local", "areas"):
        assert (one / f"{table}.csv").read_bytes() == (same / f"{table}.csv").read_bytes()
    assert (one / "autocorrelation.csv").read_bytes() != (other / "autocorrelation.csv").read_bytes()


def test_a_stage_called_alone_repeats_the_run(results, quick):
    quotients = table_quotients(quick.table)
    alone = moran(
        quotients.assign(breadth=breadth(quotients)), quick.graph, permutations=199, rng=42
    ).to_frame()
    run = pd.read_csv(results / "autocorrelation.csv", index_col="variable")
    pd.testing.assert_series_equal(alone["p_value"], run["p_value"], check_exact=False)


def test_a_run_that_fails_leaves_earlier_results_alone(results, quick, tmp_path, monkeypatch):
    folder = copytree(results, tmp_path / "results")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    high = replace(quick, choices=Choices(threshold=99.0, permutations=99, resamples=10, draws=100))
    with pytest.raises(InputError, match="threshold 99"):
        run_study(high, folder)
    monkeypatch.setattr("spatialkz.pipeline.write_page", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_study(four(), folder, figures="none")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_second_run_replaces_the_first_and_keeps_what_is_not_ours(results, tmp_path):
    folder = copytree(results, tmp_path / "results")
    (folder / "notes.txt").write_text("of today")
    (folder / "areas.csv").write_text("edited by hand")
    told = []
    with pytest.warns(Notice, match=r"were kept: areas.kept.csv, notes.txt\.$"):
        run_study(four(), folder, figures="none", progress=lambda *step: told.append(step))
    assert [stage for stage, _ in told if ": " not in stage] == list(_SHARES)
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert (folder / "notes.txt").read_text() == "of today"
    assert (folder / "areas.kept.csv").read_text() == "edited by hand"
    assert len(pd.read_csv(folder / "areas.csv")) == 4
    assert not {"focal.json", "figures"} & {path.name for path in folder.iterdir()}
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert not {"notes.txt", "areas.kept.csv"} & set(manifest["outputs"])


def test_a_folder_that_must_not_be_written_is_refused_before_the_first_stage(quick, tmp_path):
    stages = []
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(OutputError, match="holds files that are not results of an earlier run"):
        run_study(quick, tmp_path / "thesis", progress=stages.append)
    with pytest.raises(OutputError, match=r"made from \(study.toml"):
        run_study(quick, quick.inputs[0].parent, progress=stages.append)
    with pytest.raises(InputError, match="one of en, ru, kk"):
        run_study(quick, tmp_path / "results", lang="fr", progress=stages.append)
    assert not stages
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"


def small(sectors, regions=None, *, size=12, **more):
    """A study of squares, quick to run."""
    rng = np.random.default_rng(1)
    regions = [f"R{i}" for i in range(size)] if regions is None else regions
    counts = pd.DataFrame(rng.poisson(rng.gamma(1, 30, (size, len(sectors)))), index=regions, columns=sectors)
    squares = gpd.GeoDataFrame(
        geometry=[box(i % 4, i // 4, i % 4 + 1, i // 4 + 1) for i in range(size)], index=regions, crs=3857
    )
    given = {
        "table": ActivityTable(counts, kind="counts"),
        "graph": Graph.build_contiguity(squares, rook=False),
        "boundaries": squares,
        "choices": Choices(permutations=99, resamples=10, draws=100, simulations=600),
    }
    return Study("small", **(given | more))


def four():
    """A study whose run takes a moment: too few regions for the focal test."""
    return small(["a", "b", "c"], size=4)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A run with names that stand in the way of others, and what it told."""
    study = small(
        ["breadth", "IT", "it", "=1+1", "😀", "A" * 50_000], ["=R0", "漢字", *(f"R{i}" for i in range(2, 12))]
    )
    with pytest.warns(Notice) as told:
        folder = run_study(study, tmp_path_factory.mktemp("odd") / "results")
    return study, folder, " ".join(str(one.message) for one in told)


def test_a_sector_called_breadth_is_tested_beside_ours(odd):
    study, folder, _ = odd
    found = pd.read_csv(folder / "autocorrelation.csv", index_col="variable")
    assert found.index.tolist() == [*study.table.sectors, "breadth (count)"]
    quotients = table_quotients(study.table)
    alone = moran(
        pd.DataFrame({"breadth": quotients["breadth"], "ours": (quotients >= 1).sum(axis=1)}),
        study.graph,
        permutations=99,
        rng=1,
    ).to_frame()["statistic"]
    assert found["statistic"]["breadth"] == pytest.approx(alone["breadth"])
    assert found["statistic"]["breadth (count)"] == pytest.approx(alone["ours"])
    assert "is called breadth (count) in autocorrelation.csv" in (folder / "report.html").read_text("utf-8")
    local = pd.read_csv(folder / "local.csv", index_col=["variable", "region"])["p_value"]
    areas = pd.read_csv(folder / "areas.csv", index_col="region")["moran_p"]
    for region in areas.index:
        assert areas[region] == local["breadth (count)", region]


def test_groups_of_a_given_number_are_a_description_beside_what_the_tests_say(tmp_path):
    study = small(list("abcd"))
    fixed = replace(study, choices=replace(study.choices, clusters=3))
    folder = run_study(fixed, tmp_path / "results", figures="none")
    groups = pd.read_csv(folder / "clusters.csv")
    assert set(groups["kmeans_cluster"]) == set(groups["ward_cluster"]) == {1, 2, 3}
    told = json.loads((folder / "clustering.json").read_text(encoding="utf-8"))
    assert told["methods"]["kmeans"]["why"].startswith("k was given: groups describe the regions")
    p_value = told["structure"]["gaussian"]["p_value"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The 3 groups shown are a description" in page
    said = re.search(r"one normal sample: p\W=\W(0\.\d+)", page).group(1)
    assert float(said) == pytest.approx(p_value, abs=0.006)
    assert "Groups that describe the regions" in page
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["choices"]["clusters"] == 3


def test_columns_of_the_map_that_differ_by_capitals_alone_are_told_apart(odd):
    study, folder, told = odd
    layer = gpd.read_file(folder / "map.gpkg").set_index("region")
    quotients = table_quotients(study.table)
    for column, sector in (("lq_IT", "IT"), ("lq_it_2", "it"), ("lq_breadth", "breadth")):
        np.testing.assert_allclose(layer[column], quotients.loc[layer.index, sector])
    assert "so it has lq_it_2 for lq_it." in told


def test_odd_labels_come_through_and_are_told(odd):
    study, folder, told = odd
    assert pd.read_csv(folder / "areas.csv")["region"].isin(study.table.regions).all()
    assert "labels that a spreadsheet takes for formulas ('=R0')" in told
    assert "labels that a spreadsheet takes for formulas ('=1+1')" in told
    assert "The font of the figures lacks 漢, 字" in told or "The font of the figures lacks 😀" in told
    assert "A" * 50_000 in (folder / "report.html").read_text("utf-8")


def sites(sector):
    return StudyContext(
        sites=pd.DataFrame({"policy": ["zone"], "site": ["Port"], "region": ["R1"]}),
        specializations=pd.DataFrame(
            {"policy": ["zone"], "site": ["Port"], "named": ["x"], "sector": [sector], "reason": [""]}
        ),
    )


LETTERS = list("abcdef")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: small(LETTERS, choices=Choices(threshold=1e8)),
            r"No quotient reaches the threshold 1e\+08; the largest is \d",
        ),
        (
            lambda: small(["a\x07b", *"cdefg"]),
            r"The name 'a\\x07b' has the control character U\+0007, which figures and page cannot show",
        ),
        (lambda: small(LETTERS, title="a\x00"), r"The name 'a\\x00' has the control character U\+0000"),
        (
            lambda: grouped({letter: "all" if letter < "d" else "rest" for letter in LETTERS}),
            "A group or family is called 'all', which means all sectors",
        ),
        (lambda: small(LETTERS, context=sites("steel")), "names the sector steel, which the quotients lack"),
        (
            lambda: small(LETTERS, context=StudyContext(rules=rules("needs = { airports = 1 }"))),
            "The rule 'hub' needs the evidence airports, which does not exist",
        ),
        (
            lambda: small(
                LETTERS,
                context=StudyContext(
                    named=pd.DataFrame({"site": ["Campus"], "kind": ["park"], "region": ["R1"]})
                ),
                choices=Choices(threshold=1e8),
            ),
            "No quotient reaches",
        ),
        (lambda: valued([[1, 2, 3, 4, 5, 6]] * 11 + [[6, 5, 4, 3, 2, 1]]), "regions with different features"),
        (lambda: valued([[1, 2, 3, 4, 5, 6]] * 12), "Nothing can be compared"),
        (lambda: valued(HUGE), r"f has 1\.38e\+62 units in all, more than can be counted exactly \(9e15\)"),
        (
            lambda: valued(HUGE, kind="quotients", rounding=0.005),
            r"quotient of R11 × f is 1\.7e\+61, but a quotient is at most 1 / the region's share of the base",
        ),
        (lambda: small([f"s{i}" for i in range(2001)]), "for 2,000 sectors at most, and the table has 2,001"),
        (lambda: small(["a", 1, 2.5, "b"]), "Labels of sectors must be of one kind, but are float, int, str"),
    ],
)
def test_what_a_late_stage_could_not_do_is_refused_before_the_first(make, sentence, tmp_path):
    stages = []
    with pytest.raises(InputError, match=sentence):
        run_study(make(), tmp_path / "results", progress=stages.append)
    assert stages == []
    assert list(tmp_path.iterdir()) == []


def grouped(groups):
    study = small(LETTERS)
    return replace(study, table=replace(study.table, groups=pd.Series(groups)))


HUGE = np.add.outer(np.arange(1, 13), np.arange(6)) * 1e60


def valued(cells, **more):
    study = small(LETTERS)
    values = pd.DataFrame(cells, index=study.table.regions, columns=LETTERS, dtype=float)
    return replace(study, table=replace(study.table, values=values, **more))


def rules(needs):
    path = Path(tempfile.mkdtemp()) / "rules.toml"
    path.write_text(f'none = "none"\n[[rule]]\ntype = "hub"\nname = "hub"\n{needs}\n')
    return path


def test_too_few_resamples_for_many_regions_are_refused_at_once_with_the_number_needed():
    features = pd.DataFrame(np.random.default_rng(1).random((3100, 2)))
    with pytest.raises(InputError, match="resamples is 10; of 3100 regions some pairs would never be drawn"):
        check_clusterable(features, 10)
    # 4,803,450 pairs; a resample of 2,480 has each with chance .64, and .36^R × pairs < .01 from R = 20 on.
    with pytest.raises(InputError, match="at least 20 are needed"):
        check_clusterable(features, 14)
    check_clusterable(features, 20)
    check_clusterable(features[:17], 10)


def test_counts_that_are_fractions_run_without_the_tests_that_need_whole_numbers(tmp_path):
    full_time = valued(np.random.default_rng(1).gamma(1, 30, (12, 6)).round(1) + 0.5)
    folder = run_study(full_time, tmp_path / "results", figures="none")
    quotients = pd.read_csv(folder / "quotients.csv")
    pd.testing.assert_series_equal(quotients["lq_low"], quotients["lq"], check_names=False)
    assert "lq_p" not in pd.read_csv(folder / "candidates.csv")
    page = (folder / "report.html").read_text("utf-8")
    assert (
        "Counts are fractions (full-time equivalents, say): tests that need whole numbers are left out"
        in page
    )


def test_labels_may_be_numbers_or_dates_and_without_polygons_there_is_all_but_a_map(tmp_path):
    days = list(pd.date_range("2020-01-01", periods=12))
    folder = run_study(small(days[:6], days, boundaries=None), tmp_path / "results")
    areas = pd.read_csv(folder / "areas.csv", parse_dates=["region"])
    assert set(areas["region"]) == set(days)
    assert not (folder / "map.gpkg").exists()
    assert (folder / "focal.json").is_file()
    assert (folder / "report.html").is_file()


def test_a_variable_without_variation_is_left_out_and_named():
    varied = np.random.default_rng(1).gamma(2, 0.5, (12, 6)).round(2)
    varied[:, 3] = 0.4
    findings = analyse(valued(varied, kind="quotients", rounding=0.005), seed=1)
    assert "d" not in findings.moran.to_frame().index
    assert any("d is the same in every region" in note for note in findings.notes)
