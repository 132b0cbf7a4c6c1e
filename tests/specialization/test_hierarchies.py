"""Levels that nest, against information added up group by group, and against Theil for one level."""

import numpy as np
import pandas as pd
import pytest

from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import (
    concentration,
    location_quotient,
    nested_concentration,
    quotients_by_level,
    theil_decomposition,
)

DRAW = np.random.default_rng(3)
LABELS = [f"r{k}" for k in range(8)]
SECTORS = [f"{k}" for k in range(10, 19)]
JOBS = pd.DataFrame(DRAW.integers(0, 60, (8, 9)), LABELS, SECTORS)
# Regions in provinces in sides; sectors in sections.
REGIONS = pd.DataFrame({"side": list("WWWWEEEE"), "province": list("aabbccdd")}, LABELS)
SECTIONS = pd.Series(list("AAABBBCCC"), SECTORS, name="section")


def information(table):
    p = table.to_numpy() / table.to_numpy().sum()
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    return (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()


def conditional(table, rows, columns):
    """I(region; sector | unit of the region, unit of the sector), block by block."""
    total = table.to_numpy().sum()
    found = 0.0
    for _, some in table.groupby(rows):
        for _, block in some.T.groupby(columns):
            found += block.to_numpy().sum() / total * information(block.T)
    return found


def test_each_part_is_the_information_between_levels_given_those_above():
    parts = nested_concentration(JOBS, regions=REGIONS, sectors=SECTIONS)
    assert parts.index.tolist() == ["side", "province", "region"]
    assert parts.columns.tolist() == ["section", "sector"]
    provinces = JOBS.groupby(REGIONS["province"]).sum()
    sides = JOBS.groupby(REGIONS["side"]).sum()
    side_of = REGIONS.drop_duplicates("province").set_index("province")["side"]
    by_section = [table.T.groupby(SECTIONS).sum().T for table in (sides, provinces, JOBS)]
    one = pd.Series("all", ["A", "B", "C"])
    wanted = [
        [information(by_section[0]), conditional(sides, pd.Series("all", ["E", "W"]), SECTIONS)],
        [conditional(by_section[1], side_of, one), conditional(provinces, side_of, SECTIONS)],
        [
            conditional(by_section[2], REGIONS["province"], one),
            conditional(JOBS, REGIONS["province"], SECTIONS),
        ],
    ]
    np.testing.assert_allclose(parts, wanted, atol=1e-13)
    assert parts.to_numpy().sum() == pytest.approx(information(JOBS), abs=1e-12)
    assert (parts.to_numpy() > 0).all()


def test_the_whole_is_the_weighted_mean_of_theil_and_the_rows_its_parts():
    parts = nested_concentration(JOBS, regions=REGIONS["province"])
    weights = JOBS.sum() / JOBS.to_numpy().sum()
    theil = concentration(JOBS)["theil_t"]
    assert parts.to_numpy().sum() == pytest.approx((weights * theil).sum(), abs=1e-12)
    split = theil_decomposition(JOBS, REGIONS["province"])[["theil_t_between", "theil_t_within"]]
    np.testing.assert_allclose(parts["sector"], split.mul(weights, axis=0).sum(), atol=1e-12)


def test_quotients_are_made_of_sums_at_each_level():
    found = quotients_by_level(JOBS, regions=REGIONS, sectors=SECTIONS)
    at = found.set_index(["region_level", "sector_level", "region", "sector"])["lq"]
    assert len(at) == (2 + 4 + 8) * (3 + 9)
    wanted = location_quotient(JOBS.groupby(REGIONS["province"]).sum().T.groupby(SECTIONS).sum().T)
    assert at["province", "section", "c", "B"] == pytest.approx(wanted.loc["c", "B"], rel=1e-14)
    assert at["region", "sector", "r3", "12"] == pytest.approx(
        location_quotient(JOBS).loc["r3", "12"], rel=1e-14
    )
    shares = JOBS.groupby(REGIONS["side"]).sum().sum(axis=1) / JOBS.to_numpy().sum()
    # The adding-up identity holds at each level: nothing counts twice.
    for sector in "ABC":
        assert (at["side", "section", :, sector] * shares).sum() == pytest.approx(1)
    people = pd.Series(1000, LABELS)
    based = quotients_by_level(JOBS, regions=REGIONS, base=people, contained=False)
    first = based.query("region_level == 'side' and region == 'W' and sector == '10'")["lq"].item()
    assert first == pytest.approx(2 * JOBS["10"][:4].sum() / JOBS["10"].sum())


def test_levels_that_do_not_nest_or_fit_are_refused():
    crossed = REGIONS.assign(province=list("abababcd"))
    with pytest.raises(
        InputError, match=r"Levels must nest, but province a, b is part of several units of side"
    ):
        quotients_by_level(JOBS, regions=crossed.assign(side=list("WWEEWWEE")))
    with pytest.raises(InputError, match=r"sectors has no unit above for 12"):
        nested_concentration(JOBS, sectors=SECTIONS.mask(SECTIONS.index == "12"))
    with pytest.raises(InputError, match=r"cannot be called 'region'"):
        nested_concentration(JOBS, regions=REGIONS.rename(columns={"province": "region"}))
    with pytest.raises(InputError, match=r"The level side has a single unit"):
        nested_concentration(JOBS, regions=REGIONS.assign(side="all"))
    with pytest.raises(RegionError, match=r"regions lacks r7"):
        nested_concentration(JOBS, regions=REGIONS[:-1])
    with pytest.raises(InputError, match=r"no activity at all"):
        nested_concentration(JOBS * 0)
