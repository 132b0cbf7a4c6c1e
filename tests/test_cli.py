import csv
import io
import json
import subprocess
import sys

import pandas as pd
import pytest

from spatialkz import cli
from spatialkz.datasets import data_path

TABLE1 = [
    str(data_path("kazakhstan-2022", "table1.csv")),
    "--region",
    "region",
    "--sector",
    "sector",
    "--value",
    "lq",
]


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command as a shell would: arguments in, exit status and both streams out."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["spatialkz", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_regions_speaks_three_languages(call):
    status, out, _ = call("regions", "Nur-Sultan", "ВКО", "Алматы облысы")
    assert status == 0
    assert [row["code"] for row in rows(out)] == ["AST", "VKO", "ALM"]
    status, out, _ = call("regions", "--vintage", 2022)
    assert len(rows(out)) == 20


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


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["regions", "Karagnda"], "Karaganda"),
        (["lq", "nowhere.csv"], "There is no file nowhere.csv."),
        (["rank", "atlantis"], "There is no bundled study 'atlantis'; there are kazakhstan-2022"),
        (["run", "none.toml"], "There is no file none.toml."),
        (["cluster", *TABLE1, "--k", "40"], "it must be from 2 to 16"),
        (["moran", *TABLE1, "--permutations", "5"], "at least 99"),
        (["rank", "-o", "ranks.pdf"], "expected .csv, .json, .parquet, .xlsx"),
        (["lq", *TABLE1, "--graph", "queen"], "Neighbors are for windowed quotients"),
        (["audit", "kazakhstan-gva-2020"], "an audit is for published quotients"),
        (["moran", TABLE1[0], "--region", "province"], "has no column province; it has region"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_status_2(call, arguments, sentence):
    status, out, err = call(*arguments)
    assert status == 2
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_regions_of_another_country_are_pointed_to_boundaries(call, tmp_path):
    (tmp_path / "v.csv").write_text("region,x\na,1\nb,2\nc,4\nd,9\n", encoding="utf-8")
    status, _, err = call("moran", tmp_path / "v.csv")
    assert status == 2
    assert "--boundaries" in err


def test_a_reader_that_stops_early_is_no_fault(tmp_path):
    command = f"{sys.executable} -m spatialkz.cli moran {' '.join(TABLE1)} --local | head -1 > /dev/null; "
    command += "echo ${PIPESTATUS[0]}"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (found.stdout.strip(), found.stderr) == ("0", "")


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
        cli.main()


def test_version(call):
    from spatialkz import __version__

    assert call("--version") == (0, f"{__version__}\n", "")


def test_run_writes_the_folder_and_says_where(call, tmp_path):
    study = tmp_path / "quick.toml"
    text = data_path("kazakhstan-2022", "study.toml").read_text(encoding="utf-8")
    folder = data_path("kazakhstan-2022").as_posix()
    for name in ("table1.csv", "sectors.csv", "placement.csv", "claims.toml"):
        text = text.replace(f'"{name}"', f'"{folder}/{name}"')
    study.write_text(text + "\n[choices]\npermutations = 99\nresamples = 10\ndraws = 100\n", encoding="utf-8")
    status, out, err = call("run", study, "--out", tmp_path / "results", "--lang", "ru")
    assert (status, err) == (0, "")
    assert "report.html" in out
    manifest = json.loads((tmp_path / "results" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["choices"]["permutations"] == 99
    assert manifest["lang"] == "ru"
