from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from libpysal.graph import Graph

from spatialkz.candidates.evidence.stars_and_formation import formation, region_formation
from spatialkz.errors import InputError, RegionError
from spatialkz.specialization import proximity


def line(labels):
    pairs = list(pairwise(labels))
    both = pairs + [(b, a) for a, b in pairs]
    return Graph.from_adjacency(pd.DataFrame(both, columns=["focal", "neighbor"]).assign(weight=1))


# a – b – c – d – e in a line; chips and code go together in a and b, law stands alone in e.
LQ = pd.DataFrame(
    {
        "chips": [2.0, 3.0, 0.0, 0.0, 0.0],
        "code": [1.5, 1.0, 0.0, 1.2, 0.0],
        "law": [0.0, 0.0, 0.5, 0.0, 4.0],
    },
    index=list("abcde"),
)


def test_paths_by_hand():
    found = formation(LQ, line(list("abcde")))
    assert list(found.index) == [
        ("a", "chips"),
        ("a", "code"),
        ("b", "chips"),
        ("b", "code"),
        ("d", "code"),
        ("e", "law"),
    ]
    assert found["path"].tolist() == ["linked"] * 4 + ["spin-off"] * 2
    # Without a: chips in b, code in b and d, together in b: 1 / max(1, 2).
    row = found.loc[("a", "chips")]
    assert (row["home_proximity"], row["home_sector"], row["link"]) == (0.5, "code", "both")
    assert (row["near_proximity"], row["near_sector"], row["near_region"]) == (1, "chips", "b")
    # d's neighbors c and e have neither chips nor code; law is related to nothing.
    row = found.loc[("d", "code")]
    assert (row["home_proximity"], row["home_sector"], row["link"]) == (0, "", "")
    assert (row["near_proximity"], row["near_sector"], row["near_region"]) == (0, "", "")
    assert found["leading"].tolist() == [True, False, True, False, True, True]


def test_two_sectors_together_only_here_are_no_evidence_of_being_related():
    alone = pd.DataFrame({"chips": [2.0, 0, 0], "code": [2.0, 0, 0]}, index=list("abc"))
    found = formation(alone, line(list("abc")))
    assert found["path"].tolist() == ["spin-off", "spin-off"]
    # A larger economy may know better.
    phi = pd.DataFrame([[1, 0.6], [0.6, 1]], index=["chips", "code"], columns=["chips", "code"])
    assert formation(alone, line(list("abc")), phi)["link"].tolist() == ["region", "region"]
    assert formation(alone, line(list("abc")), phi, related=0.7)["path"].tolist() == ["spin-off"] * 2


def test_proximities_elsewhere_are_those_of_the_table_without_the_region(study, quotients):
    found = formation(quotients, study.graph)
    for (region, sector), row in found.iterrows():
        others = quotients.drop(region)
        kept = others.columns[(others >= 1).any()]
        mine = [k for k in quotients if k != sector and quotients.loc[region, k] >= 1 and k in kept]
        phi = proximity(others[kept])
        best = max((phi.loc[sector, k] for k in mine), default=0) if sector in kept else 0
        assert row["home_proximity"] == pytest.approx(best)


def test_the_same_in_any_order(study, quotients, shuffled):
    found = formation(quotients, study.graph)
    other = formation(shuffled(quotients).sample(frac=1, axis=1, random_state=3), study.graph)
    columns = ["lq", "path", "link", "home_proximity", "near_proximity"]
    pd.testing.assert_frame_equal(other.loc[found.index, columns], found[columns])


def test_bundled_study(study, quotients):
    cells = formation(quotients, study.graph)
    assert len(cells) == 41
    summary = region_formation(cells, quotients.index)
    assert summary["candidates"].to_dict() == (quotients >= 1).sum(axis=1).to_dict()
    assert set(summary.index[summary["formation"] == "none"]) == {"Karaganda", "Pavlodar"}
    # Chemicals alone in Zhambyl, and in none of its neighbors.
    assert summary.loc["Zhambyl"].tolist() == ["spin-off", 1, 0, "chemical", "spin-off"]
    assert summary.loc["Turkestan", "formation"] == "linked"
    assert cells.loc[("Turkestan", "electrical"), "near_region"] == "Shymkent"


def test_a_higher_cut_never_links_more(study, quotients):
    linked = [
        set(cells.index[cells["path"] == "linked"])
        for cut in (0.2, 0.5, 0.8, 1.0)
        for cells in [formation(quotients, study.graph, related=cut)]
    ]
    assert all(later <= earlier for earlier, later in pairwise(linked))


def test_no_candidates_at_all():
    cells = formation(LQ, line(list("abcde")), threshold=10)
    assert len(cells) == 0
    assert region_formation(cells, LQ.index)["formation"].tolist() == ["none"] * 5


def test_bad_input_is_refused(study, quotients):
    with pytest.raises(InputError, match="related is 0"):
        formation(quotients, study.graph, related=0)
    with pytest.raises(InputError, match="threshold is nan"):
        formation(quotients, study.graph, threshold=np.nan)
    with pytest.raises(RegionError, match="the graph"):
        formation(quotients.drop("Shymkent"), study.graph)
    with pytest.raises(InputError, match="at most 1"):
        formation(quotients, study.graph, proximity(quotients) * 100)
    with pytest.raises(InputError, match="differ in research"):
        formation(quotients, study.graph, proximity(quotients.drop(columns="research")))
