"""Summaries of many tables at once equal plain computations on one table at a time."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.sparse.csgraph import connected_components

import spatialkz
from spatialkz.focal.models.models import Generator, Priors
from spatialkz.focal.models.summaries import SHAPE, SUMMARIES, summaries
from spatialkz.focal.questions.colocation import colocation_test
from spatialkz.focal.questions.place import contiguity_test
from spatialkz.geography.weights import row_standardized

THRESHOLD = 1.0


@pytest.fixture(scope="module")
def case(study):
    quotients = study.table.values.sort_index()
    weights = row_standardized(study.graph, quotients.index)
    cells = quotients.to_numpy()
    made = Generator(cells, Priors(), weights).tables("belt", 12, np.random.SeedSequence(4))
    return quotients, weights, np.concatenate([cells[None], made])


def plain(table, weights, study):
    """Every summary of one table, by libraries where they have it."""
    n = len(table)
    marks, ranks = (table >= THRESHOLD).astype(float), table.rank()
    ranks = (ranks - ranks.mean()) / ranks.std(ddof=0)
    breadth, sums = marks.sum(axis=1), ranks.sum(axis=1)

    def moran(values):
        frame = pd.Series(values, index=table.index, name="x")
        return spatialkz.moran(frame, study.graph, permutations=99, rng=1).to_frame()["statistic"].iloc[0]

    top = sums.sort_values(kind="stable").index[-max(2, round(0.2 * n)) :]
    others = sums.drop(top)
    rest = sums.copy()
    rest[top] = others.mean()
    left, singular, _ = np.linalg.svd(ranks.to_numpy())
    pairs = {frozenset(pair) for pair in study.graph.adjacency.index}
    among = table.index.get_indexer(top)
    around = pd.Series(weights @ sums.to_numpy(), index=sums.index)
    return {
        "count ratio": breadth.var() / marks.var().sum(),
        "rank ratio": sums.var() / ranks.var().sum(),
        "rest ratio": ((others - others.mean()) ** 2).sum() / (ranks**2).sum().sum(),
        "maximum": breadth.max(),
        "second": breadth.nlargest(2).iloc[1],
        "skewness": stats.skew(sums),
        "gap": -sums.sort_values(ascending=False).iloc[: len(top) + 1].diff().min() / sums.std(ddof=0),
        "first component": singular[0] ** 2 / (singular**2).sum(),
        "sector Moran": np.mean([moran(ranks[name]) for name in ranks]),
        "breadth Moran": moran(breadth),
        "rank Moran": moran(sums),
        "component Moran": moran(left[:, 0]),
        "rest Moran": moran(rest),
        "joins": sum((marks.loc[a] * marks.loc[b]).sum() for a, b in map(tuple, pairs)),
        "top components": connected_components(weights.toarray()[np.ix_(among, among)])[0],
        "isolation": (sums - around)[top].mean() / sums.std(ddof=0),
    }


def test_summaries_equal_plain_computations(case, study):
    quotients, weights, tables = case
    found = summaries(tables, quotients.to_numpy(), weights, THRESHOLD)
    for row, table in zip(found, tables, strict=True):
        expected = plain(pd.DataFrame(table, quotients.index, quotients.columns), weights, study)
        assert list(expected) == list(SUMMARIES)
        assert dict(zip(SUMMARIES, row, strict=True)) == pytest.approx(expected, abs=1e-9)


def test_they_are_the_statistics_of_the_tests(case, study):
    quotients, weights, tables = case
    found = pd.Series(summaries(tables[:1], tables[0], weights, THRESHOLD)[0], index=SUMMARIES)
    colocation = colocation_test(quotients, permutations=99, rng=1).to_frame()["statistic"]
    assert found[["count ratio", "maximum"]].tolist() == pytest.approx(colocation.tolist())
    contiguity = contiguity_test(quotients, study.graph, permutations=99, rng=1).to_frame().loc["graph"]
    assert found["breadth Moran"] == pytest.approx(contiguity.loc["breadth", "statistic"])
    ranked = contiguity_test(quotients, study.graph, grade="rank", permutations=99, rng=1).to_frame()
    assert found["sector Moran"] == pytest.approx(ranked.loc[("graph", "sector mean"), "statistic"])


def test_shape_does_not_know_where_regions_are(case):
    quotients, weights, tables = case
    moved = np.random.default_rng(1).permutation(17)
    before = summaries(tables, quotients.to_numpy(), weights, THRESHOLD)
    after = summaries(tables[:, moved], quotients.to_numpy(), weights, THRESHOLD)
    differs = [name for name, a, b in zip(SUMMARIES, before.T, after.T, strict=True) if not np.allclose(a, b)]
    assert tuple(differs) == tuple(name for name in SUMMARIES if name not in SHAPE)


def test_more_sectors_than_regions(case):
    weights = case[1]
    wide = np.random.default_rng(1).lognormal(size=(17, 30))
    row = pd.Series(summaries(wide[None], wide, weights, THRESHOLD)[0], index=SUMMARIES)
    singular = np.linalg.svd(stats.zscore(stats.rankdata(wide, axis=0)), compute_uv=False)
    assert row["first component"] == pytest.approx(singular[0] ** 2 / (singular**2).sum())
    assert np.isfinite(row).all()


@pytest.mark.parametrize("threshold", [1e-9, 1e9])
def test_a_threshold_that_tells_nothing_gives_neutral_values(case, threshold):
    quotients, weights, tables = case
    cells = quotients.to_numpy() + 1
    found = pd.DataFrame(summaries(tables + 1, cells, weights, threshold), columns=SUMMARIES)
    assert (found["count ratio"] == 1).all()
    assert (found["breadth Moran"] == -1 / 16).all()
    assert np.isfinite(found).all(axis=None)
