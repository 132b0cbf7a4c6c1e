"""Write the numbers of docs/methods/clusters.md from the bundled study and made tables (a few minutes)."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

import spatialkz
from spatialkz.clustering import (
    METHODS,
    TRANSFORMS,
    ClusterStability,
    adjusted_rand,
    analyse_clusters,
    cluster_regions,
    gap_statistic,
    structure_test,
    transformed,
)
from spatialkz.clustering.partition.contiguous import contiguity
from spatialkz.clustering.partition.methods import partition
from spatialkz.clustering.partition.mixtures import mixture_bic
from spatialkz.errors import listing
from spatialkz.options import StructureStatistic

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "clusters.md"
MARK = "<!-- numbers: python scripts/docs/make_cluster_page.py -->\n"
SEED = 42
DRAWS, REFERENCES = 499, 200
STUDY = spatialkz.load_study("kazakhstan-2022")
QUOTIENTS, GROUPS = STUDY.table.values, STUDY.table.groups
FAMILIES = {"all": QUOTIENTS} | {name: QUOTIENTS[part.index] for name, part in GROUPS.groupby(GROUPS)}
# Tables of each kind, their sizes, and draws of each test on them.
TABLES, SIZES, TABLE_DRAWS = 100, ((17, 11), (60, 6)), 99
LEAST_VARIANCES = (0.1, 0.2, 0.3)


def table(rows: Iterable[Iterable[object]], *heads: str) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    yield from ("| " + " | ".join(map(str, row)) + " |" for row in rows)


def transforms_section() -> Iterator[str]:
    """What the transform does to Ward's clusters: no chance in it."""
    yield "\n### What the transform does\n"
    yield "Sizes of Ward's clusters at k = 5. A cluster of one region is mostly one large cell.\n"
    sizes = {name: [ward_sizes(part, name) for part in FAMILIES.values()] for name in TRANSFORMS}
    yield from table(([f"`{name}`", *row] for name, row in sizes.items()), "transform", *FAMILIES)


def ward_sizes(quotients: pd.DataFrame, transform: str) -> str:
    labels = partition(transformed(quotients.sort_index(), transform).to_numpy(), 5, "ward")
    return ", ".join(map(str, sorted(np.bincount(labels), reverse=True)))


def methods_section() -> Iterator[str]:
    """All methods at one k."""
    yield "\n### How far the methods agree\n"
    yield "Adjusted Rand index, all sectors, k = 6: 1 for the same clusters, 0 for no more than chance.\n"
    features = transformed(QUOTIENTS, "symmetric").sort_index()
    weights = contiguity(STUDY.graph, features.index)
    found = {
        method: pd.Series(
            partition(features.to_numpy(), 6, method, weights=weights, rng=SEED), features.index
        )
        for method in METHODS
    }
    agreement = adjusted_rand(found)
    rows = ([f"`{method}`", *(f"{value:.2f}" for value in row)] for method, row in agreement.iterrows())
    yield from table(rows, "", *(f"`{method}`" for method in METHODS))


def rules_section() -> Iterator[str]:
    """The k of every rule, one cluster among the answers where the rule allows it."""
    rows: dict[str, list[str]] = {}
    for quotients in FAMILIES.values():
        for rule, cell in chosen(transformed(quotients, "symmetric")):
            rows.setdefault(rule, []).append(cell)
    yield "\n### How many clusters\n"
    yield (
        f"k-means but for BIC; k up to 10; {REFERENCES} reference sets. In brackets the value of the "
        "criterion; for the gap statistic gap(2) − se(2) − gap(1), not above 0 where it chooses 1.\n"
    )
    yield from table(([rule, *cells] for rule, cells in rows.items()), "rule", *FAMILIES)


def chosen(features: pd.DataFrame) -> Iterator[tuple[str, str]]:
    clusters = cluster_regions(features, draws=DRAWS, references=0, resamples=20, rng=SEED)
    for rule, row in clusters.rules.iterrows():
        start = "default: both tests, then the silhouette" if rule == "structure" else f"{rule} (from 2)"
        yield start.replace("_", " "), f"{row['k']} ({row['value']:.3f})"
    for reference, box in (("uniform", "box"), ("pca", "box along principal axes")):
        gap = gap_statistic(features, references=REFERENCES, reference=reference, rng=SEED)
        step = gap.table["gap"].diff()[2] - gap.table["se"][2]
        yield f"gap ({box}), 1-standard-error rule", f"{gap.k} ({step:+.3f})"
        yield f"gap ({box}), largest", str(gap.k_global_max)
    for least in LEAST_VARIANCES:
        bic = mixture_bic(features.to_numpy(), range(1, 11), least_variance=least, rng=SEED)["bic"]
        yield f"BIC of a Gaussian mixture, {least} of the variance added", str(bic.idxmin())


