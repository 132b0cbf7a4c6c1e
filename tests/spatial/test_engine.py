"""The paths of the engines give the same numbers, on any number of threads, processes or machines."""

import subprocess
import sys
from itertools import permutations as arrangements

import joblib
import numpy as np
import pandas as pd
import pytest
from esda import Moran, Moran_Local
from libpysal.graph import Graph
from scipy.sparse import csr_array, diags_array
from scipy.stats import chisquare, false_discovery_control
from statsmodels.stats.multitest import multipletests

from spatialkz.errors import GraphError
from spatialkz.geography import aligned
from spatialkz.geography.weights import row_standardized
from spatialkz.resampling.conditional import _streamed, conditional_lag_counts, distinct_samples
from spatialkz.resampling.engine import permuted_cross_products
from spatialkz.resampling.pvalues import adjusted
from spatialkz.resampling.shuffles import order_keys, random_orders
from spatialkz.spatial import local_moran, moran


def lattice(side, seed=None):
    """Row-standardized queen weights of a square lattice; with a seed, regions in random order."""
    x, y = np.divmod(np.arange(side * side), side)
    near = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y)) == 1
    weights = near / near.sum(axis=1, keepdims=True)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(x))
        weights = weights[order][:, order]
    return csr_array(weights)


def centered(n, variables, seed=0):
    values = np.random.default_rng(seed).lognormal(size=(n, variables))
    return values - values.mean(axis=0)


def graph_of(weights):
    pairs = weights.tocoo()
    return Graph.from_arrays(pairs.row, pairs.col, pairs.data)


# ---- permutations


def test_every_order_is_a_permutation_and_depends_on_its_key_alone():
    keys = order_keys(np.random.default_rng(3), 50)
    orders = random_orders(23, keys)
    assert (np.sort(orders, axis=0) == np.arange(23)[:, None]).all()
    np.testing.assert_array_equal(random_orders(23, keys[40:]), orders[:, 40:])
    np.testing.assert_array_equal(order_keys(np.random.default_rng(3), 9), keys[:9])
    assert len(set(keys)) == 50


def test_all_arrangements_are_equally_likely():
    orders = random_orders(4, order_keys(np.random.default_rng(8), 24_000)).T
    counts = pd.Series(map(tuple, orders.tolist())).value_counts().reindex(list(arrangements(range(4))))
    assert chisquare(counts).pvalue > 0.001


# ---- global engine


@pytest.mark.parametrize("variables", [1, 3, 17, 90])
@pytest.mark.parametrize("order", [None, 5])
@pytest.mark.parametrize("with_diagonal", [False, True])
def test_compiled_and_plain_paths_give_the_same_numbers(variables, order, with_diagonal):
    weights, values = lattice(18, order), centered(18 * 18, variables)
    diagonal = np.arange(18.0 * 18) if with_diagonal else None
    plain, compiled = (
        permuted_cross_products(values, weights, 37, np.random.default_rng(2), diagonal, compiled=path)
        for path in (False, True)
    )
    np.testing.assert_allclose(compiled, plain, rtol=1e-10, atol=1e-10 * np.abs(plain).max())


def test_products_from_their_definition():
    rng, n = np.random.default_rng(4), 12
    dense = rng.random((n, n)) * (rng.random((n, n)) < 0.4)
    values, diagonal = rng.normal(size=(n, 3)), rng.random(n)
    orders = random_orders(n, order_keys(np.random.default_rng(9), 20))
    by_hand = [
        np.einsum("ij,ik,jk->k", dense + np.diag(diagonal), values[order], values[order])
        for order in orders.T
    ]
    for path in (False, True):
        found = permuted_cross_products(
            values, csr_array(dense), 20, np.random.default_rng(9), diagonal, compiled=path
        )
        np.testing.assert_allclose(found, by_hand, atol=1e-12)


@pytest.mark.parametrize("edges", [0, 1, 3, 4, 5, 37])
def test_any_number_of_edges_fills_the_passes_of_the_kernel(edges):
    """A hub and a chain at the other end: places left over in a pass count nothing."""
    hub, dense = np.arange(1, edges + 1), np.zeros((60, 60))
    dense[0, hub], dense[hub, 0] = np.linspace(0.5, 1, edges), 0.25
    dense[58, 59] = edges > 0
    values = centered(60, 5)
    plain, compiled = (
        permuted_cross_products(values, csr_array(dense), 9, np.random.default_rng(2), compiled=path)
        for path in (False, True)
    )
    np.testing.assert_allclose(compiled, plain, atol=1e-12)


