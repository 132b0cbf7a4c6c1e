"""From one division to another: sums add up, ratios are made anew, nothing is divided without a weight."""

import numpy as np
import pandas as pd
import pytest

from spatialkz.datasets import read_table
from spatialkz.errors import InputError, RegionError
from spatialkz.regions import (
    aggregate_frame,
    aggregate_regions,
    aggregate_table,
    change_division,
    division_crosswalk,
    read_crosswalk,
    region_table,
)
from spatialkz.specialization import location_quotient
from spatialkz.tables import ActivityTable, read_frame


@pytest.fixture(scope="module")
def jobs():
    """Researchers and enterprises of the 20 regions of 2022."""
    return (
        read_table("innovation_by_region").set_index("region")[["researchers", "enterprises"]].astype(float)
    )


def test_sums_add_up_to_those_of_the_old_regions(jobs):
    found = aggregate_regions(jobs, 2018)
    assert found.index.tolist() == list(division_crosswalk()["2018"].unique())
    assert set(found.index) == set(region_table(2018).index)
    # By hand: 691 + 798, 980 + 2, 179 + 305 researchers.
    assert found["researchers"][["VKO", "KRG", "ALM"]].tolist() == [1489, 982, 484]
    assert found.sum().tolist() == jobs.sum().tolist()
    oldest = aggregate_regions(found, 1999)
    assert oldest.at["YKO", "researchers"] == 204 + 589
    pd.testing.assert_frame_equal(oldest, aggregate_regions(jobs, 1999))


@pytest.mark.parametrize("style", ["name_en", "name_ru", "name_kk"])
def test_regions_come_back_as_they_were_written(jobs, style):
    names = region_table(2022)[style]
    found = aggregate_regions(jobs.set_axis(names[jobs.index], axis=0), 2018)
    assert set(found.index) == set(region_table(2018)[style])


def test_ratios_are_made_anew_from_their_sums(jobs):
    ratio = (jobs["researchers"] / jobs["enterprises"]).to_frame("ratio")
    found = aggregate_regions(ratio, 2018, base=jobs["enterprises"])
    sums = aggregate_regions(jobs, 2018)
    np.testing.assert_allclose(found["ratio"], sums["researchers"] / sums["enterprises"], rtol=1e-12)
    assert found.at["VKO", "ratio"] != pytest.approx(ratio.loc[["VKO", "ABY"], "ratio"].mean(), rel=0.01)


def test_published_quotients_are_made_anew_from_bases_or_refused(jobs):
    crosswalk, base = division_crosswalk(), jobs.sum(axis=1)
    quotients = location_quotient(jobs)
    table = ActivityTable(quotients, kind="quotients", base=base, rounding=0.005)
    found = aggregate_table(table, crosswalk, "2022", "2018")
    wanted = location_quotient(aggregate_regions(jobs, 2018))
    pd.testing.assert_frame_equal(found.values, wanted, check_names=False)
    assert found.rounding == 0.005
    with pytest.raises(InputError, match="cannot be added up, and without the base"):
        aggregate_table(ActivityTable(quotients, kind="quotients"), crosswalk, "2022", "2018")


def test_suppressed_cells_keep_their_interval(jobs):
    low, high = jobs.copy(), jobs.copy()
    low.loc["ABY", "researchers"], high.loc["ABY", "researchers"] = 700, 900
    table = ActivityTable(jobs, kind="counts", low=low, high=high, base=jobs.sum(axis=1), rounding=0.5)
    found = aggregate_table(table, division_crosswalk(), "2022", "2018")
    assert found.low.at["VKO", "researchers"], found.high.at["VKO", "researchers"] == (691 + 700, 691 + 900)
    assert found.rounding == 1.0  # two cells at most are added
    walk = division_crosswalk().assign(weight=1.0)
    coarse = ActivityTable(aggregate_regions(jobs, 2018), kind="counts")
    with pytest.raises(InputError, match="are no counts any more"):
        aggregate_table(coarse, walk, "2018", "2022", weight="weight")


