import tomllib

import pytest

from spatialkz.errors import InputError, OutputError
from spatialkz.study import read_study
from spatialkz.study.draft import Draft
from spatialkz.study.init import init_study
from spatialkz.tables.reading.options import FileOptions

WIDE = "county;steel;software\nNorth;3;1\nEast;1;1\nSouth;1;4\nWest;2;2\n"
PAIRS = "a,b\nNorth,East\nEast,South\nSouth,West\n"


def begun(folder, text, name="jobs.csv", pairs=PAIRS, **options):
    """What init makes of a table: the sections of its study file, and what it asks."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    if pairs:
        (folder / "neighbors.csv").write_text(pairs, encoding="utf-8")
    started = init_study(folder / name, replace=True, options=FileOptions(**options))
    return tomllib.loads(started.path.read_text(encoding="utf-8")), started.questions


def test_the_example_runs_and_is_not_written_over(tmp_path):
    started = init_study(tmp_path / "new")
    study = read_study(started.path)
    assert study.table.values.loc["North", "steel"] == 1204.5
    with pytest.raises(InputError, match=r"There is a study file .* already; --force replaces it"):
        init_study(tmp_path / "new")
    assert init_study(tmp_path / "new", replace=True).questions == started.questions


def test_a_wide_table_needs_nothing_more(tmp_path):
    written, asked = begun(tmp_path, WIDE)
    assert written["table"] == {"file": "jobs.csv", "region": "county", "kind": "counts"}
    assert written["geography"] == {"graph": "neighbors.csv"}
    assert asked == ("kind = counts, for all numbers are whole; is that so?",)
    assert read_study(tmp_path / "study.toml").table.values.loc["South", "software"] == 4


def test_what_is_asked_stands_on_top_of_the_file(tmp_path):
    _, asked = begun(tmp_path, WIDE)
    head = (tmp_path / "study.toml").read_text(encoding="utf-8").splitlines()
    assert head[1] == f"# To settle: {asked[0]}"


@pytest.mark.parametrize(
    ("cells", "kind", "rounding"),
    [
        (["0.5", "1.2", "2.1", "0.8"], "quotients", 0.05),
        (["0.512", "1.25", "2.1", "0.8"], "quotients", 0.0005),
        (["5.5", "120.25", "21", "80"], "volumes", None),
        (["5", "120", "21", "80"], "counts", None),
    ],
)
def test_the_kind_and_the_last_digit_are_told_from_the_numbers(tmp_path, cells, kind, rounding):
    lines = [
        f"{name},{cell},{cell}" for name, cell in zip(("North", "East", "South", "West"), cells, strict=True)
    ]
    written, _ = begun(tmp_path, "county,a,b\n" + "\n".join(lines))
    assert written["table"]["kind"] == kind
    assert written["table"].get("rounding") == rounding


def test_the_regions_are_the_column_that_the_neighbors_name(tmp_path):
    names = ["North", "East", "South", "West"]
    lines = [f"A{k},{name},{k + 2},{k * k}" for k, name in enumerate(names)]
    written, _ = begun(tmp_path, "code,county,steel,law\n" + "\n".join(lines))
    assert written["table"]["region"] == "county"
    assert written["table"]["drop"] == ["code"]


def long_table(head, rows):
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


REGIONS, SECTORS = ("North", "East", "South", "West"), ("steel", "law", "care")


def test_of_years_and_other_keys_one_value_is_taken_and_asked_about(tmp_path):
    rows = [
        (region, year, sector, sex, 10 * (k + 1) + len(region))
        for region in REGIONS
        for year in (2020, 2021)
        for k, sector in enumerate(SECTORS)
        for sex in ("T", "F")
    ]
    written, asked = begun(tmp_path, long_table("county,year,branch,sex,jobs", rows))
    assert written["table"]["where"] == {"year": 2021, "sex": "T"}
    assert (written["table"]["sector"], written["table"]["value"]) == ("branch", "jobs")
    assert "sex = T was taken out of F, T." in asked
    assert read_study(tmp_path / "study.toml").table.values.shape == (4, 3)


def test_pairs_without_a_row_are_asked_about(tmp_path):
    rows = [(region, sector, 5 + k) for region in REGIONS for k, sector in enumerate(SECTORS)][1:]
    written, asked = begun(tmp_path, long_table("county,branch,jobs", rows))
    assert written["table"]["absent"] == "zero"
    assert any(question.startswith("1 region × sector pairs have no row") for question in asked)


def test_a_value_column_of_people_is_taken_first(tmp_path):
    rows = [(region, sector, 5 + k, 50 + k) for region in REGIONS for k, sector in enumerate(SECTORS)]
    written, asked = begun(tmp_path, long_table("county,branch,plants,employed", rows))
    assert written["table"]["value"] == "employed"
    assert "the values are 'employed'; the other columns with numbers are plants." in asked


def test_marks_beside_published_numbers_are_no_flags_of_suppression(tmp_path):
    rows = [
        (region, sector, 5 + k, "p" if region == "East" else "")
        for region in REGIONS
        for k, sector in enumerate(SECTORS)
    ]
    written, _ = begun(tmp_path, long_table("county,branch,jobs,note", rows))
    assert "where" not in written["table"]
    assert "absent" not in written["table"]


def test_what_the_content_does_not_tell_can_be_said(tmp_path):
    text = WIDE.replace("North", "Nörd")
    with pytest.raises(InputError, match="--encoding on the command line"):
        begun(tmp_path, text.encode("cp1252"), pairs="")
    (tmp_path / "nachbarn.csv").write_bytes(PAIRS.replace("North", "Nörd").encode("cp1252"))
    written, _ = begun(tmp_path, text.encode("cp1252"), pairs="", encoding="cp1252")
    assert written["table"]["encoding"] == "cp1252"
    assert written["geography"] == {"graph": "nachbarn.csv"}
    assert "Nörd" in read_study(tmp_path / "study.toml").table.regions


def test_a_decimal_mark_that_cells_leave_open_is_asked_about(tmp_path):
    lines = [f"{name};1.204;{k + 3}.455" for k, name in enumerate(REGIONS)]
    written, asked = begun(tmp_path, "county;steel;software\n" + "\n".join(lines))
    assert written["table"]["decimal"] == ","
    assert any("decimal" in question for question in asked)
    assert read_study(tmp_path / "study.toml").table.values.loc["East", "software"] == 4455


def test_totals_that_rounded_cells_miss_make_rounding_necessary(tmp_path):
    """10.2 + 3.3 + 1.2 = 14.7, not 14.73: the total is of numbers with more digits."""
    text = (
        "county,Total,a,b,c\nNorth,34.1,30.5,2.4,x\nEast,14.73,10.2,3.3,1.2\nSouth,9,4,3,2\nWest,12,5,4,3\n"
    )
    written, asked = begun(tmp_path, text)
    assert written["table"]["rounding"] == 0.05
    assert any("The study says rounding = 0.05" in question for question in asked)
    low, high = read_study(tmp_path / "study.toml").table.interval()
    assert low.loc["North", "c"] <= 34.1 - 30.5 - 2.4 <= high.loc["North", "c"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", "There is no file"),
        ("-", "standard input has none"),
        ("mine.toml", "is a study file already"),
        (".", r"holds several tables \(a.csv, b.csv\); name one of them"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, monkeypatch, name, sentence):
    monkeypatch.chdir(tmp_path)
    for file in ("mine.toml", "a.csv", "b.csv"):
        (tmp_path / file).write_text(WIDE, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        init_study(name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        init_study(tmp_path / "file" / "new")


def test_any_label_is_written_so_that_it_can_be_read(tmp_path):
    draft = Draft()
    odd = {'a"b\\c': "line\nend", "-": "\x7f\u0001", "ключ": "x", "str": "#"}
    draft.put("rename", odd)
    draft.put("region", "nace,geo\\TIME")
    text = draft.written(tmp_path / 'odd "name".csv')
    found = tomllib.loads(text)
    assert found["table"]["rename"] == odd
    assert found["table"]["region"] == "nace,geo\\TIME"
    assert found["name"] == 'odd "name"'
