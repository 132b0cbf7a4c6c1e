import csv
import io
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from typing import get_args, get_type_hints

import pandas as pd
import pytest

from spatialkz.__main__ import main
from spatialkz.datasets import data_path
from spatialkz.prerequisites import prerequisite_test

TABLE1 = [
    str(data_path("kazakhstan-2022", "table1.csv")),
    "--region",
    "region",
    "--sector",
    "sector",
    "--value",
    "lq",
]


def with_few_draws(name, tmp_path):
    """A bundled study as a file of its own."""
    text = data_path(name, "study.toml").read_text(encoding="utf-8")
    folder = data_path(name).as_posix()
    text = re.sub(r'"((?:\.\./)?\w+\.(?:csv|toml))"', rf'"{folder}/\1"', text)
    few = "\n[choices]\npermutations = 99\nresamples = 10\ndraws = 100\nsimulations = 600\n"
    (tmp_path / "quick.toml").write_text(text + few, encoding="utf-8")
    return tmp_path / "quick.toml"


@pytest.fixture
def quick_study(tmp_path):
    return with_few_draws("kazakhstan-2022", tmp_path)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_regions_speaks_three_languages(call):
    status, out, _ = call("regions", "Nur-Sultan", "ВКО", "Алматы облысы")
    assert status == 0
    assert [row["code"] for row in rows(out)] == ["AST", "VKO", "ALM"]
    status, _, err = call("moran", data_path("kazakhstan-gva-2022", "study.toml"), "--division", 2018)
    assert status == 2
    assert "are regions since 2022, and this is the division of 2018" in err
    status, out, _ = call("regions", "--vintage", 2022)
    assert len(rows(out)) == 20


def test_a_table_is_led_to_another_division(call, tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text("region,year,jobs\nШығыс Қазақстан облысы,2023,5\nАбай облысы,2023,2\n", encoding="utf-8")
    status, out, _ = call("regions", "--aggregate", 2018, path, "--by", "year")
    assert status == 0
    assert rows(out) == [{"region": "Шығыс Қазақстан облысы", "year": "2023", "jobs": "7"}]
    weights = tmp_path / "weights.csv"
    weights.write_text("region,people\nVKO,3\nABY,1\n")
    path.write_text("region,jobs\nVKO,8\n")
    divided = ["regions", "--aggregate", 2022, path, "--division", 2018]
    status, _, err = call(*divided)
    assert status == 2
    assert "units are divided (VKO into ABY, VKO), and nothing says how; give a weight" in err
    _, out, _ = call(*divided, "--crosswalk", weights, "--weight", "people")
    assert {row["region"]: row["jobs"] for row in rows(out)} == {"ABY": "2", "VKO": "6"}


def test_lq_from_a_wide_file_with_a_base_column(call, tmp_path):
    (tmp_path / "jobs.csv").write_text("region,steel,law,total\nN,30,5,100\nS,10,15,100\n", encoding="utf-8")
    status, out, _ = call("lq", tmp_path / "jobs.csv", "--base", "total")
    assert status == 0
    assert rows(out) == [
        {"region": "N", "steel": "1.5", "law": "0.5"},
        {"region": "S", "steel": "0.5", "law": "1.5"},
    ]
    _, out, _ = call("lq", tmp_path / "jobs.csv", "--base", "total", "--kind", "symmetric")
    assert rows(out)[0]["steel"] == "0.2"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "xlsx"])
def test_the_ending_of_the_output_picks_its_form(call, tmp_path, ending):
    status, out, _ = call("moran", *TABLE1, "--permutations", 99, "-o", tmp_path / f"moran.{ending}")
    assert (status, out) == (0, "")
    readers = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet, "xlsx": pd.read_excel}
    found = readers[ending](tmp_path / f"moran.{ending}").set_index("variable")
    assert found.loc["electrical", "statistic"] == pytest.approx(0.2357, abs=1e-4)


