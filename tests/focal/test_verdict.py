"""The rule of docs/methods/focal.md: every branch and verdict; more evidence never turns it round."""

from itertools import product
from typing import get_args

import pytest

from spatialkz.focal.verdict import UNTESTABLE, Evidence, Verdict, verdict

HUBS = {"focal": 0.9, "belt": 0.09, "dispersed": 0.01}
BELT = {"focal": 0.1, "belt": 0.85, "dispersed": 0.05}
CHANCE = {"focal": 0.05, "belt": 0.1, "dispersed": 0.85}
OPEN = {"focal": 0.55, "belt": 0.44, "dispersed": 0.01}
PILED, SPREAD = {"colocation": 0.001}, {"colocation": 0.4}
BESIDE = {"contiguity": 0.01, "contiguity_sign": 0.3}
APART = {"contiguity": 0.5, "contiguity_sign": 0.1}


def decide(**evidence):
    return verdict(Evidence(**{"colocation_sized": None, **evidence}))


@pytest.mark.parametrize(
    ("evidence", "wanted", "why"),
    [
        (PILED | BESIDE, "belt", "co-located and contiguous"),
        (PILED | BESIDE | {"posterior": BELT}, "belt", "co-located and contiguous"),
        (
            PILED | BESIDE | {"posterior": HUBS},
            "mixed",
            "co-located and contiguous, yet the models favor hubs",
        ),
        (
            PILED | APART | {"contiguity_power": 0.8},
            "focal",
            "co-located, and a test of high power finds no contiguity",
        ),
        (PILED | APART | {"posterior": HUBS, "fit": 0.3}, "focal", "co-located; the models favor hubs"),
        (PILED | APART | {"posterior": BELT, "fit": 0.3}, "belt", "co-located; the models favor a belt"),
        (
            PILED | APART | {"posterior": BELT, "contiguity_power": 0.9},
            "belt",
            "co-located; the models favor a belt",
        ),
        (
            PILED | APART | {"contiguity_power": 0.79},
            "undecided",
            "co-located; the data cannot tell a belt from separate foci",
        ),
        (
            PILED | APART | {"posterior": OPEN, "fit": 0.3},
            "undecided",
            "co-located; the data cannot tell a belt from separate foci",
        ),
        (
            PILED | APART | {"posterior": HUBS, "fit": 0.05},
            "undecided",
            "co-located; the data cannot tell a belt from separate foci",
        ),
        (SPREAD | BESIDE, "mixed", "contiguous without co-location"),
        (SPREAD | BESIDE | {"posterior": HUBS}, "mixed", "contiguous without co-location"),
        (SPREAD | BESIDE | {"posterior": BELT}, "belt", "contiguous; the models favor a belt"),
        (
            SPREAD | APART | {"colocation_power": 0.8},
            "dispersed",
            "a test of high power finds no co-location",
        ),
        (SPREAD | APART | {"posterior": CHANCE}, "dispersed", "not co-located; the models favor dispersion"),
        (
            SPREAD | APART | {"posterior": CHANCE, "fit": 0.01},
            "undecided",
            "no co-location found, but the test has low power",
        ),
        (
            SPREAD | APART | {"posterior": HUBS, "colocation_power": 0.7},
            "undecided",
            "no co-location found, but the test has low power",
        ),
        (
            PILED | {"colocation_sized": 0.2} | BESIDE,
            "undecided",
            "unequal size of the regions explains the co-location",
        ),
        (
            SPREAD | {"colocation_sized": 0.01} | APART,
            "undecided",
            "unequal size of the regions hides the co-location",
        ),
        (PILED | {"colocation_sized": 0.01} | BESIDE, "belt", "co-located and contiguous"),
        (SPREAD | {"colocation_sized": 0.3} | BESIDE, "mixed", "contiguous without co-location"),
    ],
)
def test_every_step_of_the_rule(evidence, wanted, why):
    assert decide(**evidence) == (wanted, why)


def test_scatter_is_not_contiguity():
    scattered = {"contiguity": 0.01, "contiguity_sign": -0.3, "contiguity_power": 0.9}
    assert decide(**PILED, **scattered)[0] == "focal"
    assert decide(**SPREAD, **scattered, colocation_power=0.9)[0] == "dispersed"


def test_p_at_the_level_rejects_and_the_level_is_an_argument():
    at = Evidence(colocation=0.05, colocation_sized=None, contiguity=0.05, contiguity_sign=0.1)
    assert verdict(at)[0] == "belt"
    assert verdict(at, alpha=0.04)[0] == "undecided"


GRID = [
    {
        "colocation": colocation,
        "colocation_sized": sized,
        "contiguity": contiguity,
        "contiguity_sign": sign,
        "contiguity_power": power,
        "colocation_power": reach,
        "posterior": posterior,
        "fit": fit,
    }
    for colocation, sized, contiguity, sign, power, reach, posterior, fit in product(
        (0.01, 0.5),
        (None, 0.01, 0.5),
        (0.01, 0.5),
        (0.2, -0.2),
        (None, 0.5, 0.9),
        (None, 0.5, 0.9),
        (None, HUBS, BELT, CHANCE, OPEN),
        (None, 0.01, 0.5),
    )
]


def test_every_verdict_can_be_reached_and_no_other():
    found = {decide(**evidence)[0] for evidence in GRID}
    assert found == set(get_args(Verdict))
    reasons = {decide(**evidence)[1] for evidence in GRID}
    assert len(reasons) == 13
    assert UNTESTABLE not in reasons


@pytest.mark.parametrize(
    ("change", "never_from", "never_to"),
    [
        # A stronger test of contiguity that still sees none can only speak for foci.
        ({"contiguity_power": 0.95}, "focal", {"belt", "dispersed", "mixed", "undecided"}),
        # Models that favor hubs never take away a focal verdict, nor make a belt of one.
        ({"posterior": HUBS, "fit": 0.5}, "focal", {"belt", "dispersed", "mixed", "undecided"}),
        ({"posterior": BELT, "fit": 0.5}, "belt", {"focal", "dispersed", "mixed", "undecided"}),
        ({"posterior": CHANCE, "fit": 0.5}, "dispersed", {"focal", "belt", "mixed", "undecided"}),
        # A stronger co-location test that still rejects nothing can only speak for dispersion.
        ({"colocation_power": 0.95}, "dispersed", {"focal", "belt", "mixed", "undecided"}),
    ],
)
def test_more_evidence_of_one_kind_never_turns_its_verdict_round(change, never_from, never_to):
    for evidence in GRID:
        if decide(**evidence)[0] == never_from:
            assert decide(**{**evidence, **change})[0] not in never_to


def test_a_focal_verdict_needs_colocation_under_every_null():
    for evidence in GRID:
        if decide(**evidence)[0] == "focal":
            assert evidence["colocation"] <= 0.05
            assert evidence["colocation_sized"] is None or evidence["colocation_sized"] <= 0.05
            assert not (evidence["contiguity"] <= 0.05 and evidence["contiguity_sign"] > 0)
