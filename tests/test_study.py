from dataclasses import replace

import pandas as pd
import pytest

import spatialkz
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import table_quotients
from spatialkz.study import Choices, Study, read_study

TABLE = "county;steel;software\nNorth;3;1\nEast;1;1\nSouth;1;4\nWest;2;2\n"
PAIRS = "a,b\nNorth,East\nEast,South\nSouth,West\n"
TOML = '[table]\nfile = "table.csv"\nkind = "counts"\n[geography]\ngraph = "pairs.csv"\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    return tmp_path


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shortest_study_file(folder):
    study = read_study(written(folder, TOML))
    assert study.name == "mine"
    assert study.boundaries is None
    assert study.region_names("kk").to_dict() == {name: name for name in ("North", "East", "South", "West")}
    assert study.graph["East"].index.tolist() == ["North", "South"]
    assert [path.name for path in study.inputs] == ["mine.toml", "table.csv", "pairs.csv"]


def test_a_study_file_with_everything(folder):
    (folder / "sectors.csv").write_text(
        "sector,group,name_en,name_ru,role\nsteel,industry,Steel,Сталь,\nsoftware,services,Software,,knowledge\n",
        encoding="utf-8",
    )
    (folder / "tiers.csv").write_text("region,tier\nNorth,1\nEast,2\nSouth,\nWest,2\n", encoding="utf-8")
    (folder / "base.csv").write_text(
        "region,industry,services\nNorth,9,5\nEast,9,5\nSouth,9,5\nWest,9,5\n", encoding="utf-8"
    )
    study = read_study(
        written(
            folder,
            'name = "four"\ntitle = "Four counties"\n'
            + TOML.replace('kind = "counts"', 'kind = "volumes"\nunit = "tonnes"\nbase = "base.csv"')
            + '[sectors]\nfile = "sectors.csv"\n[placement]\nfile = "tiers.csv"\n'
            + "[choices]\nthreshold = 1.5\ndraws = 500\n",
        )
    )
    assert study.choices == Choices(threshold=1.5, draws=500)
    assert study.table.groups.to_dict() == {"steel": "industry", "software": "services"}
    assert study.sector_names("ru").to_dict() == {"steel": "Сталь", "software": "Software"}
    assert study.placement.isna().to_dict() == {"North": False, "East": False, "South": True, "West": False}
    assert study.table.base.loc["West"].to_dict() == {"industry": 9.0, "services": 5.0}


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("[table", InputError, "mine.toml is not valid TOML"),
        ('[geography]\ngraph = "queen"\n', InputError, r"\[table\] is lacking"),
        (
            TOML + "[choices]\ntreshold = 2\n",
            InputError,
            r"unknown key treshold in \[choices\]; perhaps threshold",
        ),
        (TOML.replace("[table]", "[tabel]"), InputError, r"unknown key tabel at the top; perhaps table"),
        ('table = "table.csv"\n', InputError, r"\[table\] must be a section"),
        (TOML + "[choices]\nthreshold = 0\n", InputError, r"threshold is 0; it must lie from"),
        (TOML + '[choices]\npermutations = "many"\n', InputError, r"permutations is 'many'; a number"),
        (TOML + "[choices]\ndraws = 10.5\n", InputError, r"draws is 10.5; a number"),
        (TOML + "[choices]\nclusters = 1\n", InputError, r"clusters is 1; it must lie from 2"),
        (TOML + "[choices]\nalpha = true\n", InputError, r"alpha is True; a number"),
        (TOML.replace("pairs.csv", "queen"), InputError, "Neighbors are needed"),
        (TOML.replace("pairs.csv", "none.csv"), InputError, "There is no file"),
        (
            TOML.replace("counts", "money"),
            InputError,
            r"\[table\] kind is 'money'; expected one of volumes, counts, quotients",
        ),
        (
            TOML + '[regions]\ndivision = "narnia"\n',
            InputError,
            "known are kazakhstan-1999, kazakhstan-2018, kazakhstan-2022",
        ),
        (TOML + '[regions]\ndivision = "kazakhstan-2018"\n', RegionError, "North"),
        (
            TOML.replace("[geography]", 'drop = ["gold"]\n[geography]'),
            InputError,
            "drop names columns that table.csv does not have: gold",
        ),
        (TOML.replace("[geography]", 'base = "gdp"\n[geography]'), InputError, "neither a column"),
        (
            TOML.replace("[geography]", 'encoding = "utf-16"\n[geography]'),
            InputError,
            "table.csv is not utf-16 text",
        ),
    ],
)
def test_bad_study_files_are_refused(folder, text, error, sentence):
    with pytest.raises(error, match=sentence):
        read_study(written(folder, text))
    with pytest.raises(InputError, match="There is no file"):
        read_study(folder / "none.toml")