def correlated(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Normal columns with correlations of .6, as one gradient makes them."""
    return np.sqrt(0.4) * rng.normal(size=(n, p)) + np.sqrt(0.6) * rng.normal(size=(n, 1))


def three_groups(rng: np.random.Generator, n: int, p: int, apart: float) -> np.ndarray:
    """Normal columns; the centers lie in a triangle, each high in one column."""
    return rng.normal(size=(n, p)) + apart / np.sqrt(2) * np.eye(3, p)[np.arange(n) % 3]


# tanh(x / 2) is the symmetric quotient of exp(x).
KINDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "independent normal": lambda rng, n, p: rng.normal(size=(n, p)),
    "correlated normal (.6)": correlated,
    "independent lognormal": lambda rng, n, p: rng.lognormal(size=(n, p)),
    "the same, symmetric quotient": lambda rng, n, p: np.tanh(rng.normal(size=(n, p)) / 2),
    "correlated lognormal": lambda rng, n, p: np.exp(correlated(rng, n, p)),
    "the same, symmetric quotient ": lambda rng, n, p: np.tanh(correlated(rng, n, p) / 2),
    "three groups, centers 4 standard deviations apart": partial(three_groups, apart=4),
    "three groups, 6 apart": partial(three_groups, apart=6),
    "three groups, 8 apart": partial(three_groups, apart=8),
}


def tables_section() -> Iterator[str]:
    """How often the default finds one cluster, and three, in tables of known making."""
    yield "\n### How often is the answer one cluster?\n"
    yield (
        f"{TABLES} tables of each kind, {TABLE_DRAWS} draws of each test. In brackets the largest k; then "
        "what the silhouette alone finds.\n"
    )
    heads = [f"{n} × {p}: {part}" for n, p in SIZES for part in ("k = 1", "k = 3", "silhouette alone")]
    rows = []
    for kind, make in KINDS.items():
        row = [kind.strip()]
        for n, p in SIZES:
            found = [made_table(make, n, p, seed) for seed in range(TABLES)]
            k, alone = np.array(found).T
            row += [f"{np.mean(k == 1):.0%} ({k.max()})", f"{np.mean(k == 3):.0%}"]
            row += [f"{alone.min()} to {alone.max()}"]
        rows.append(row)
    yield from table(rows, "table", *heads)


def made_table(
    make: Callable[[np.random.Generator, int, int], np.ndarray], n: int, p: int, seed: int
) -> tuple[int, int]:
    """The k by default and by the silhouette alone."""
    features = pd.DataFrame(make(np.random.default_rng([SEED, seed]), n, p))
    found = cluster_regions(features, draws=TABLE_DRAWS, references=0, resamples=20, rng=seed)
    return found.k, int(found.rules["k"]["silhouette"])


def structure_section() -> Iterator[str]:
    """Whether k = 1 can be rejected."""
    yield "\n### Can k = 1 be rejected?\n"
    yield (
        f"p-values against {DRAWS} data sets without clusters: of the largest mean silhouette of k-means, "
        "k = 2 … 6, standardized for each k (by which the default decides) or not, and of the sum of squares "
        "within two clusters.\n"
    )
    rows = []
    for null in ("gaussian", "column-permutation"):
        for measure in get_args(StructureStatistic):
            tests = [
                structure_test(
                    transformed(part, "symmetric"), null=null, statistic=measure, draws=DRAWS, rng=SEED
                )
                for part in FAMILIES.values()
            ]
            rows.append([null, measure, *(f"{test.p_value:.3f}" for test in tests)])
    yield from table(rows, "without clusters means", "statistic", *FAMILIES)


def family_section(name: str, k: int | None = None) -> Iterator[str]:
    """Whether there are clusters; which, how far they hold, and whether they carry over to other sectors."""
    found = analyse_clusters(
        FAMILIES[name],
        STUDY.graph,
        groups=GROUPS[FAMILIES[name].columns],
        methods=["kmeans"],
        k=k,
        rng=SEED,
    )
    main, region, sector = found.main, found.without_region, found.without_sector
    if main.k == 1:
        yield f"\n### Clusters: {name}, none found (k = 1)\n"
        yield main.why
        yield from family_section(name, int(main.rules["k"]["silhouette"]))
        return
    given = "" if k is None else "; a description of the regions, not found"
    yield f"\n### {'Clusters' if k is None else 'Groups'}: {name}, k-means, k = {main.k}{given}\n"
    if k is None:
        yield f"{main.why}\n"
    rows = [
        [
            number,
            ", ".join(found.profiles.members[number]),
            found.profiles.name(number),
            f"{stable:.2f}",
            weakest(region, number),
            weakest(sector, number),
        ]
        for number, stable in main.stability.items()
    ]
    yield from table(rows, "", "regions", "set apart by", "bootstrap", "without a region", "without a sector")
    yield (
        f"\nMean silhouette {main.silhouettes.mean():.3f}. Between ten seeds the adjusted Rand index is at "
        f"least {found.seeds.to_numpy().min():.2f}. Data splitting: p = {found.split.p_value:.3f}. "
        f"{found.contiguity.joins:g} pairs of neighbors share a cluster, {found.contiguity.expected:.1f} are "
        f"expected (p = {found.contiguity.p_value:.2f})."
    )


def weakest(stability: ClusterStability, cluster: int) -> str:
    """Least similarity, and what dissolves the cluster."""
    culprits = [str(left) for left, number in stability.dissolving().index if number == cluster]
    value = f"{stability.jaccard[cluster].min():.2f}"
    return f"{value}; dissolved without {listing(culprits)}" if culprits else value


def exact() -> str:
    """The part without chance but for the starts of k-means; quick enough for a test."""
    return "\n".join([*transforms_section(), *methods_section()])


def drawn() -> str:
    """The part that rests on resamples, references and draws."""
    sections = [*rules_section(), *structure_section(), *tables_section()]
    for name in FAMILIES:
        sections += family_section(name)
    return "\n".join(sections)


def page() -> str:
    """The whole page."""
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    return f"{head}{MARK}{exact()}\n{drawn()}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