@pytest.mark.parametrize("kind", ["continuous", "rare", "huge", "counts"])
def test_single_precision_never_moves_a_permutation_to_the_other_side(kind):
    """Ties included: values of a few levels tie in most permutations."""
    rng, n = np.random.default_rng(6), 900
    draws = {
        "continuous": lambda: rng.normal(size=(n, 20)),
        "rare": lambda: (rng.random((n, 20)) < 0.004).astype(float),
        "huge": lambda: rng.lognormal(sigma=3, size=(n, 20)) * 1e30,
        "counts": lambda: rng.poisson(2, size=(n, 20)).astype(float),
    }
    values, weights = draws[kind](), lattice(30)
    values = values - values.mean(axis=0)
    observed = (values * (weights @ values)).sum(axis=0)
    exact, quick = (
        permuted_cross_products(values, weights, 400, np.random.default_rng(1), observed=near, compiled=True)
        for near in (None, observed)
    )
    slack = 1e-10 * (values**2).sum(axis=0)
    np.testing.assert_array_equal(quick >= observed - slack, exact >= observed - slack)
    np.testing.assert_array_equal(quick <= observed + slack, exact <= observed + slack)
    np.testing.assert_allclose(quick, exact, atol=1e-5 * exact.std(axis=0).max())


@pytest.mark.parametrize("jobs", [2, 3, 16])
def test_the_number_of_threads_changes_no_bit(jobs, monkeypatch):
    monkeypatch.setattr("spatialkz.resampling.parallel._WORTH_A_WORKER", 0)
    weights, values = lattice(20), centered(400, 30)

    def run(jobs):
        with joblib.parallel_config(n_jobs=jobs):
            rng = np.random.default_rng
            products = permuted_cross_products(values, weights, 101, rng(7), compiled=True)
            return products, *conditional_lag_counts(values, weights, 199, rng(7))

    for one, many in zip(run(1), run(jobs), strict=True):
        np.testing.assert_array_equal(many, one)


def test_processes_and_a_dask_cluster_give_the_results_of_threads(monkeypatch):
    monkeypatch.setattr("spatialkz.resampling.parallel._WORTH_A_WORKER", 0)
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    values = pd.DataFrame(centered(400, 40))
    graph = graph_of(lattice(20))

    def run():
        return (
            moran(values, graph, permutations=3999, rng=1).to_dict(),
            local_moran(values, graph, permutations=299, rng=1).to_frame(),
        )

    threads = run()
    with joblib.parallel_config(backend="loky", n_jobs=2):
        processes = run()
    # Patient: on a busy machine its processes take long to start.
    dask.config.set({"distributed.comm.timeouts.connect": "120s", "distributed.scheduler.worker-ttl": None})
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )
    with cluster, distributed.Client(cluster, timeout="120s"), joblib.parallel_config(backend="dask"):
        machines = run()
    for found in (processes, machines):
        assert found[0] == threads[0]
        pd.testing.assert_frame_equal(found[1], threads[1], check_exact=True)


