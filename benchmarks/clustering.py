"""k-means behind the gap statistic and the bootstrap, side by side with loops over scikit-learn.

    python benchmarks/clustering.py [analysis small county tenth large]

The job: gap statistic, k = 1 … 12, 50 reference sets, and 100 bootstrap resamples at k = 6, ten starts each.
The loop over scikit-learn is timed on the data, one reference set and a few resamples and scaled, with one
thread and with all, of which the faster counts. Sums of squares are compared on the same points. ``large``
has no peer: it does the whole job, for half an hour, and shows time and the largest memory the process held;
``tenth`` does a tenth of it. ``analysis`` is everything `spatialkz run` asks of the clusters of the paper's
study; beside it stands one fit of scikit-learn's k-means.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from inputs import machine, normal_values, timed
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

import spatialkz
from spatialkz.clustering import analyse_clusters, gap_statistic, transformed
from spatialkz.clustering.partition.kmeans import kmeans_partitions, weighted_kmeans
from spatialkz.clustering.partition.labels import sum_of_squares

KS, REFERENCES, RESAMPLES, STARTS, K, FEW = range(1, 13), 50, 100, 10, 6, 3


def gap(table: pd.DataFrame, references: int = REFERENCES) -> None:
    gap_statistic(table, KS, references=references, starts=STARTS, rng=1)


def resamples(n: int) -> np.ndarray:
    return np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)


def peer(points: np.ndarray, k: int, seed: int = 0) -> float:
    return KMeans(k, n_init=STARTS, random_state=seed).fit(points).inertia_


def faster(job: Callable[[], object]) -> tuple[float, int]:
    """Seconds of a peer's job with the number of threads that suits it, and that number."""
    found = []
    for threads in (1, None):
        with threadpool_limits(threads):
            start = time.perf_counter()
            job()
            found.append((time.perf_counter() - start, threads or 0))
    return min(found)


def county(n: int = 3100, features: int = 300) -> None:
    # Six weak groups, as in real tables: neither trivial nor pure noise.
    rng = np.random.default_rng(2)
    table = normal_values(n, features) + 0.4 * rng.normal(size=(6, features))[rng.integers(6, size=n)]
    points, weights = table.to_numpy(), resamples(n)
    uniform = rng.uniform(points.min(axis=0), points.max(axis=0), size=points.shape)
    copies = [np.repeat(points, row, axis=0) for row in weights[:FEW]]
    (one,) = timed(lambda: gap(table), times=3)
    (other,) = timed(lambda: weighted_kmeans(points, weights, K, starts=STARTS, rng=1), times=3)
    ours = one.median + other.median
    print(
        f"{n:,} × {features}: ours {ours:.1f} s (gap {one.median:.1f}, resamples {other.median:.1f})",
        flush=True,
    )

    data, _ = faster(lambda: [peer(points, k) for k in KS])
    reference, threads = faster(lambda: [peer(uniform, k) for k in KS])
    resample, _ = faster(lambda: [peer(copy, K) for copy in copies])
    theirs = data + REFERENCES * reference + RESAMPLES * resample / FEW
    print(
        f"  scikit-learn {theirs:.0f} s (gap {data + REFERENCES * reference:.0f}, resamples "
        f"{RESAMPLES * resample / FEW:.0f}; the data, 1 reference set and {FEW} resamples timed and scaled; "
        f"{threads or 'all'} threads): ratio {theirs / ours:.1f} ×, target 3 ×",
        flush=True,
    )
    for name, cells in (("data", points), ("reference set", uniform)):
        found = kmeans_partitions(cells, KS, starts=STARTS, rng=1)
        told([found[k].inertia / peer(cells, k) for k in KS], f"{name}, k = 1 … 12")
    labels = weighted_kmeans(points, weights[:FEW], K, starts=STARTS, rng=1)
    pairs = zip(weights, labels, copies, strict=False)
    told([sum_of_squares(points, own, w) / peer(copy, K) for w, own, copy in pairs], f"resamples, k = {K}")


def told(ratios: list[float], what: str) -> None:
    print(
        f"  sum of squares, ours / scikit-learn, {what}: mean {np.mean(ratios):.5f}, "
        f"{min(ratios):.5f} to {max(ratios):.5f}",
        flush=True,
    )


def large(n: int = 100_000, features: int = 50, share: float = 1.0) -> None:
    table = normal_values(n, features)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    references, rows = max(2, int(REFERENCES * share)), resamples(n)[: int(RESAMPLES * share)]
    (other,) = timed(lambda: weighted_kmeans(table.to_numpy(), rows, K, starts=STARTS, rng=1), times=1)
    print(f"{n:,} × {features}: {len(rows)} resamples {other.best:.0f} s", flush=True)
    (one,) = timed(lambda: gap(table, references), times=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  gap with {references} reference sets {one.best:.0f} s; resident memory at most {peak:.2f} GB, of "
        f"which {before:.2f} GB while the input was made; target 4 GB"
    )


def tenth() -> None:
    large(share=0.1)


def analysis() -> None:
    study = spatialkz.load_study()
    features = transformed(study.table.values, "symmetric").to_numpy()
    (one,) = timed(lambda: analyse_clusters(study.table.values, study.graph, rng=42))
    with threadpool_limits(1):
        (peer_fit,) = timed(lambda: KMeans(K, n_init=200, random_state=0).fit(features))
    print(
        f"17 × 11: the whole analysis {one.median:.2f} s ({one.cores:.2f} s on all cores); one k-means of "
        f"scikit-learn with 200 starts {peer_fit.median:.2f} s, and the analysis makes 289"
    )


def small() -> None:
    table = np.log1p(spatialkz.load_study().table.values)
    points = table.to_numpy()
    (one, other, best) = timed(
        lambda: gap_statistic(table, range(1, 11), references=50, rng=1),
        lambda: weighted_kmeans(points, resamples(len(table)), 4, rng=1),
        lambda: kmeans_partitions(points, range(1, 11), rng=1),
    )
    found = kmeans_partitions(points, range(1, 11), rng=1)
    with threadpool_limits(1):
        start = time.perf_counter()
        ratios = [
            found[k].inertia / KMeans(k, n_init=200, random_state=0).fit(points).inertia_ for k in found
        ]
        peer_took = time.perf_counter() - start
    print(
        f"17 × 11: gap (k = 1 … 10, 50 references) {one.median:.2f} s, 100 resamples {other.median:.2f} s; "
        f"all k with 200 starts {best.median:.2f} s, scikit-learn {peer_took:.2f} s"
    )
    told(ratios, "k = 1 … 10, 200 starts")


def main(chosen: list[str]) -> None:
    print(machine("numpy", "scipy", "scikit-learn", "pandas"))
    for run in (analysis, small, county, tenth, large):
        if run.__name__ in chosen:
            run()


if __name__ == "__main__":
    main(sys.argv[1:] or ["analysis", "small", "county", "tenth"])