PLACES = """[places]
specializations = "named.csv"
named = "sites.csv"
cities = "cities.csv"
rules = "types.toml"
[places.policies]
technopark = { file = "parks.csv", site = "park" }
"""


@pytest.fixture
def placed(folder):
    """The four counties with two parks, a city and a rule."""
    files = {
        "parks.csv": "park,region\nHarbor Park,South\nSteel Valley,North\n",
        "named.csv": "policy,site,named,sector,reason\ntechnopark,Harbor Park,IT,software,division 62\n"
        "technopark,Steel Valley,metals,steel,division 24\ntechnopark,Steel Valley,ships,,not among them\n",
        "sites.csv": "site,kind,region\nOld Harbor,city,South\n",
        "cities.csv": "region,city\nNorth,0\nEast,0\nSouth,1\nWest,0\n",
        "types.toml": 'none = "none"\nfixed = ["city"]\n[[rule]]\ntype = "hub"\nname = "port"\n'
        "needs = { city = 1, growth_points = 1 }\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_places_are_read_and_reach_the_ranking(placed):
    study = read_study(written(placed, TOML + PLACES))
    places = study.context
    assert places.sites.to_dict("list") == {
        "policy": ["technopark"] * 2, "site": ["Harbor Park", "Steel Valley"], "region": ["South", "North"],
    }  # fmt: skip
    assert places.cities.to_dict() == {"North": 0, "East": 0, "South": 1, "West": 0}
    assert {"parks.csv", "named.csv", "sites.csv", "types.toml"} <= {path.name for path in study.inputs}
    quick = replace(study, choices=Choices(permutations=99, resamples=10, draws=100, simulations=600))
    ranking = spatialkz.rank_candidates(quick, rng=1)
    areas = ranking.areas.set_index("region")
    assert areas["growth_points"].to_dict() == {"North": 1, "East": 0, "South": 1, "West": 0}
    types = areas["district_type"].to_dict()
    assert types == {"North": "none", "East": "none", "South": "hub", "West": "none"}
    named = ranking.candidates.set_index(["region", "sector"])["named_by"]
    assert set(named.index[named != "none"]) == {("South", "software"), ("North", "steel")}
    assert quick.context.named["site"].tolist() == ["Old Harbor"]


def test_a_study_without_places_has_empty_ones(folder):
    places = read_study(written(folder, TOML)).context
    assert places.sites.empty
    assert places.specializations.empty
    assert places.rules is None


@pytest.mark.parametrize(
    ("file", "change", "what"),
    [
        ("parks.csv", ("South", "Atlantis"), "growth points"),
        ("sites.csv", ("South", "Atlantis"), "named places"),
        ("cities.csv", ("West", "Atlantis"), "cities"),
    ],
)
def test_places_in_an_unknown_region_are_refused_by_name(placed, file, change, what):
    text = (placed / file).read_text(encoding="utf-8")
    (placed / file).write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(RegionError, match=f"The list of {what} has regions that the table lacks: Atlantis"):
        read_study(written(placed, TOML + PLACES))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (', site = "park"', "", r"\[places.policies.technopark\] must name its site"),
        (
            '{ file = "parks.csv", site = "park" }',
            '"parks.csv"',
            r"\[places.policies\] technopark is 'parks.csv'; expected a section",
        ),
        ('named = "sites.csv"', 'place = "sites.csv"', r"unknown key place in \[places\]; known are cities"),
        ('"parks.csv"', '"none.csv"', "There is no file"),
    ],
)
def test_places_with_a_missing_key_or_file_are_refused(placed, old, new, sentence):
    with pytest.raises(InputError, match=sentence):
        read_study(written(placed, TOML + PLACES.replace(old, new)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("file", "sector,group\nsteel,\nsoftware,b\n"), "side.csv, line 2: the group is empty"),
        (("file", "code,group\nsteel,a\n"), "side.csv lacks the column sector; it has code, group"),
        (
            ("file", "sector,group\nsteel,a\nsteel,b\n"),
            "the sector steel stands more than once, in lines 2, 3",
        ),
        (("tiers", "region,tier\nNorth,first\n"), "side.csv, line 2: tier is 'first'; a whole number"),
        (("claims", "claim = 5\n"), "side.csv: claim is 5; expected a list"),
        (("claims", '[[claim]]\nkind = "marks"\n'), r"side.csv: \[claim, item 1\] must name its name"),
        (("rules", "none = 5\n"), r"side.csv: \[rule\] is lacking; none is 5; expected a text"),
        (
            ("rules", '[[rule]]\ntype = "a"\nname = "b"\nneeds = { city = "x" }\n'),
            r"side.csv: \[rule, item 1.needs\] city is 'x'; expected a number",
        ),
    ],
)
def test_side_files_are_checked_before_anything_is_computed(folder, change, sentence):
    kind, text = change
    (folder / "side.csv").write_text(text, encoding="utf-8")
    section = {
        "file": '[sectors]\nfile = "side.csv"\n',
        "tiers": '[placement]\nfile = "side.csv"\n',
        "claims": '[claims]\nfile = "side.csv"\n',
        "rules": '[places]\nrules = "side.csv"\n',
    }[kind]
    with pytest.raises(InputError, match=sentence):
        read_study(written(folder, TOML + section))