def test_finer_needs_a_weight_and_takes_its_shares(jobs):
    coarse = aggregate_regions(jobs, 2018)
    with pytest.raises(
        InputError, match=r"2018 to 2022 units are divided \(ALM into ALM, ZHT; KRG into KRG, ULT; VKO"
    ):
        aggregate_regions(coarse, 2022, before=2018)
    walk = division_crosswalk().assign(weight=jobs["enterprises"])
    finer = aggregate_regions(coarse, 2022, before=2018, crosswalk=walk, weight="weight")
    np.testing.assert_allclose(finer["enterprises"], jobs["enterprises"][finer.index])  # its own shares
    share = 593 / (593 + 1292)
    assert finer.at["ABY", "researchers"] == pytest.approx(1489 * share)
    with pytest.raises(InputError, match="weight weight of VKO is 0"):
        aggregate_regions(
            coarse,
            2022,
            before=2018,
            crosswalk=walk.assign(weight=np.where(walk["2018"] == "VKO", 0, 1)),
            weight="weight",
        )


def test_a_part_of_a_region_is_not_taken_for_it(jobs):
    with pytest.raises(RegionError, match="KRG lacks ULT; VKO lacks ABY"):
        change_division(jobs.drop(index=["ABY", "ULT"]), division_crosswalk(), "2022", "2018")
    some = jobs.drop(index=["ABY", "VKO"])
    assert len(aggregate_regions(some, 2018)) == 16  # wholly absent ones stay absent


def test_any_country_by_a_file_of_the_same_form(tmp_path):
    """Borders that cross: a was cut in two, and its second part joined b."""
    (tmp_path / "cross.csv").write_text("1990,2000,weight\na,A,30\na,B,10\nb,B,5\nc,C,1\n")
    walk = read_crosswalk(tmp_path / "cross.csv")
    values = pd.DataFrame({"jobs": [8.0, 5.0, 2.0]}, index=["a", "b", "c"])
    found = change_division(values, walk, "1990", "2000", weight="weight")
    assert found["jobs"].to_dict() == {"A": 6.0, "B": 2.0 + 5.0, "C": 2.0}
    with pytest.raises(InputError, match=r"\(a into A, B\)"):
        change_division(values, walk, "1990", "2000")
    with pytest.raises(RegionError, match="d are no units of the division 1990"):
        change_division(values.rename(index={"c": "d"}), walk, "1990", "2000")
    with pytest.raises(InputError, match="no division 2010"):
        change_division(values, walk, "1990", "2010")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2000,weight\na,1\n", "has 1 columns of units"),
        ("1990,2000\na,A\nb,\n", "line 3: the unit of the division 2000 is empty"),
        ("1990,2000,weight\na,A,1\nb,B,-2\n", "line 3: weight must be a number of at least 0"),
    ],
)
def test_faulty_crosswalks(tmp_path, text, complaint):
    (tmp_path / "cross.csv").write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_crosswalk(tmp_path / "cross.csv")


def test_a_file_of_many_periods_on_several_divisions(tmp_path):
    path = tmp_path / "long.csv"
    rows = ["year,region,sector,jobs,share"]
    rows += [f"2015,{code},law,2,0.5" for code in region_table(1999).index]
    rows += [f"2020,{code},law,2,0.5" for code in region_table(2018).index]
    rows += [f"2023,{code},law,2,0.5" for code in region_table(2022).index]
    path.write_text("\n".join(rows))
    frame = read_frame(path)
    found = aggregate_frame(frame, 1999, region="region", by=["year"], ratios={"share": "jobs"})
    assert found.columns.tolist() == ["year", "region", "sector", "jobs", "share"]
    sums = found.groupby("year")["jobs"]
    assert sums.sum().tolist() == [32, 34, 40]
    assert sums.size().tolist() == [16, 16, 16]
    assert (found["share"] == 0.5).all()
    with pytest.raises(InputError, match=r"\(year 2015, sector law\): From 1999 to 2018 units are divided"):
        aggregate_frame(frame, 2018, region="region", by=["year"])
    with pytest.raises(InputError, match=r"the column year names periods.*--by year"):
        aggregate_frame(frame, 1999, region="region")


def test_the_neighbors_of_1999_are_those_of_2018_joined():
    joined = read_table("contiguity_2018").replace({"TRK": "YKO", "SHM": "YKO"})
    wanted = {frozenset(pair) for pair in joined.to_numpy() if pair[0] != pair[1]}
    assert {frozenset(pair) for pair in read_table("contiguity_1999").to_numpy()} == wanted
