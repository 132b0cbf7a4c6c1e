"""Covariates: long and wide tables, what a list says of them, those of a study, and what does not fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError
from spatialkz.regions import check_divisions, region_table
from spatialkz.study import read_study
from spatialkz.tables import covariate_rows, covariate_table

LONG = pd.DataFrame(
    [
        ("a", "staff", "30", "1000"),
        ("a", "people", "1000", ""),
        ("b", "staff", "10", "3000"),
        ("b", "people", "3000", None),
    ],
    columns=["region", "indicator", "value", "base"],
)
ROWS = covariate_rows(LONG, "long.csv")


def test_long_and_wide_tables_say_the_same():
    wide = pd.DataFrame({"region": ["a", "b"], "staff": ["0,03", "0,0025"], "people": [1000, "3000"]})
    found = covariate_table(covariate_rows(wide, "wide.csv", ",")).values
    assert found.loc["a"].to_dict() == {"staff": 0.03, "people": 1000}
    assert covariate_table(ROWS).values["staff"].tolist() == pytest.approx([0.03, 1 / 300])


def test_the_list_chooses_orders_scales_and_explains():
    about = pd.DataFrame(
        {
            "covariate": ["people", "staff"],
            "name_ru": ["Население", ""],
            "per": ["0.001", "10000"],
            "transform": ["log", ""],
            "same_activity": ["", "research; law"],
        }
    )
    found = covariate_table(ROWS, about)
    assert list(found.values) == ["people", "staff"]
    assert found.values.loc["a"].tolist() == pytest.approx([1.0, 300.0])
    assert found.transformed.loc["b"].tolist() == pytest.approx([np.log(3), 10_000 / 300])
    assert found.about["name_ru"].tolist() == ["Население", "staff"]
    assert found.same_activity == [("research", "staff"), ("law", "staff")]
    assert "same activity as research; law" in found.summary()
    assert covariate_table(ROWS, about.iloc[:1]).values.columns.tolist() == ["people"]


@pytest.mark.parametrize(
    ("rows", "about", "told"),
    [
        (ROWS.iloc[[0, 0, 1, 2, 3]], {}, "has staff of a twice"),
        (ROWS.iloc[:3], {}, "no people of b"),
        (ROWS.assign(base=[0, None, 1, None]), {}, "staff of a is 30.0 of 0.0"),
        (ROWS.assign(value=[1, np.nan, 1, 1]), {}, "people of a is nan"),
        (ROWS, {"covariate": ["stuff"]}, "names what no table has: stuff.*perhaps 'stuff' for 'staff'"),
        (ROWS, {"covariate": ["staff", "staff"]}, "has staff twice"),
        (ROWS, {"covariate": ["staff"], "per": ["x"]}, "per of the covariate staff is 'x'"),
        (ROWS, {"covariate": ["staff"], "transform": ["ln"]}, "'ln'; it must be one of none, log, log1p"),
        (ROWS, {"covariate": ["staff"], "colour": ["x"]}, "unknown columns: colour"),
        (ROWS, {"name_en": ["Staff"]}, "lacks the column covariate"),
        (
            ROWS.assign(value=[0, 1, 1, 1]),
            {"covariate": ["staff"], "transform": ["log"]},
            "staff is 0 in a, where log is not defined; its transform can be log1p or none",
        ),
    ],
)
def test_tables_that_do_not_fit_are_told_in_one_sentence(rows, about, told):
    with pytest.raises(InputError, match=told):
        covariate_table(rows, pd.DataFrame(about) if about else None)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (LONG.drop(columns="region"), "x.csv lacks the column region"),
        (LONG[["region"]], "has no covariate"),
        (LONG.assign(value=["30", "many", "1", "1"]), "many"),
    ],
)
def test_files_that_hold_no_covariates_are_refused(frame, told):
    with pytest.raises(InputError, match=told):
        covariate_rows(frame, "x.csv")


def test_the_bundled_covariates_are_sums_of_the_official_figures(study):
    """The 20 regions of 2022 summed to the 17 before, then divided; spending in thousand tenge."""
    official = read_table("innovation_by_region").set_index("region")
    added = read_table("gva_by_region").query("year == 2022").set_index("region")[["C", "P", "GRP"]]
    regions = read_table("regions").set_index("code")
    sums = official.join(added).groupby(regions["unit_2018"]).sum()
    sums = sums.set_axis(regions.loc[sums.index, "name_en_2018"], axis=0).loc[study.table.regions]
    people = sums["population"] / 10_000
    expected = {
        "R&D personnel": sums["personnel"] / people,
        "researchers": sums["researchers"] / people,
        "R&D spending": sums["research_spending"] / 1000 / people,
        "innovating enterprises": 100 * sums["innovating"] / sums["enterprises"],
        "GRP per head": sums["GRP"] / sums["population"],
        "education": 100 * sums["P"] / sums["GRP"],
        "manufacturing": 100 * sums["C"] / sums["GRP"],
        "population": sums["population"] / 1000,
    }
    found = study.covariates
    assert list(found.values)[:8] == list(expected)
    for name, column in expected.items():
        assert found.values[name].to_numpy() == pytest.approx(column.to_numpy(), rel=1e-6)
    assert official["personnel"].sum() == 22_456  # the bulletin's total


def test_counts_of_sites_and_cities_come_from_their_files(study):
    found = study.covariates.values
    zones = read_table("kazakhstan-2022/sez").drop_duplicates(["sez", "region"])["region"].value_counts()
    parks = read_table("kazakhstan-2022/technoparks").drop_duplicates(["technopark", "region"])
    assert found["special economic zone"].to_dict() == zones.reindex(found.index, fill_value=0).to_dict()
    assert found["technopark"].sum() == len(parks)
    assert set(found.index[found["city"] == 1]) == {"Nur-Sultan", "Almaty City", "Shymkent"}


def test_what_measures_the_same_activity_is_marked(study):
    marked = pd.DataFrame(study.covariates.same_activity, columns=["sector", "covariate"])
    assert set(marked.loc[marked["sector"] == "research", "covariate"]) == {
        "R&D personnel",
        "researchers",
        "R&D spending",
    }
    industries = study.table.groups.index[study.table.groups == "industry"]
    assert set(marked.loc[marked["covariate"] == "manufacturing", "sector"]) == set(industries)


def test_policies_of_a_study_say_who_is_named_for_what(study):
    named = study.policies
    assert list(named) == ["special economic zone", "technopark"]
    cells = named["special economic zone"]
    assert cells.shape == study.table.values.shape
    assert set(cells.columns[cells.loc["Pavlodar"]]) == {"chemical"}
    bare = replace(study, context=replace(study.context, sites=study.context.sites.iloc[:0]))
    assert bare.policies == {}
    assert (bare.covariates.values["technopark"] == 0).all()


OWN = (
    '[table]\nfile = "t.csv"\n[regions]\ndivision = "kazakhstan-2018"\n[geography]\ngraph = "queen"\n'
    '[covariates]\nfile = "c.csv"\n'
)


@pytest.fixture
def own(tmp_path):
    """A study of the 17 regions with a table of covariates of one's own."""

    def read(covariates, listed=None):
        names = region_table(2018)["name_en"]
        table = pd.DataFrame({"region": names, "steel": range(1, 18), "law": range(17, 0, -1)})
        table.to_csv(tmp_path / "t.csv", index=False)
        covariates.to_csv(tmp_path / "c.csv", index=False)
        text = OWN
        if listed is not None:
            listed.to_csv(tmp_path / "l.csv", index=False)
            text += 'list = "l.csv"\n'
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return read_study(tmp_path / "study.toml")

    return read


