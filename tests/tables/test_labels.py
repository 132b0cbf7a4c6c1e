from spatialkz.tables.labels import lost_zeros


def test_codes_that_lost_zeros_or_gained_decimals_are_named():
    zeros = "leading zeros were lost, so keep the column as text"
    number = "a code was read as a number, so keep the column as text"
    assert lost_zeros(["1", "10"], ["01", "10x"], what="the map", against="the list") == [
        f"the map writes 1 where the list writes 01: {zeros}"
    ]
    assert lost_zeros([1.0, 2.0], [1, 2]) == [f"it writes 1.0 where the table writes 1: {number}"]
    assert lost_zeros(["1.0"], ["01"]) == [f"it writes 1.0 where the table writes 01: {number}"]
    assert lost_zeros(["1", "12.0"], ["001", "12"]) == [
        f"it writes 1 where the table writes 001: {zeros}",
        f"it writes 12.0 where the table writes 12: {number}",
    ]
    assert lost_zeros(["0"], ["00"]) == [f"it writes 0 where the table writes 00: {zeros}"]


def test_other_labels_are_not_taken_for_codes():
    assert lost_zeros(["A1", "1.5", "10", ""], ["A01", "1.50", "1", "0"]) == []
    assert lost_zeros([], ["01"]) == []
