import pandas as pd
import pytest

from spatialkz.errors import InputError
from spatialkz.specialization import audit_quotients, check_claims
from spatialkz.tables import ActivityTable


@pytest.fixture(scope="module")
def audit(study):
    return audit_quotients(study.table.values, study.table.groups)


def test_the_claims_of_the_paper(study, audit):
    found = check_claims(study.claims, study.table, audit, marks=study.marks)["verdict"].to_dict()
    assert found == {
        "formula-1": "contradicted",
        "five-and-five-sectors": "contradicted",
        "bold-marks": "contradicted",
        "research-in-two-cities": "possible",
        "engineering-in-karaganda": "possible",
        "engineering-in-pavlodar": "possible",
        "research-below-east-kazakhstan": "supported",
        "poor-research-base": "contradicted",
        "business-services-of-both-cities": "contradicted",
    }


def test_every_quote_is_told_with_its_numbers(study, audit):
    found = check_claims(study.claims, study.table, audit, marks=study.marks)
    assert "Nur-Sultan × electronics (2.1)" in found.loc["bold-marks", "found"]
    assert "51.9% to 79.4%" in found.loc["research-in-two-cities", "found"]
    assert "6 in industry, 5 in services" in found.loc["five-and-five-sectors", "found"]
    assert "12.79" in found.loc["formula-1", "found"]


@pytest.fixture
def small():
    values = pd.DataFrame({"x": [2.0, 0.5], "y": [0.998, 1.001]}, index=["a", "b"])
    table = ActivityTable(values, kind="quotients", rounding=0.005)
    return table, audit_quotients(values, rounding=0.005)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ({"kind": "sector_share", "sector": "x", "regions": ["a"], "between": [0.6, 0.7]}, "supported"),
        ({"kind": "sector_share", "sector": "x", "regions": ["a"], "between": [0.665, 0.667]}, "possible"),
        ({"kind": "sector_share", "sector": "x", "regions": ["a"], "between": [0.8, 1.0]}, "contradicted"),
        ({"kind": "specialized", "sector": "x", "regions": ["a"]}, "supported"),
        ({"kind": "specialized", "sector": "y", "regions": ["a", "b"]}, "possible"),
        ({"kind": "not_specialized", "sector": "y", "regions": ["b"]}, "possible"),
        ({"kind": "not_specialized", "sector": "x", "regions": ["a", "b"]}, "contradicted"),
        ({"kind": "lower_quotient", "sector": "x", "regions": ["b"], "than": "a"}, "supported"),
        ({"kind": "lower_quotient", "sector": "y", "regions": ["b"], "than": "a"}, "possible"),
        ({"kind": "lower_quotient", "sector": "x", "regions": ["a"], "than": "b"}, "contradicted"),
        ({"kind": "sector_counts", "counts": {"all": 2}}, "supported"),
        ({"kind": "product_formula"}, "contradicted"),
    ],
)
def test_verdicts(small, claim, verdict):
    found = check_claims([{"name": "c", **claim}], *small)
    assert found.loc["c", "verdict"] == verdict


def test_a_share_in_a_table_that_cannot_be_is_undecided():
    values = pd.DataFrame({"x": [0.5, 0.8], "y": [1.0, 1.0]}, index=["a", "b"])
    claim = {"name": "c", "kind": "sector_share", "sector": "x", "regions": ["a"], "between": [0.5, 1.0]}
    found = check_claims([claim], ActivityTable(values, kind="quotients"), audit_quotients(values))
    assert found.loc["c", "verdict"] == "undecided"


def test_marks_within_rounding_are_possible_and_right_ones_supported(small):
    table, audit = small
    right = table.values >= 1
    claim = [{"name": "bold", "kind": "marks"}]
    assert check_claims(claim, table, audit, marks=right).loc["bold", "verdict"] == "supported"
    near = right.copy()
    near.loc["a", "y"] = True  # printed 0.998, which can stand for 1.003
    assert check_claims(claim, table, audit, marks=near).loc["bold", "verdict"] == "possible"
    wrong = right.copy()
    wrong.loc["a", "x"] = False
    assert check_claims(claim, table, audit, marks=wrong).loc["bold", "verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ({"name": "c", "kind": "opinion"}, "of kind 'opinion'; known are product_formula"),
        ({"name": "c", "kind": "sector_share", "sector": "x", "regions": ["a"]}, "needs 'between'"),
        ({"name": "c", "kind": "specialized", "sector": "gold", "regions": ["a"]}, "names 'gold'"),
        ({"name": "c", "kind": "specialized", "sector": "x", "regions": ["z"]}, "names z"),
        ({"name": "c", "kind": "marks"}, "there are none"),
    ],
)
def test_bad_claims_are_refused(small, claim, sentence):
    with pytest.raises(InputError, match=sentence):
        check_claims([claim], *small)