def test_a_study_takes_covariates_by_any_name_of_its_regions(own):
    given = pd.DataFrame({"region": region_table(2018)["name_ru"], "staff": np.arange(17) / 2})
    study = own(given.sample(frac=1, random_state=1))
    assert study.covariates.values["staff"].tolist() == (np.arange(17) / 2).tolist()
    assert study.covariates.values.index.tolist() == study.table.regions.tolist()
    assert [path.name for path in study.inputs if path.name in ("c.csv", "l.csv")] == ["c.csv"]


def test_covariates_of_another_division_are_refused_by_name(own):
    today = pd.DataFrame({"region": region_table(2022)["name_en"], "staff": range(20)})
    with pytest.raises(
        RegionError, match=r"c.csv: Abai \(ABY\), .* are regions since 2022, and this is the division of 2018"
    ):
        own(today)
    same = pd.DataFrame({"region": region_table(2018)["name_en"], "staff": range(17)})
    listed = pd.DataFrame({"covariate": ["staff"], "division": ["kazakhstan-2022"]})
    with pytest.raises(
        RegionError, match="staff is of the division kazakhstan-2022, the table of kazakhstan-2018"
    ):
        own(same, listed)
    with pytest.raises(RegionError, match="table of covariates lacks Zhambyl"):
        own(same[same["region"] != "Zhambyl"])
    wrong = pd.DataFrame({"covariate": ["staff"], "same_activity": ["laws"]})
    with pytest.raises(InputError, match="in same_activity: laws; perhaps 'laws' for 'law'"):
        own(same, wrong)


def test_tables_of_two_divisions_are_told_apart():
    old, new = (pd.Index(region_table(vintage)["name_en"]) for vintage in (2018, 2022))
    with pytest.raises(
        RegionError, match=r"covariates is of the division of 2022, quotients of that of 2018.*Abai"
    ):
        check_divisions(new, old, "covariates", "quotients")
    with pytest.raises(RegionError, match=r"^covariates lacks Zhambyl\.$"):
        check_divisions(old.drop("Zhambyl"), old, "covariates", "quotients")
    with pytest.raises(RegionError, match="has Gotham"):
        check_divisions(pd.Index(["a", "Gotham"]), pd.Index(["a", "b"]), "covariates", "quotients")
    check_divisions(old[::-1], old, "covariates", "quotients")
