"""Write docs/methods/quotient-tests-coverage.md: how often intervals cover and tests reject (1–2 minutes)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from spatialkz.specialization import ellison_glaeser
from spatialkz.specialization.counts.inference import quotient_test

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "quotient-tests-coverage.md"
SHARE = 0.05  # of the base, held by the region
SECTOR = 0.05  # of the base, taken by the sector
QUOTIENTS = (0.5, 1.0, 2.0)
EXPECTED = (1.1, 1.2, 2, 10, 100)
RESAMPLES = 9999
# Method → whether both margins are fixed when the count is drawn, as the method assumes.
METHODS = {
    "binomial": False,
    "hypergeometric": True,
    "delta": True,
    "parametric-bootstrap": False,
    "nonparametric-bootstrap": True,
}
# Quotients of 20 regions of equal base; weighted by the base shares they average 1.
PATTERN = np.repeat(QUOTIENTS, (8, 8, 4))
# Expected number of effective plants in a region at LQ = 1 → plants, simulated sectors, resamples.
PLANTS = {2: (109, 300, 999), 10: (544, 300, 999), 100: (5437, 200, 499)}
# Plants of equal size that choose places together: index of agglomeration; expected plants in a region at
# LQ = 1 → plants; simulated sectors and resamples.
AGGLOMERATION = 0.02
TOGETHER = {2: 40, 10: 200, 20: 400}
TOGETHER_SECTORS, TOGETHER_RESAMPLES = 400, 499

INTRODUCTION = f"""# How often intervals of quotients cover, and how often tests reject

Made by `scripts/docs/make_coverage_table.py`; the methods are explained on [their page](quotient-tests.md).

The region holds {100 * SHARE:g} % of the base, the sector is {100 * SECTOR:g} % of it. “Expected” is the
count expected at LQ = 1, the sector's total times the base share. Every possible count goes through the
method once, and its result is weighted with the probability of that count: nothing is simulated but the
resamples of the bootstraps ({RESAMPLES:,}). Counts are drawn as each method assumes: binomial given the
sector's total, or with both margins fixed (Fisher's noncentral hypergeometric distribution with the odds
ratio that the quotient implies)."""

READING = """
Exact methods never reject a true hypothesis more often than 5 % and never cover less often than 95 %; with
few counts they are far on the safe side, because few p-values are possible. Intervals of the delta method
and the bootstraps come nearer to 95 % and can miss it; the one-sided test of the delta method goes beyond
5 %. The bootstraps' tests are those of binomial and hypergeometric but for Monte-Carlo error, which shows
where the p-value of one count lies next to 5 %.

Where about one unit is expected the delta method is at its worst: its intervals cover in as few as
{low:.0f} %, its one-sided test rejects in up to {high:.0f} %. Take `binomial` there: it holds at every
expected count."""

PLANTS_INTRODUCTION = """
## When jobs come in plants

Plants of lognormal size (σ = 1, mean about 33 jobs) fall whole into 20 regions of equal base, whose true
quotients are 0.5 (8 regions), 1 (8) and 2 (4). “Expected” is the number of effective plants, 1/H, times the
base share. Here all is simulated; the standard error is {error:.1f} percentage points or less, {large:.1f} in
the rows with 100 expected, and {binomial:.1f} at most for the binomial test."""

PLANTS_READING = """
Treating the jobs of a plant as independent is no small error: the binomial test finds “specialization” or its
lack in most regions where there is none. Both ways to take plants into account repair that; H alone is on the
safe side here, and can be on the other one where a single plant dominates its sector."""

TOGETHER_INTRODUCTION = """
## When plants choose places together