def test_moran_takes_a_graph_or_polygons(call, tmp_path):
    (tmp_path / "v.csv").write_text("region,x\na,1\nb,2\nc,4\nd,9\n", encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("one,two\na,b\nb,c\nc,d\n", encoding="utf-8")
    status, out, _ = call(
        "moran", tmp_path / "v.csv", "--graph", tmp_path / "pairs.csv", "--permutations", 99
    )
    assert status == 0
    z = [-3, -2, 0, 5]
    by_hand = (z[0] * z[1] + z[1] * (z[0] + z[2]) / 2 + z[2] * (z[1] + z[3]) / 2 + z[3] * z[2]) / sum(
        v * v for v in z
    )
    assert float(rows(out)[0]["statistic"]) == pytest.approx(by_hand)

    import geopandas as gpd
    from shapely import box

    squares = gpd.GeoDataFrame(
        {"name": list("abcd")}, geometry=[box(i, 0, i + 1, 1) for i in range(4)], crs=3857
    )
    squares.to_file(tmp_path / "map.gpkg", driver="GPKG")
    status, again, _ = call(
        "moran", tmp_path / "v.csv", "--boundaries", tmp_path / "map.gpkg", "--permutations", 99
    )
    assert status == 0
    assert rows(again) == rows(out)


def test_local_moran_clusters_and_ranks_come_out(call):
    _, out, _ = call("moran", *TABLE1, "--local")
    assert len(rows(out)) == 187
    assert {"variable", "region", "quadrant", "p_min", "label"} <= set(rows(out)[0])
    _, out, _ = call("cluster", *TABLE1, "--method", "ward", "--k", 4)
    assert {row["cluster"] for row in rows(out)} == {"1", "2", "3", "4"}
    _, out, _ = call("rank", "--draws", 100)
    assert len(rows(out)) == 41
    _, out, _ = call("rank", "--areas", "--draws", 100)
    assert len(rows(out)) == 17


def test_ranks_on_a_terminal_are_narrow_and_in_a_file_whole(call, quick_study, tmp_path, monkeypatch):
    _, piped, _ = call("rank", quick_study, "--areas")
    assert {"colocation_p", "moran_label", "type_lacks"} <= set(rows(piped)[0])
    call("rank", quick_study, "-o", tmp_path / "candidates.csv")
    assert "relatedness" in pd.read_csv(tmp_path / "candidates.csv")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for options, first in (
        ([], "rank_tier rank region sector lq"),
        (["--areas"], "rank_tier rank region breadth score"),
    ):
        _, shown, _ = call("rank", quick_study, *options)
        assert max(map(len, shown.splitlines())) <= 120
        assert shown.split()[:5] == first.split()


def test_ranks_of_sectors_that_are_not_marked_as_knowledge_intensive_say_so(call, quick_study):
    _, out, err = call("rank", "kazakhstan-gva-2020", "--draws", 100)
    assert "Not marked as knowledge-intensive (role digital, knowledge, research; " in err
    assert (
        "Manufacturing, Finance and insurance; candidates in these sectors are ranked with the others." in err
    )
    assert "knowledge-intensive" not in out
    assert "knowledge-intensive" not in call("rank", quick_study)[2]


def test_a_ranking_is_held_against_other_judgements(call, quick_study, tmp_path):
    status, out, _ = call("rank", quick_study, "--review")
    assert status == 0
    assert "τ-b" in out
    assert all(f"{policy}: mean" in out for policy in ("special economic zone", "technopark", "all"))
    call("rank", quick_study, "--review", "-o", tmp_path / "review.json")
    found = json.loads((tmp_path / "review.json").read_text(encoding="utf-8"))
    assert list(found) == ["agreement", "growth_points", "notes", "naming", "sites"]
    call("rank", quick_study, "--review", "-o", tmp_path / "growth.csv")
    assert {"site", "region", "lq", "status"} <= set(pd.read_csv(tmp_path / "growth.csv"))
    out = tmp_path / "none.csv"
    status, _, err = call("rank", "kazakhstan-gva-2020", "--review", "--draws", 100, "-o", out)
    assert status == 2
    assert "names no zones or technoparks" in err


def test_sobol_says_which_choice_moves_the_ranks(call, tmp_path):
    status, out, _ = call("rank", "kazakhstan-gva-2020", "--sobol")
    assert status == 0
    assert "Sobol' indices of the mean shift in rank" in out
    assert call("rank", "--sobol", "--areas")[0] == 2
    call("rank", "kazakhstan-gva-2020", "--sobol", "-o", tmp_path / "sobol.csv")
    found = pd.read_csv(tmp_path / "sobol.csv", index_col=0)
    assert {"threshold", "normalization", "weights"} <= set(found.index)
    assert found.to_numpy().max() <= 1.5


FOCAL = ["--permutations", 99, "--simulations", 600]


def test_focal_of_a_file_compares_graphs_and_groups(call, tmp_path):
    groups = tmp_path / "groups.csv"
    listed = pd.read_csv(data_path("kazakhstan-2022", "sectors.csv"))
    listed[["sector", "group"]].to_csv(groups, index=False)
    graphs = ["--graph", "queen", "--graph", "knn:k=4"]
    status, out, err = call("focal", *TABLE1, "--groups", groups, *graphs, *FOCAL)
    assert status == 0
    # A log gets a line for each step.
    steps = [line.removeprefix("spatialkz: ").split(" (")[0] for line in err.splitlines()]
    assert steps == ["all", "industry", "services", "influence", "multiverse"]
    for start in ("All sectors: ", "Industry: ", "Services: ", "colocation_sized_p "):
        assert any(line.startswith(start) for line in out.splitlines()), start
    call("focal", *TABLE1, "--groups", groups, *graphs, *FOCAL, "-o", tmp_path / "focal.json")
    found = json.loads((tmp_path / "focal.json").read_text(encoding="utf-8"))
    assert set(found["families"]) == {"all", "industry", "services"}
    assert found["families"]["all"]["colocation"]["statistic"] == pytest.approx(3.125)
    # grades × rounding × families × nulls × graphs × left out
    assert found["multiverse"]["specifications"] == 7 * 5 * 3 * 2 * 2 * 2


def test_focal_of_a_study_keeps_its_choices_but_for_those_given(call, tmp_path):
    options = ["--threshold", 1.5, *FOCAL, "-o", tmp_path / "focal.csv"]
    status, out, _ = call("focal", "kazakhstan-2022", *options)
    assert (status, out) == (0, "")
    found = pd.read_csv(tmp_path / "focal.csv", index_col="family")
    assert found.index.tolist() == ["all", "industry", "services", "high technology"]
    assert found.loc["all", "variance_ratio"] != pytest.approx(3.125)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["focal", "atlantis"], "There is no file atlantis, and no bundled study of that name"),
        (["focal", *TABLE1, "--simulations", "5"], "The choice simulations is 5; it must lie from 600"),
        (["focal", *TABLE1, "--permutations", "5"], "The choice permutations is 5; it must lie from 99"),
        (["regions", "Karagnda"], "Karaganda"),
        (["lq", "nowhere.csv"], "There is no file nowhere.csv, and no bundled study"),
        (
            ["rank", "atlantis"],
            "There is no file atlantis, and no bundled study of that name; there are kazakhstan-2022",
        ),
        (["run", "none.toml"], "There is no file none.toml."),
        (["cluster", *TABLE1, "--k", "40"], "it must be from 1 to 16"),
        (["cluster", *TABLE1, "--alpha", "0.5"], "spatial weight of clustgeo; kmeans has none"),
        (["cluster", *TABLE1, "--method", "clustgeo", "--alpha", "2"], "alpha is 2"),
        (["cluster", *TABLE1, "--graph", "queen"], "kmeans uses no neighbors without --details"),
        (["cluster", *TABLE1, "--choose-by", "bic"], "for kmeans it must be one of"),
        (["cluster", *TABLE1, "--method", "skater", "--choose-by", "gap"], "needs references"),
        (["cluster", *TABLE1, "--method", "max-p"], "give --floor"),
        (
            ["cluster", *TABLE1, "--method", "max-p", "--floor", "3", "--k", "2"],
            "finds the number of clusters",
        ),
        (
            ["cluster", *TABLE1, "--method", "max-p", "--floor", "3", "--sizes", "people"],
            "which is no column",
        ),
        (["cluster", *TABLE1, "--floor", "3"], "the least size of max-p; kmeans has none"),
        (["cluster", *TABLE1, "--k", "3", "--choose-by", "gap"], "no number to choose by gap"),
        (["run", "--k", "17"], "k is 17; with 17 distinct regions it must be from 1 to 16"),
        (["run", "--k", "1"], "The choice clusters is 1; it must lie from 2"),
        (["cluster", *TABLE1, "--k", "0"], "it must be from 1 to 16"),
        (["cluster", *TABLE1, "--details", "--method", "skater"], "method that works without a graph"),
        (["moran", *TABLE1, "--permutations", "5"], "at least 99"),
        (["moran", *TABLE1, "--method", "exact"], "17 regions at most 11,764,705, but"),
        (["moran", *TABLE1, "--local", "--method", "exact"], "--method is of the global test"),
        (["rank", "-o", "ranks.pdf"], "expected .csv, .json, .parquet, .xlsx"),
        (["lq", *TABLE1, "--graph", "queen"], "Neighbors are for windowed quotients"),
        (["audit", "kazakhstan-gva-2020"], "an audit is for published quotients"),
        (["moran", TABLE1[0], "--region", "province"], "has no column province; there are region"),
        (["audit", *TABLE1, "--graph", "queen"], "An audit does not use neighbors; leave out --graph"),
        (["lq", *TABLE1, "--isolates", "keep"], "not for simple ones; leave out --isolates"),
        (["moran", *TABLE1, "--id", "name"], "id goes with boundaries"),
        (["moran", *TABLE1, "--graph", "quen"], "quen"),
        (["lq", "."], ". is a folder; name a file in it"),
        (["init", ".", "--header", "0"], "header, item 1, is 0; expected a number of at least 1"),
        (["lq", *TABLE1, "--header", "x"], "--header is 'x'; expected a line number"),
        (["lq", *TABLE1, "--where", "year"], "--where is 'year'; expected two texts with = between them"),
        (["lq", *TABLE1, "--rename", "Akmola=A", "--rename", "Akmola=B"], "gives 'Akmola' 2 times"),
        (["run", TABLE1[0]], "It is not known what the numbers of"),
        (["rank", "kazakhstan-2022", "--kind", "counts"], "--kind is for a bare table"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_status_2(call, arguments, sentence):
    status, out, err = call(*arguments)
    assert status == 2
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_the_command_knows_every_method_and_transform():
    from spatialkz.cli.cluster import cluster
    from spatialkz.clustering import METHODS, TRANSFORMS

    options = get_type_hints(cluster)
    assert set(get_args(options["method"])) == {*METHODS, "max-p"}
    assert set(get_args(options["transform"])) == set(TRANSFORMS)


def test_clusters_on_a_graph_hang_together(call, tmp_path):
    (tmp_path / "v.csv").write_text("region,x\na,1\nb,8\nc,2\nd,9\ne,9.5\n", encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("one,two\na,b\nb,c\nc,d\nd,e\n", encoding="utf-8")
    shared = [tmp_path / "v.csv", "--transform", "none", "--k", 2]
    _, out, _ = call("cluster", *shared)
    assert {row["region"]: row["cluster"] for row in rows(out)} == dict(zip("abcde", "21211", strict=True))
    status, out, _ = call(
        "cluster", *shared, "--method", "ward-contiguous", "--graph", tmp_path / "pairs.csv"
    )
    assert status == 0
    assert {row["region"]: row["cluster"] for row in rows(out)} == dict(zip("abcde", "22211", strict=True))


def test_max_p_counts_regions_or_what_a_column_holds(call, tmp_path):
    (tmp_path / "v.csv").write_text("region,x,people\na,1,5\nb,2,1\nc,8,1\nd,9,5\n", encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("one,two\na,b\nb,c\nc,d\n", encoding="utf-8")
    shared = [
        tmp_path / "v.csv",
        "--transform",
        "none",
        "--method",
        "max-p",
        "--graph",
        tmp_path / "pairs.csv",
    ]
    regions = ["--drop", "people", "--floor", 2]
    for options, clusters in ((regions, "2211"), (["--sizes", "people", "--floor", 7], "1111")):
        _, out, _ = call("cluster", *shared, *options)
        assert "".join(row["cluster"] for row in rows(out)) == clusters
    status, _, err = call(
        "cluster", "kazakhstan-2022", "--method", "max-p", "--floor", 3, "--sizes", "chemical"
    )
    assert status == 2
    assert "--sizes is for a bare table" in err


def test_one_cluster_is_said_and_has_no_silhouettes(call):
    status, out, err = call("cluster", *TABLE1)
    assert status == 0
    assert "No clusters were found, so there is one cluster" in err
    assert {tuple(row.items())[1:] for row in rows(out)} == {(("cluster", "1"),)}
    _, out, err = call("cluster", *TABLE1, "--k", 3)
    assert {row["cluster"] for row in rows(out)} == set("123")
    assert re.search(r"k was given.* not found: .*p = 0\.\d+ \(one normal sample\) and 0\.\d+", err)
    _, out, _ = call("cluster", *TABLE1, "--choose-by", "silhouette")
    assert {row["cluster"] for row in rows(out)} == set("123456")


def test_a_study_fixes_the_number_of_groups(call, quick_study):
    quick_study.write_text(quick_study.read_text("utf-8") + "clusters = 3\n", encoding="utf-8")
    _, out, err = call("cluster", quick_study)
    assert {row["cluster"] for row in rows(out)} == set("123")
    assert "k was given" in err
    _, out, _ = call("cluster", quick_study, "--k", 2)
    assert {row["cluster"] for row in rows(out)} == set("12")
    _, out, _ = call("cluster", quick_study, "--choose-by", "silhouette")
    assert {row["cluster"] for row in rows(out)} == set("123456")


def test_details_say_whether_there_are_clusters(call, tmp_path):
    shared = ["cluster", *TABLE1, "--details", "--transform", "rank", "--method", "average"]
    status, out, _ = call(*shared)
    assert status == 0
    assert "average linkage, k = 1 (structure; others: " in out
    assert "cluster structure (standardized-silhouette, gaussian)" in out
    assert "is asked only of two or more" in out
    assert "leave-one-sector-out" not in out
    _, out, _ = call(*shared, "--k", 3)
    assert "k was given: groups describe the regions, and were not found: silhouettes as large" in out
    assert "leave-one-sector-out" in out
    assert "post-selection" in out
    call("cluster", *TABLE1, "--details", "--k", 2, "-o", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert list(found["methods"]) == ["kmeans", "ward", "ward-contiguous", "clustgeo"]
    assert found["features"] == "(x − 1)/(x + 1)"


def test_regions_of_another_country_are_pointed_to_boundaries(call, tmp_path):
    (tmp_path / "v.csv").write_text("region,x\na,1\nb,2\nc,4\nd,9\n", encoding="utf-8")
    status, _, err = call("moran", tmp_path / "v.csv")
    assert status == 2
    assert "--boundaries" in err


def test_a_reader_that_stops_early_is_no_fault(tmp_path):
    command = f"{sys.executable} -m spatialkz moran {' '.join(TABLE1)} --local | head -1 > /dev/null; "
    command += "echo ${PIPESTATUS[0]}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (found.stdout.strip(), found.stderr) == ("0", "")


OPEN = ["North", "East", "South", "West"]


def open_study(folder):
    lines = [
        f"{place},{year},{k + 1},{2 * k + year - 2019},5,7"
        for k, place in enumerate(OPEN)
        for year in (2020, 2021)
    ]
    (folder / "jobs.csv").write_text("\n".join(["county,year,steel,law,care,all", *lines]), encoding="utf-8")
    (folder / "pairs.csv").write_text("a,b\nNorth,East\nEast,South\nSouth,West\n", encoding="utf-8")
    text = '[table]\nfile = "jobs.csv"\nkind = "counts"\nwhere = { year = 2020 }\ndrop = ["all"]\n'
    (folder / "mine.toml").write_text(f'{text}[geography]\ngraph = "pairs.csv"\n', encoding="utf-8")
    return folder / "mine.toml"


def test_options_are_joined_to_what_a_study_says(call, tmp_path):
    study = open_study(tmp_path)
    status, out, _ = call("lq", study, "--where", "year=2021", "--rename", "law=Law")
    assert status == 0
    assert list(rows(out)[0]) == ["region", "steel", "Law", "care"]  # the study's own drop holds
    # The North has 1, 2 and 5; the country 10, 20 and 20.
    assert float(rows(out)[0]["steel"]) == pytest.approx((1 / 8) / (10 / 50))
    status, out, err = call("lq", study, "--drop-region", "West", "--drop", "law")
    assert (status, len(rows(out)), list(rows(out)[0])) == (0, 3, ["region", "steel", "care"])
    assert "West left out as stated" in err


def test_a_bare_table_and_a_study_give_the_same(call, tmp_path, monkeypatch):
    study, pairs = open_study(tmp_path), tmp_path / "pairs.csv"
    shared = ["--where", "year=2020", "--drop", "all", "--graph", pairs]
    bare = [tmp_path / "jobs.csv", *shared, "--kind", "counts", "--draws", 100]
    assert call("rank", *bare)[1] == call("rank", study, "--draws", 100)[1]
    quotients = tmp_path / "lq.csv"
    call("lq", study, "-o", quotients)
    tests = ["--permutations", 99]
    of_study = call("moran", study, *tests)[1]
    assert of_study == call("moran", quotients, "--graph", pairs, *tests)[1]
    text = io.TextIOWrapper(io.BytesIO(quotients.read_bytes()), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", text)
    assert of_study == call("moran", "-", "--graph", pairs, *tests)[1]


def test_what_is_told_of_a_map_is_told_once(call, tmp_path):
    import geopandas as gpd
    from shapely import box

    open_study(tmp_path)
    shapes = [box(k, 0, k + 1, 1) for k in range(5)]
    frame = gpd.GeoDataFrame({"name": [*OPEN, "Else"]}, geometry=shapes, crs=3857)
    frame.to_file(tmp_path / "map.gpkg")
    status, _, err = call(
        "moran", tmp_path / "mine.toml", "--boundaries", tmp_path / "map.gpkg", "--graph", "queen"
    )
    assert status == 0
    assert err.count("Else") == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "utf-8"])
def test_no_letter_of_a_redirected_output_ends_a_run(tmp_path, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "spatialkz", *arguments], capture_output=True, env=environment, check=False
        )

    listed = run("regions")
    assert listed.returncode == 0
    assert "Ақмола облысы" in listed.stdout.decode("utf-8")  # Kazakh is in neither of the others
    if encoding != "utf-8":
        assert b"which lacks" in listed.stderr
    started = run("init", str(tmp_path))
    assert (started.returncode, started.stderr) == (0, b"")


def test_init_says_what_is_open_and_takes_how_the_file_is_read(call, tmp_path):
    table = tmp_path / "my jobs.csv"
    table.write_bytes("county;año;x\nNörd;1;2\nSud;3;4\nEst;5;1\nOest;2;2\n".encode("cp1252"))
    status, _, err = call("init", table)
    assert (status, err.count("\n")) == (2, 1)
    status, out, _ = call("init", table, "--encoding", "cp1252")
    assert status == 0
    assert "Open: who neighbors whom?" in out
    assert f"try: spatialkz run {tmp_path / 'study.toml'}" in out
    assert 'encoding = "cp1252"' in (tmp_path / "study.toml").read_text(encoding="utf-8")


def test_help_puts_options_under_headings(call):
    for command in ("run", "lq", "audit", "moran", "focal", "cluster", "rank"):
        status, out, _ = call(command, "--help")
        assert status == 0
        headings = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
        assert headings == [
            "Arguments:",
            "Options:",
            "Which cells make up the table:",
            "How its file is read, where the content does not tell:",
            "Who neighbors whom:",
        ]
        assert max(map(len, out.splitlines())) <= 100


def test_wrong_use_is_status_2(call):
    assert call("lq")[0] == 2
    assert call("lq", "x.csv", "--kind", "golden")[0] == 2
    assert call("fly")[0] == 2


def test_a_fault_of_ours_is_not_dressed_up_as_bad_input(monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("boom")

    monkeypatch.setattr("spatialkz.candidates.rank_candidates", broken)
    monkeypatch.setattr("sys.argv", ["spatialkz", "rank"])
    with pytest.raises(RuntimeError, match="boom"):
        main()


def test_version(call):
    from spatialkz import __version__

    assert call("--version") == (0, f"{__version__}\n", "")


def test_run_writes_the_folder_says_where_and_draws_again(call, tmp_path):
    folder, study = tmp_path / "results", with_few_draws("kazakhstan-gva-2022", tmp_path)
    status, out, err = call("run", study, "--out", folder, "--lang", "ru", "--timings")
    assert status == 0
    assert "report.html" in out
    assert "spatialkz: ranking (" in err
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["choices"]["permutations"] == 99
    assert (manifest["lang"], manifest["figures"]) == ("ru", "page")
    stages = [row["stage"] for row in manifest["times"]["stages"]]
    assert stages[:3] == ["quotients", "audit", "autocorrelation"]
    assert {"focal test", "clusters", "ranking", "tables", "figures", "report"} <= set(stages)
    assert [line.rsplit(maxsplit=2)[0] for line in out.splitlines()[2:-1]] == stages
    assert not list(folder.glob("figures/*.png"))

    (folder / "figures" / "stars.png").write_text("my own", encoding="utf-8")
    status, out, err = call("figures", folder)
    assert status == 0
    assert "were kept: figures/stars.png." in err
    assert "Drawn into" in out
    again = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    drawn = {path.relative_to(folder).as_posix() for path in folder.glob("figures/*")} - {"figures/stars.png"}
    assert {name for name in again["outputs"] if name.startswith("figures/")} == drawn
    assert again["figures"] == "all"
    assert len(list(folder.glob("figures/*.png"))) == len(list(folder.glob("figures/*.svg")))
    assert {**again, "figures": 0, "outputs": 0} == {**manifest, "figures": 0, "outputs": 0}

    study.write_text(study.read_text("utf-8") + "# edited\n", encoding="utf-8")
    status, _, err = call("figures", folder)
    assert status == 2
    assert "quick.toml changed since the run in" in err


def test_figures_of_what_cannot_be_found_again_are_refused(call, tmp_path):
    status, _, err = call("figures", tmp_path)
    assert status == 2
    assert "holds no results of a run" in err
    told = {"versions": {"spatialkz": "0.1"}, "outputs": {"a.csv": "0" * 64}, "study": {"name": "mine"}}
    (tmp_path / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
    status, _, err = call("figures", tmp_path)
    assert status == 2
    assert "of a table that was read from no file" in err


@pytest.fixture
def staff(tmp_path):
    """Twelve regions in a row: a table of quotients, covariates, and who neighbors whom."""
    names = [f"r{i:02}" for i in range(12)]
    lines = [f"{name},{(i * 7 % 12) / 6},{2 - (i * 5 % 12) / 6}" for i, name in enumerate(names)]
    (tmp_path / "lq.csv").write_text("region,law,steel\n" + "\n".join(lines), encoding="utf-8")
    lines = [f"{name},{1 + i * 7 % 12},{1 + i * i}" for i, name in enumerate(reversed(names))]
    (tmp_path / "staff.csv").write_text("region,staff,income\n" + "\n".join(lines), encoding="utf-8")
    pairs = [f"{a},{b}" for a, b in pairwise(names)]
    (tmp_path / "pairs.csv").write_text("one,two\n" + "\n".join(pairs), encoding="utf-8")
    return tmp_path


def test_prerequisites_of_a_table_with_and_without_neighbors(call, staff):
    given = [staff / "lq.csv", "--covariates", staff / "staff.csv", "--permutations", 99]
    status, out, _ = call("prerequisites", *given, "-o", staff / "found.csv")
    assert (status, out) == (0, "")
    found = pd.read_csv(staff / "found.csv").set_index(["sector", "covariate"])
    assert list(found.index) == [("law", "staff"), ("law", "income"), ("steel", "staff"), ("steel", "income")]
    assert "residual_moran" not in found
    values = pd.read_csv(staff / "lq.csv", index_col=0)
    known = pd.read_csv(staff / "staff.csv", index_col=0)
    alone = prerequisite_test(values, known, permutations=99, rng=42).to_frame()
    assert found["p_value"].tolist() == pytest.approx(alone["p_value"].tolist())
    options = ["--graph", staff / "pairs.csv", "--controls", "log(income)", "--transform", "symmetric"]
    status, out, _ = call("prerequisites", *given, *options, "-o", staff / "found.json")
    assert status == 0
    told = json.loads((staff / "found.json").read_text(encoding="utf-8"))
    assert [(row["sector"], row["covariate"]) for row in told["tests"]] == [
        ("law", "staff"),
        ("steel", "staff"),
    ]
    assert {row["test"] for row in told["space"]} >= {"moran", "lm_error", "robust_lm_lag"}


def test_prerequisites_of_a_study_are_said_in_words(call, quick_study):
    status, out, _ = call("prerequisites", quick_study, "--permutations", 99)
    assert status == 0
    assert "Prerequisites, 121 tests, n = 17, 99 permutations, two-sided" in out
    assert "special economic zone: 20 named cells" in out
    assert "The same regions reach the threshold in programming, computer, information" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "lq.csv is a table without covariates; name a file with --covariates."),
        (["--covariates", "nothing.csv"], "nothing.csv"),
        (["--covariates", "other.csv"], "covariates lacks r00"),
        (["--covariates", "staff.csv", "--controls", "log(money)"], "controls uses money"),
        (["--covariates", "staff.csv", "--controls", "staff +"], "is no formula that can be computed"),
        (["--covariates", "staff.csv", "--transform", "cube"], "transform is 'cube'"),
        (["--covariates", "staff.csv", "--permutations", "3"], "permutations is 3"),
    ],
)
def test_wrong_prerequisites_are_refused_in_a_sentence(call, staff, arguments, message):
    text = (staff / "staff.csv").read_text(encoding="utf-8")
    (staff / "other.csv").write_text(text.replace("r00", "Gotham"), encoding="utf-8")
    given = [staff / text if str(text).endswith(".csv") else text for text in arguments]
    status, out, err = call("prerequisites", staff / "lq.csv", *given)
    assert (status, out) == (2, "")
    assert message in " ".join(err.split())
    assert err.count("\n") == 1


def test_a_study_without_covariates_is_told_so(call):
    status, _, err = call("prerequisites", "kazakhstan-gva-2022")
    assert status == 2
    assert "kazakhstan-gva-2022 has no covariates; name a file with --covariates." in err


def test_change_between_periods(call, tmp_path):
    status, out, err = call("change", "kazakhstan-gva", "--permutations", 99)
    assert status == 0
    assert "2023 to 2025 left out, as the series breaks (at 2023: recalculation" in err
    assert "makes β negative" in out
    status, _, err = call("change", "kazakhstan-gva", "--first", 2020, "--last", 2024)
    assert status == 2
    assert "Between 2020 and 2024 the series breaks" in err
    across = ["--first", 2020, "--last", 2024, "--across-breaks", "--shift-share", "classic"]
    call("change", "kazakhstan-gva", *across, "-o", tmp_path / "parts.csv")
    parts = pd.read_csv(tmp_path / "parts.csv")
    assert parts["change"].sum() == pytest.approx(parts[["national", "mix", "regional"]].to_numpy().sum())
    status, _, err = call("change", "kazakhstan-gva-2020")
    assert status == 2
    assert "names no periods; say which column holds them" in err
    path = tmp_path / "jobs.csv"
    path.write_text(
        "region,year,law,steel\n"
        + "".join(
            f"{region},{year},{5 + i * (year - 2018)},{9 - i}\n"
            for year in (2019, 2020)
            for i, region in enumerate("abcd")
        )
    )
    status, _, _ = call("change", path, "--period", "year", "--kind", "counts", "-o", tmp_path / "change.csv")
    assert status == 0
    table = pd.read_csv(tmp_path / "change.csv")
    assert len(table) == 8
    assert table["p_value"].between(0, 1).all()
    path.write_text(
        "region,year,law,steel\n" + "".join(f"{region},2019,1,{i + 1}\n" for i, region in enumerate("abcd"))
    )
    status, _, err = call("change", path, "--period", "year")
    assert status == 2
    assert "A change needs two periods" in err