IN_TABLE = [
    ("rounding = '0.01'", r"\[table\] rounding is '0.01'; expected a number\."),
    ("rounding = -1", "rounding is -1; expected a number of at least 0"),
    ("rounding = nan", "rounding is nan; expected a finite number"),
    ("header = []", "header is \\[\\]; expected a whole number or a list that is not empty"),
    ("header = 0", "header is 0; expected a number of at least 1"),
    ("decimal = 'x'", r"decimal is 'x'; expected one of '\.', ','"),
    ("drop = 'steel'", "drop is 'steel'; expected a list"),
    ("drop = ['steel', 5]", r"\[table\] drop, item 2, is 5; expected a text"),
    (
        "where = { county = [1, 2020-01-01] }",
        r"\[table.where\] county, item 2, is 2020-01-01; expected a text",
    ),
    ("rename = { str = 5 }", r"\[table.rename\] str is 5; expected a text"),
    ("rename = { North = ' ' }", "North is ' '; expected a text that is not empty"),
    ("unknown = { x = 'none' }", r"\[table.unknown\] x is 'none'; expected one of zero, suppressed, flag"),
    ("suppressed = { largest = nan }", "largest is nan; expected a finite number"),
    (
        "suppressed = { largest = { steel = -1 } }",
        r"\[table.suppressed.largest\] steel is -1; expected a number",
    ),
    ("base = 5", r"\[table\] base is 5; expected a text or a section"),
    ("base = { fil = 'base.csv' }", r"\[table.base\] must name its file; unknown key fil in \[table.base\]"),
    ("int = 1", r"unknown key int in \[table\]"),
    ("absent = 'zero'", "absent goes with sector: only a long table can lack"),
    ("part = true", "part goes with total: it says whether"),
    ("marks = 'steel'", "marks goes with sector: a row of a long table"),
]
AT_THE_TOP = [
    ("name = 2020-01-01", "name is 2020-01-01; expected a text"),
    ("'' = 1", "unknown key '' at the top"),
    ("str = 1", "unknown key str at the top"),
    ("'[key]' = 1", r"unknown key \[key\] at the top"),
    ("regions = ['North']", r"\[regions\] must be a section, not \['North'\]"),
    ("a = 'C:\\data'", "unknown key a at the top"),
    ('a = "C:\\data"', r"not valid TOML: .* \(write \\ in a path as /\)"),
]
IN_GEOGRAPHY = [
    ("id = 'name'", r"\[geography\] id goes with boundaries: it says how their file is read"),
    ("where = { level = 2 }", "where goes with boundaries"),
    ("times = 'minutes.csv'", "times is for graph = "),
    ("gap = -1", "gap is -1; expected a number of at least 0"),
    ("boundaries = '.'", r"\. is a folder; name a file in it"),
    ("boundaries = 'a\\u0000b'", "There is no file"),
]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *((TOML.replace("[geography]", f"{line}\n[geography]"), sentence) for line, sentence in IN_TABLE),
        *((f"{line}\n{TOML}", sentence) for line, sentence in AT_THE_TOP),
        *((f"{TOML}{line}\n", sentence) for line, sentence in IN_GEOGRAPHY),
        (
            f"{TOML}[places.policies]\n'' = {{ file = 'a.csv', site = 'park' }}\n",
            "policies\\] has the key ''",
        ),
        ('[table]\nfile = "' + "a" * 5000 + '.csv"\n', "There is no file aaa"),
    ],
)
def test_every_key_and_value_is_typed(folder, text, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        read_study(written(folder, text))
    assert str(refused.value).count("\n") == 0
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_study_file_may_be_written_as_windows_does(folder, encoding):
    path = folder / "mine.toml"
    path.write_bytes(TOML.replace("\n", "\r\n").encode(encoding))
    assert read_study(path).table.kind == "counts"
    path.write_bytes(f'title = "Ñ"\n{TOML}'.encode("cp1252"))
    with pytest.raises(InputError, match=r"mine\.toml is not UTF-8 text, as TOML must be; save it as UTF-8"):
        read_study(path)


def test_marks_are_ones_and_zeros_of_the_same_cells(folder):
    rows = [(county, sector) for county in ("North", "East", "South", "West") for sector in ("a", "b")]
    lines = [
        "county,sector,lq,bold",
        *(f"{county},{sector},1.5,{sector == 'a':d}" for county, sector in rows),
    ]
    (folder / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    text = TOML.replace('"counts"', '"quotients"\nsector = "sector"\nvalue = "lq"\nmarks = "bold"')
    marks = read_study(written(folder, text)).marks
    assert marks.loc["North"].to_dict() == {"a": True, "b": False}
    (folder / "table.csv").write_text("\n".join(lines).replace("1.5,1", "1.5,7"), encoding="utf-8")
    with pytest.raises(InputError, match="the marks in the column 'bold' must be 1"):
        read_study(written(folder, text))


def test_sites_may_be_called_as_their_regions_are(placed):
    text = PLACES.replace('site = "park"', 'site = "region"')
    text = text.replace('specializations = "named.csv"\n', "")
    assert read_study(written(placed, TOML + text)).context.sites["site"].tolist() == ["South", "North"]


def test_a_base_of_another_kind_is_said_in_the_file(folder):
    (folder / "base.csv").write_text("county,total\nNorth,2\nEast,2\nSouth,2\nWest,2\n", encoding="utf-8")
    with_base = TOML.replace("[geography]", 'base = "base.csv"\n[geography]')
    with pytest.raises(InputError, match="contained = false"):
        table_quotients(read_study(written(folder, with_base)).table)
    loose = read_study(written(folder, with_base.replace("[geography]", "contained = false\n[geography]")))
    assert table_quotients(loose.table).loc["North", "steel"] > 1


def test_too_few_regions_are_refused(folder):
    (folder / "table.csv").write_text(
        "county,steel,software\nNorth,3,1\nEast,1,2\nSouth,1,4\n", encoding="utf-8"
    )
    (folder / "pairs.csv").write_text("a,b\nNorth,East\nEast,South\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"at least 4 regions; the table has 3 \(North, East, South\)"):
        read_study(written(folder, TOML))


def test_parts_that_do_not_fit_are_refused(study):
    with pytest.raises(RegionError, match="the expert placement lacks Akmola"):
        replace(study, placement=study.placement.drop("Akmola"))
    with pytest.raises(RegionError, match="the boundaries file lacks Akmola"):
        replace(study, boundaries=study.boundaries.drop("Akmola"))
    with pytest.raises(InputError, match="list of sectors lacks research"):
        replace(study, sectors=study.sectors.drop("research"))


def test_own_boundaries_take_the_place_of_the_bundled_ones(folder, study):
    study.boundaries.reset_index().to_file(folder / "map.gpkg", driver="GPKG")
    (folder / "lq.csv").write_text(study.table.values.to_csv(), encoding="utf-8")
    own = read_study(
        written(
            folder,
            '[table]\nfile = "lq.csv"\nkind = "quotients"\n'
            '[geography]\nboundaries = "map.gpkg"\nid = "region"\ngraph = "queen"\n',
        )
    )
    assert own.graph.adjacency.sort_index().index.equals(study.graph.adjacency.sort_index().index)


def test_volumes_with_codes_on_the_20_regions():
    study = spatialkz.load_study("kazakhstan-gva-2022")
    assert len(study.table.regions) == 20
    assert study.regions.loc["Abai", ["code", "name_kk"]].tolist() == ["ABY", "Абай облысы"]
    assert study.sectors.loc["Education", "code"] == "P"
    assert "GRP" not in study.table.sectors
    assert len(study.graph.adjacency) == 70


def test_a_study_is_built_in_code_as_well(study):
    table = spatialkz.ActivityTable(study.table.values, kind="quotients")
    own = Study("own", table, study.graph)
    assert "role" not in own.sectors  # not known, and not taken for none
    assert own.placement is None
    assert isinstance(own.region_names(), pd.Series)