Plants of equal size fall into 20 regions of equal base, whose quotients are 1 on average over sectors, but
follow each other: the shares of a sector are drawn from a Dirichlet distribution around the base shares, its
plants by these shares (Dirichlet-multinomial), so that the index of agglomeration of Ellison and Glaeser is
γ = {gamma:g}, which they still call weak. Rejections at 5 % in percent, two-sided, simulated; the standard
error is about {error:.1f} percentage points or less.
"""

TOGETHER_READING = """
Tests that take plants as independent count it as specialization that plants follow each other, the more so
the more plants there are. Take `overdispersed` with `herfindahl` = H + γ(1 − H) there: shares then have their
true variance, and at most {worst:.1f} % reject. γ comes from an earlier year or another country; estimated by
`ellison_glaeser` from the same table it contains what is to be found, which costs power."""


def weights(counts: np.ndarray, total: int, quotient: float, fixed: bool) -> np.ndarray:
    """Probability of each count at this true quotient."""
    if not fixed:
        return np.asarray(stats.binom.pmf(counts, total, SHARE * quotient))
    base = round(total / SECTOR)
    region = round(SHARE * base)
    mean = quotient * region * total / base
    odds = mean * (base - region - total + mean) / ((region - mean) * (total - mean))
    return np.asarray(stats.nchypergeom_fisher.pmf(counts, base, region, total, odds))


def every_count(method: str, expected: float, alternative: str = "two-sided") -> tuple[pd.DataFrame, int]:
    """The method's result for every count that has a chance, and the sector's total."""
    total = round(expected / SHARE)
    most = int(stats.binom.isf(1e-12, total, SHARE * max(QUOTIENTS)))
    counts = np.arange(min(total, most) + 1)
    base = total / SECTOR
    table = pd.DataFrame([counts, total - counts], index=["region", "rest"])
    bases = pd.Series({"region": round(SHARE * base), "rest": round((1 - SHARE) * base)})
    test = quotient_test(table, bases, method=method, alternative=alternative, resamples=RESAMPLES, rng=1)
    return test.to_frame().loc["region"], total


def coverage_row(method: str, expected: float) -> str:
    """Coverage at each true quotient."""
    found, total = every_count(method, expected)
    cells = []
    for quotient in QUOTIENTS:
        covered = (found["low"] <= quotient) & (quotient <= found["high"])
        chance = weights(np.arange(len(found)), total, quotient, METHODS[method])
        cells.append(percent(covered.to_numpy() @ chance))
    return f"| {method} | {expected} | " + " | ".join(cells) + " |"


def size_row(method: str, expected: float) -> str:
    """Share of rejections at 5 % where the true quotient is 1, by alternative."""
    cells = []
    for alternative in ("two-sided", "greater", "less"):
        found, total = every_count(method, expected, alternative)
        chance = weights(np.arange(len(found)), total, 1.0, METHODS[method])
        cells.append(percent((found["p_value"] <= 0.05).to_numpy() @ chance))
    return f"| {method} | {expected} | " + " | ".join(cells) + " |"


def of_delta(expected: float) -> tuple[float, float]:
    """Least coverage and largest size of the delta method, each as a share."""
    covered = [float(cell) / 100 for cell in coverage_row("delta", expected).split("|")[3:-1]]
    rejected = [float(cell) / 100 for cell in size_row("delta", expected).split("|")[3:-1]]
    return min(covered), max(rejected)


def plant_rows(expected: float) -> Iterator[str]:
    """Coverage and size of three ways to treat the same simulated sectors."""
    number, sectors, resamples = PLANTS[expected]
    rng = np.random.default_rng(expected)
    sizes = np.ceil(20 * rng.lognormal(0, 1, (sectors, number)))
    places = rng.choice(len(PATTERN), (sectors, number), p=PATTERN / PATTERN.sum())
    jobs = [np.bincount(where, size, len(PATTERN)) for where, size in zip(places, sizes, strict=True)]
    table = pd.DataFrame(np.array(jobs).T)
    base = pd.Series(sizes.sum(axis=1).max(), index=table.index)
    known = {
        "binomial": {"method": "binomial"},
        "overdispersed, H": {
            "method": "overdispersed",
            "herfindahl": pd.Series((sizes**2).sum(axis=1) / sizes.sum(axis=1) ** 2),
        },
        "overdispersed, plants": {
            "method": "overdispersed",
            "plants": pd.Series(sizes.ravel(), index=np.repeat(np.arange(sectors), number)),
            "resamples": resamples,
            "rng": 1,
        },
    }
    for name, choices in known.items():
        found = quotient_test(table, base, **choices).to_frame()
        truth = PATTERN[found.index.get_level_values("region")]
        covered = (found["low"] <= truth) & (truth <= found["high"])
        cells = [percent(covered[truth == quotient].mean()) for quotient in QUOTIENTS]
        cells.append(percent((found["p_value"] <= 0.05)[truth == 1].mean()))
        yield f"| {name} | {expected} | " + " | ".join(cells) + " |"


def together_rows(expected: float) -> Iterator[tuple[str, float, float]]:
    """Method, expected number and share of rejections where plants follow each other."""
    number, regions = TOGETHER[expected], len(PATTERN)
    rng = np.random.default_rng(number)
    mass = (1 / AGGLOMERATION - 1) / regions
    shares = rng.dirichlet(np.full(regions, mass), TOGETHER_SECTORS)
    table = pd.DataFrame(np.array([rng.multinomial(number, share) for share in shares]).T)
    base = pd.Series(number, index=table.index)
    plants = pd.Series(1.0, index=np.repeat(np.arange(TOGETHER_SECTORS), number))
    h = pd.Series(1 / number, index=table.columns)
    gamma = ellison_glaeser(table, h, base, contained=False)["gamma"]
    tests = {
        "binomial": {"method": "binomial"},
        "overdispersed, plants": {"plants": plants, "resamples": TOGETHER_RESAMPLES, "rng": 1},
        "overdispersed, H": {"herfindahl": h},
        "overdispersed, H + γ(1 − H), γ known": {"herfindahl": h + AGGLOMERATION * (1 - h)},
        "the same, mean γ of all sectors": {"herfindahl": h + gamma.mean() * (1 - h)},
        "the same, γ of each sector": {"herfindahl": h + gamma.clip(lower=0) * (1 - h)},
    }
    for name, choices in tests.items():
        found = quotient_test(table, base, **{"method": "overdispersed", **choices}).to_frame()
        yield name, expected, float((found["p_value"] <= 0.05).mean())


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def page() -> str:
    """The whole page."""
    quotients = " | ".join(f"LQ {quotient:g}" for quotient in QUOTIENTS)
    rows = [(method, expected) for method in METHODS for expected in EXPECTED]
    error, large = (100 * np.sqrt(0.05 * 0.95 / (4 * PLANTS[expected][1])) for expected in (2, 100))
    binomial = 100 * np.sqrt(0.2 * 0.8 / (4 * PLANTS[100][1]))
    lines = [INTRODUCTION, "", "## Coverage of intervals of 95 %, in percent", ""]
    lines += [f"| method | expected | {quotients} |", "|---|--:|--:|--:|--:|"]
    lines += [coverage_row(*row) for row in rows]
    lines += ["", "## Rejections at 5 % where LQ = 1, in percent", ""]
    lines += ["| method | expected | two-sided | greater | less |", "|---|--:|--:|--:|--:|"]
    lines += [size_row(*row) for row in rows]
    worst = [of_delta(expected) for expected in EXPECTED if expected < 2]
    reading = READING.format(
        low=100 * min(low for low, _ in worst), high=100 * max(high for _, high in worst)
    )
    lines += [reading, PLANTS_INTRODUCTION.format(error=error, large=large, binomial=binomial), ""]
    lines += [f"| method | expected | {quotients} | rejections at LQ 1 |", "|---|--:|--:|--:|--:|--:|"]
    lines += [row for expected in PLANTS for row in plant_rows(expected)]
    lines.append(PLANTS_READING)
    lines.append(
        TOGETHER_INTRODUCTION.format(
            gamma=AGGLOMERATION, error=100 * np.sqrt(0.25 / (len(PATTERN) * TOGETHER_SECTORS))
        )
    )
    lines += ["| method | " + " | ".join(f"{expected:g} expected" for expected in TOGETHER) + " |"]
    lines += ["|---|" + "--:|" * len(TOGETHER)]
    found = pd.DataFrame(
        [row for expected in TOGETHER for row in together_rows(expected)],
        columns=["method", "expected", "share"],
    ).pivot_table(index="method", columns="expected", values="share", sort=False)
    lines += [f"| {name} | {' | '.join(map(percent, row))} |" for name, row in found.iterrows()]
    lines.append(TOGETHER_READING.format(worst=100 * found.iloc[-3:].max(axis=None)))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
