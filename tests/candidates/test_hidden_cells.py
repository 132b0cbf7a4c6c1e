"""A study of printed figures with cells hidden, from the table to ranked candidates and all files."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import linkage

import spatialkz
from spatialkz.candidates import rank_candidates
from spatialkz.datasets import study_file
from spatialkz.errors import InputError
from spatialkz.geography import graph_from_pairs
from spatialkz.pipeline import analyse
from spatialkz.specialization import symmetric_quotient, table_quotients
from spatialkz.study import Choices, study_files
from spatialkz.tables import complete_table


@pytest.fixture(scope="module")
def known():
    found = study_files(study_file("kazakhstan-gva-2020"), {"sectors": {"names": None}}).study()
    return replace(found, choices=Choices(permutations=199, resamples=10, draws=300, simulations=600))


def hide(study, cells, **options):
    values = study.table.values.copy()
    for region, sector in cells:
        values.loc[region, sector] = np.nan
    told = {"sector_totals": study.table.values.sum(), "base": study.table.base, **options}
    return replace(study, table=complete_table(values, kind="volumes", **told))


@pytest.fixture(scope="module")
def hidden(known):
    regions = known.table.regions
    cells = [(regions[i], sector) for i in (0, 2, 5) for sector in ("J", "K")]
    return hide(known, cells)


@pytest.fixture(scope="module")
def whole(hidden, run_and_tell, tmp_path_factory):
    """The folder of a run with hidden cells, and what it found."""
    return run_and_tell(hidden, tmp_path_factory.mktemp("hidden") / "results", seed=1)


def test_candidates_carry_intervals_that_hold_the_true_quotient(known, hidden):
    true = table_quotients(known.table)
    found = rank_candidates(hidden, rng=1).candidates.set_index(["region", "sector"])
    truth = true.stack().reindex(found.index)
    assert (found["lq_low"] <= truth + 1e-9).all()
    assert (truth <= found["lq_high"] + 1e-9).all()
    open_cells = hidden.table.hidden.stack().reindex(found.index)
    assert open_cells.any()
    assert (found["lq_low"] < found["lq_high"])[open_cells].all()
    assert (found["lq_low"] == found["lq_high"])[~open_cells].all()
    assert found.loc[~open_cells, "certainty"].eq("sure").all()
    assert found.loc[open_cells, "certainty"].isin(["sure", "likely"]).all()
    for name in ("concentration", "moran_label"):
        sectors = found.index.get_level_values("sector")
        assert found[name].isna().equals(pd.Series(sectors.isin(["J", "K"]), index=found.index)), name


def test_what_is_hidden_widens_the_rank_intervals(known, hidden):
    width = {}
    for name, study in (("known", known), ("hidden", hidden)):
        areas = rank_candidates(study, draws=2000, rng=1).areas.set_index("region")
        width[name] = (areas["rank_high"] - areas["rank_low"])[known.table.regions[[0, 2, 5]]]
    assert width["hidden"].sum() > width["known"].sum()


def test_tests_of_whole_columns_leave_hidden_sectors_out_and_say_so(hidden, whole):
    _, found = whole
    assert set(found.moran.to_frame().index) <= {"C", "M", "P", "breadth"}
    assert found.complete_quotients.columns.tolist() == ["C", "M", "P"]
    assert found.quotients.columns.tolist() == ["C", "J", "K", "M", "P"]
    tree = linkage(symmetric_quotient(found.complete_quotients), "ward")
    np.testing.assert_allclose(found.clustering.tree, tree, rtol=1e-12)
    regions = hidden.table.regions
    assert found.notes[0].startswith(f"Cells are hidden in J ({regions[0]}, {regions[2]}, {regions[5]}), K (")
    assert found.focal.families["all"].sectors == ("C", "M", "P")


def test_a_run_writes_all_files_with_hidden_cells(hidden, whole):
    out, _ = whole
    quotients = pd.read_csv(out / "quotients.csv").set_index(["region", "sector"])
    cells = hidden.table.hidden.stack().reindex(quotients.index)
    assert (quotients["lq_low"] < quotients["lq_high"])[cells].all()
    assert not quotients.isna().any(axis=None)
    assert pd.read_csv(out / "concentration.csv")["sector"].tolist() == ["C", "M", "P"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Cells are hidden in J" in page
    assert "hidden cells, weights" in page
    assert "Whatever hidden cells hold" in page


def test_without_any_complete_sector_ranks_are_given_and_a_run_says_why_not(known):
    regions = known.table.regions
    cells = [(regions[i + j], sector) for i, sector in enumerate(known.table.sectors) for j in (0, 3)]
    study = hide(known, cells)
    ranking = rank_candidates(study, rng=1)
    assert len(ranking.candidates)
    assert not {"moran_label", "cluster"} & (set(ranking.candidates) | set(ranking.areas))
    with pytest.raises(
        InputError,
        match=r"need sectors without hidden cells, but every sector has some: C \(.*spatialkz rank",
    ):
        analyse(study)


def test_fractional_counts_run_as_counts(known):
    jobs = (known.table.values / 1e4).round(1)
    table = spatialkz.ActivityTable(jobs, kind="counts", base=known.table.base / 1e4)
    found = analyse(replace(known, table=table), seed=1)
    assert "full-time equivalents" in found.notes[0]
    assert "lq_p" not in found.ranking.candidates
    assert (found.ranking.candidates["lq_low"] == found.ranking.candidates["lq"]).all()


def test_a_part_of_the_country_is_ranked_by_the_quotients_it_has_in_the_country(known):
    kept = known.table.regions[known.table.regions != "Atyrau"]
    values, base = known.table.values, known.table.base
    table = complete_table(
        values.loc[kept],
        kind="volumes",
        base=base.loc[kept],
        national=values.sum(),
        national_base=float(base.to_numpy().sum()),
    )
    pairs = known.graph.adjacency.reset_index()
    inside = pairs[pairs["focal"].isin(kept) & pairs["neighbor"].isin(kept) & (pairs["weight"] > 0)]
    graph = graph_from_pairs(inside[["focal", "neighbor"]], kept)
    part = spatialkz.Study(name="part", table=table, graph=graph, choices=known.choices)
    found = rank_candidates(part, rng=1).candidates.set_index(["region", "sector"])["lq"]
    expected = table_quotients(known.table).loc[kept].stack()
    pd.testing.assert_series_equal(
        found.sort_index(), expected[expected >= 1].sort_index(), check_names=False
    )