def test_a_small_problem_loads_no_kernels():
    """Nor compiles anything. (libpysal imports numba by itself where it is installed.)"""
    code = (
        "import sys, spatialkz; study = spatialkz.load_study(); values = study.table.values; "
        "spatialkz.moran(values, study.graph, rng=1); spatialkz.local_moran(values, study.graph, rng=1); "
        "sys.exit('spatialkz.resampling.kernels' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- conditional permutation


def test_samples_are_distinct_and_every_region_is_as_likely():
    for n, size in ((400, 9), (30, 9), (5, 5)):
        drawn = distinct_samples(n, size, 4000, np.random.default_rng(1))
        assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
        for position in (0, size - 1):
            assert chisquare(np.bincount(drawn[:, position], minlength=n)).pvalue > 0.001


@pytest.mark.parametrize("equal", [True, False])
def test_counts_of_lags_from_their_definition(equal):
    """Each region by itself, with plain loops over the same samples."""
    weights, values = lattice(6, 3), centered(36, 2).round(1)
    if not equal:
        weights.data = weights.data * np.random.default_rng(0).random(len(weights.data))
    drawn = distinct_samples(36, 9, 150, np.random.default_rng(5))
    wanted = np.zeros((2, 36, 2), dtype=int)
    for i in range(36):
        row = weights.data[weights.indptr[i] : weights.indptr[i + 1]]
        neighbors = weights.indices[weights.indptr[i] : weights.indptr[i + 1]]
        for sample in drawn:
            others = [sample[-1] if j == i else j for j in sample[: len(row)]]
            assert i not in others
            for k in range(2):
                gap = sum(row * values[others, k]) - sum(row * values[neighbors, k])
                wanted[:, i, k] += (gap >= -1e-9, gap <= 1e-9)
    for path in (False, True):
        found = conditional_lag_counts(values, weights, 150, np.random.default_rng(5), compiled=path)
        np.testing.assert_array_equal(found, wanted)


def test_sorting_once_counts_what_streaming_counts():
    weights, values = lattice(25), centered(625, 6)
    samples = distinct_samples(625, 9, 499, np.random.default_rng(2))
    slack = 1e-10 * np.abs(values).max(axis=0)
    streamed = _streamed(values, weights, np.arange(625), samples, slack, True, slice(None))
    found = conditional_lag_counts(values, weights, 499, np.random.default_rng(2))
    np.testing.assert_array_equal(found, streamed)


def test_some_regions_alone_have_the_counts_they_have_in_company():
    weights, values = lattice(12), centered(144, 3)
    some = np.array([5, 70, 13])  # all with eight neighbors or five: the samples are as long
    everyone = conditional_lag_counts(values, weights, 99, np.random.default_rng(2))
    alone = conditional_lag_counts(values, weights, 99, np.random.default_rng(2), some)
    for whole, part in zip(everyone, alone, strict=True):
        np.testing.assert_array_equal(part, whole[some])


def test_adjusted_p_values_equal_statsmodels():
    p_values = np.random.default_rng(3).integers(1, 50, size=(4, 200)) / 100
    found = adjusted(p_values)
    for row, one in zip(p_values, found, strict=True):
        np.testing.assert_allclose(one, multipletests(row, method="fdr_bh")[1], rtol=1e-12)


# ---- against esda, on a map too large to enumerate


@pytest.mark.filterwarnings("ignore")  # esda's own
def test_a_large_map_agrees_with_esda():
    weights, values = lattice(30, 2), pd.DataFrame(centered(900, 3), columns=list("abc"))
    values["d"] = weights @ values["a"]  # strongly dependent
    graph = graph_of(weights)
    found = moran(values, graph, permutations=999, rng=1).to_frame()
    assert found.loc["d", "p_value"] == pytest.approx(0.002)  # the smallest two-sided p of 999
    normal = moran(values, graph, method="normal").to_frame()
    # Of one of the independent variables, which are alike, and of the dependent one.
    local = local_moran(values[["a", "d"]], graph, permutations=9999, rng=1).to_frame()
    assert (local["p_value"] > 0).all()
    for name in values:
        peer = Moran(values[name].to_numpy(), graph, permutations=0)
        assert found.loc[name, "statistic"] == pytest.approx(peer.I, abs=1e-10)
        assert found.loc[name, "expected"] == pytest.approx(peer.EI, abs=1e-10)
        assert found.loc[name, "variance"] == pytest.approx(peer.VI_rand, rel=1e-10)
        assert normal.loc[name, "variance"] == pytest.approx(peer.VI_norm, rel=1e-10)
    for name in ("a", "d"):
        peer = Moran_Local(values[name].to_numpy(), graph, permutations=9999, seed=1)
        np.testing.assert_allclose(local.loc[name, "statistic"], peer.Is, atol=1e-10)
        two_sided = np.minimum(1, 2 * peer.p_sim)
        assert np.abs(local.loc[name, "p_value"].to_numpy() - two_sided).max() < 0.05


# ---- weights


def test_weights_are_those_of_the_aligned_graph(study, shuffled):
    regions = shuffled(study.table.values).index
    wanted = aligned(study.graph, regions).transform("r").sparse
    assert abs(row_standardized(study.graph, regions) - wanted).max() < 1e-15


def test_a_region_whose_weights_are_all_zero_is_refused():
    graph = Graph.from_arrays(list("abbcc"), list("baccb"), [1.0, 1.0, 0.0, 0.0, 0.0])
    with pytest.raises(GraphError):
        row_standardized(graph, pd.Index(list("abc")))


def test_scaled_rows_make_the_same_weights():
    weights = lattice(5)
    scaled = csr_array(diags_array(np.arange(1.0, 26)) @ weights)
    regions = pd.RangeIndex(25)
    assert abs(row_standardized(graph_of(scaled), regions) - weights).max() < 1e-15


@pytest.mark.parametrize("permutations", [9, 99, 999])
def test_adjusted_p_values_are_those_of_scipy_whether_counted_or_sorted(permutations):
    counts = np.random.default_rng(4).integers(0, permutations + 1, (7, 3000))
    p_values = np.minimum(1, 2 * (counts + 1) / (permutations + 1))
    p_values[3] = 1.0
    p_values[5] **= 3  # a family with values of its own
    found = adjusted(p_values)
    np.testing.assert_allclose(found, false_discovery_control(p_values, axis=-1), rtol=1e-14)
