"""The rule of docs/methods/focal.md: every branch and verdict; more evidence never turns it round."""

from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest

from spatialkz.focal.parts import ColocationPart, PlacePart, ShapePart, SpreadPart
from spatialkz.focal.verdict import UNTESTABLE, Evidence, Verdict, open_part, verdict

YES = ColocationPart("yes", 3.0, 0.001, 0.002, 0.001, 0.9)
NO = ColocationPart("no", 1.0, 0.5, 0.6, 0.4, 0.9)
WEAK = replace(NO, verdict="open", power=0.5)
BY_DEGREES = replace(NO, verdict="open", p_ranks=0.01)
EXPLAINED = replace(YES, verdict="open", p_sizes=0.3, sizes="explains")
HIDDEN = replace(NO, verdict="open", p_sizes=0.01, sizes="hides")
FEW = SpreadPart("few", 5, 9.6, 0.001, np.nan, (2, 2), 4)
SHARED = replace(FEW, verdict="not shown", p_value=0.3)
MANY = replace(SHARED, held=(5, 7))
SPIKES = ShapePart("spikes", 0.9, 0.02, 0.4, 0.2)
GRADIENT = ShapePart("gradient", 0.1, 0.02, 0.4, 0.2)
UNSEEN = ShapePart("open", 0.6, 0.1, 0.4, 0.4)
MISFIT = ShapePart("open", 0.9, 0.02, 0.01, 0.3)
OPEN = PlacePart("open", 0.0, 0.5, 0.5, 0.5, 0.9, -0.5, 0.9, 0.8, 0.5)
ADJOINING = replace(OPEN, verdict="adjoining", p_value=0.01)
APART = replace(OPEN, verdict="apart", rho_upper=0.3)
ALTERNATE = replace(APART, p_negative=0.01)
NOT_BY_MAP = replace(OPEN, contiguous=0.1)
SECTORS = replace(OPEN, p_sectors=0.01)
BLIND = replace(OPEN, power_sectors=0.5)


@pytest.mark.parametrize(
    ("parts", "wanted", "why"),
    [
        ((YES, FEW, SPIKES, OPEN), "focal", "co-located in few regions that stand out from all others"),
        ((YES, SHARED, SPIKES, APART), "focal", "co-located in few regions that stand out from all others"),
        ((YES, FEW, SPIKES, ADJOINING), "focal", "co-located in few regions that stand out from all others"),
        ((YES, MANY, SPIKES, OPEN), "mixed", "co-located in many regions that stand out from the others"),
        ((YES, MANY, SPIKES, ALTERNATE), "mixed", "co-located in regions that alternate with others"),
        ((YES, MANY, GRADIENT, ALTERNATE), "mixed", "co-located in regions that alternate with others"),
        ((YES, MANY, SPIKES, ADJOINING), "belt", "co-located and contiguous"),
        ((YES, SHARED, UNSEEN, ADJOINING), "belt", "co-located and contiguous"),
        ((YES, MANY, GRADIENT, ADJOINING), "belt", "co-located and contiguous"),
        ((YES, MANY, GRADIENT, OPEN), "belt", "co-located by degrees, as in a belt"),
        ((YES, MANY, GRADIENT, APART), "mixed", "co-located by degrees that do not follow the map"),
        ((YES, MANY, GRADIENT, NOT_BY_MAP), "mixed", "co-located by degrees that do not follow the map"),
        ((YES, FEW, UNSEEN, OPEN), "undecided", "co-located; whether in a few regions or by degrees is open"),
        (
            (YES, FEW, MISFIT, OPEN),
            "undecided",
            "co-located; the shape that is more probable makes no such table",
        ),
        (
            (EXPLAINED, FEW, SPIKES, APART),
            "undecided",
            "unequal size of the regions explains the co-location",
        ),
        ((HIDDEN, FEW, SPIKES, OPEN), "undecided", "unequal size of the regions hides the co-location"),
        (
            (BY_DEGREES, SHARED, SPIKES, OPEN),
            "undecided",
            "sectors co-locate by degrees, yet not in their specializations",
        ),
        ((WEAK, SHARED, SPIKES, SECTORS), "undecided", "no co-location found, but the test has low power"),
        ((NO, SHARED, UNSEEN, SECTORS), "sector belts", "not co-located; each sector contiguous for itself"),
        ((NO, SHARED, UNSEEN, ADJOINING), "mixed", "contiguous without co-location"),
        (
            (NO, SHARED, SPIKES, OPEN),
            "dispersed",
            "neither co-located nor contiguous, and both tests have high power",
        ),
        (
            (NO, SHARED, UNSEEN, BLIND),
            "undecided",
            "not co-located; whether each sector is contiguous for itself is open",
        ),
    ],
)
def test_every_step_of_the_rule(parts, wanted, why):
    assert verdict(Evidence(*parts)) == (wanted, why)


def test_the_level_is_an_argument():
    at = Evidence(NO, SHARED, UNSEEN, replace(OPEN, p_sectors=0.05))
    assert verdict(at)[0] == "sector belts"
    assert verdict(at, alpha=0.04)[0] == "dispersed"


GRID = [
    Evidence(*parts)
    for parts in product(
        (YES, NO, WEAK, BY_DEGREES, EXPLAINED, HIDDEN),
        (FEW, SHARED, MANY),
        (SPIKES, GRADIENT, UNSEEN, MISFIT),
        (OPEN, ADJOINING, APART, ALTERNATE, NOT_BY_MAP, SECTORS, BLIND),
    )
]


def test_every_verdict_can_be_reached_and_no_other():
    assert {verdict(evidence)[0] for evidence in GRID} == set(get_args(Verdict))
    reasons = {verdict(evidence)[1] for evidence in GRID}
    assert len(reasons) == 16
    assert UNTESTABLE not in reasons


def test_what_is_open_is_named():
    parts = {open_part(*verdict(evidence), evidence.place) for evidence in GRID}
    assert parts == {None, "colocation", "sectors", "shape", "place"}
    for evidence in GRID:
        reached = verdict(evidence)
        if reached[0] in ("belt", "sector belts", "dispersed", "mixed"):
            assert open_part(*reached, evidence.place) is None
        if reached[0] == "focal":
            assert (open_part(*reached, evidence.place) == "place") == (evidence.place.verdict == "open")


def test_a_focal_verdict_needs_colocation_under_every_null_spikes_and_few_regions():
    for evidence in GRID:
        if verdict(evidence)[0] == "focal":
            assert evidence.colocation.p_value <= 0.05
            assert evidence.colocation.p_sizes <= 0.05
            assert evidence.shape.spikes >= 0.8
            assert evidence.spread.held[0] <= evidence.spread.few


def test_place_never_makes_or_takes_a_focal_verdict():
    for evidence in GRID:
        if verdict(evidence)[0] == "focal":
            for place in (OPEN, ADJOINING, APART, NOT_BY_MAP, SECTORS, BLIND):
                assert verdict(replace(evidence, place=place))[0] == "focal"
