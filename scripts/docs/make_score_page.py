"""Write the numbers of docs/methods/score.md from the bundled study."""

from pathlib import Path

import spatialkz
from spatialkz.candidates import (
    CANDIDATE_EVIDENCE,
    CandidateRanking,
    NamingTest,
    RankingReview,
    naming_matrix,
    naming_test,
    rank_candidates,
    review_ranking,
)
from spatialkz.candidates.scoring.sensitivity import area_sensitivity
from spatialkz.study import Study

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "score.md"
MARK = "<!-- numbers: python scripts/docs/make_score_page.py -->\n"
SEED = 42


def numbers() -> str:
    study = spatialkz.load_study("kazakhstan-2022")
    ranking = rank_candidates(study, rng=SEED)
    review = review_ranking(study, ranking, rng=SEED)
    parts = [areas(ranking), largest(ranking), groups(ranking), shifts(ranking), sobol(study), types(ranking)]
    return "\n\n".join([*parts, growth(study, review), tiers(review), ""])


def areas(ranking: CandidateRanking) -> str:
    rows = [
        [
            row.rank_tier,
            row.rank,
            row.region,
            row.breadth,
            f"{row.score:.3f}" if row.breadth else "–",
            f"{row.rank_low}–{row.rank_high}",
            f"{row.p_top3:.1%}",
        ]
        for row in ranking.areas.itertuples()
    ]
    head = f"**Areas**, {ranking.draws:,} draws. P(top 3) is told of each, whatever it is:"
    heads = ["tier", "rank", "region", "breadth", "score", "5–95 %", "P(top 3)"]
    return f"{head}\n\n" + table(heads, rows, "rrlrrrr")


def largest(ranking: CandidateRanking) -> str:
    found = ranking.candidates
    parts = [name for name in CANDIDATE_EVIDENCE if name in found]
    places = found[parts].rank(ascending=False, method="min").astype(int)
    rows = [
        [row["region"], row["sector"], f"{row['lq']:.2f}", row["rank"], *places.loc[at]]
        for at, row in found.nlargest(5, "lq").iterrows()
    ]
    head = (
        f"**The five largest quotients** need not lead: a quotient is one of {len(parts)} parts of the score "
        f"and counts by its place among the {len(found)} candidates, not by its size. Places by the parts:"
    )
    return f"{head}\n\n" + table(
        ["region", "sector", "LQ", "rank", *parts], rows, "ll" + "r" * (2 + len(parts))
    )


def groups(ranking: CandidateRanking) -> str:
    runs = [", ".join(map(str, group)) for group in ranking.area_uncertainty.groups()]
    head = (
        "**Areas that cannot be told apart**: longest runs without a pair in one order in 95 % of the draws:"
    )
    return f"{head}\n\n" + "\n".join(f"- {run}" for run in runs)


def shifts(ranking: CandidateRanking) -> str:
    rows = []
    for kind in ("area", "candidate"):
        found = getattr(ranking, f"{kind}_uncertainty").shifts
        for (choice, option), row in found.sort_values("mean_shift", ascending=False).head(8).iterrows():
            most = row["most_moved"]
            most = most if isinstance(most, str) else " × ".join(most)
            rows.append(
                [
                    f"{kind}s",
                    f"{choice}: {option}",
                    f"{row['mean_shift']:.2f}",
                    f"{row['max_shift']:.1f}",
                    most,
                ]
            )
    head = "**What if one choice alone is made otherwise**: the eight that move most (all in `ranking.json`):"
    return f"{head}\n\n" + table(["", "choice", "mean shift", "largest", "most moved"], rows, "llrrl")


def sobol(study: Study) -> str:
    found = area_sensitivity(study, rng=SEED).overall.sort_values("total", ascending=False)
    # Estimates may be a little below 0; none prints as −0.
    found = found.round(2) + 0.0
    rows = [
        [row.Index, f"{row.first:.2f} ± {row.first_margin:.2f}", f"{row.total:.2f} ± {row.total_margin:.2f}"]
        for row in found.itertuples()
    ]
    head = "**Sobol' indices** of the mean shift of the area ranks, all choices drawn together:"
    return f"{head}\n\n" + table(["choice", "first order", "total"], rows, "lrr")


def types(ranking: CandidateRanking) -> str:
    rows = [
        [row.region, row.district_type, f"{row.type_share:.0%}", row.type_lacks or "–", row.formation]
        for row in ranking.areas.itertuples()
    ]
    head = "**District types**, how often each holds over the rounding, what the region lacks, and formation:"
    return f"{head}\n\n" + table(["region", "type", "holds", "lacks", "formation"], rows, "llrll")


def growth(study: Study, review: RankingReview) -> str:
    counts = review.growth.groupby("policy")["status"].value_counts().unstack(fill_value=0)
    statuses = ["matched", "emerging", "mismatched", "not mappable"]
    rows = [[policy, *map(int, row[statuses])] for policy, row in counts.iterrows()]
    told = table(["policy", *statuses], rows, "lrrrr")
    tests = [tested(policy, test) for policy, test in review.naming.items()]
    columns = ["policy", "cells", "statistic", "expected", "p", "power at × 2", "80 % power from"]
    return (
        f"**Growth points** by what their names mean and what the host region has:\n\n{told}\n\n"
        f"**The naming test** by policy, and of all cells together:\n\n{table(columns, tests, 'lrrrrrr')}\n\n"
        "**Every variant of it**: policy, statistic, and which names count (all that were mapped, or only "
        "those whose sector is named outright). p-values, not adjusted:\n\n"
        + table(["policy", "statistic", "all names", "outright only"], variants(study, review), "llrr")
    )


def tested(policy: str, test: NamingTest) -> list[str]:
    row = test.to_frame().iloc[0]
    least = "–" if test.detectable is None else f"× {test.detectable:g}"
    return [
        policy, str(row["named"]), f"{row['statistic']:.3f}", f"{row['expected']:.3f}",
        f"{row['p_value']:.4f}",
        f"{test.power[2.0]:.0%}", least,
    ]  # fmt: skip


def variants(study: Study, review: RankingReview) -> list[list[str]]:
    quotients = study.table.values
    mapped = review.growth.dropna(subset=["sector"])
    rows = []
    for policy in review.naming:
        own = mapped if policy == "all" else mapped[mapped["policy"] == policy]
        for statistic in ("symmetric", "share"):
            cells = []
            for points in (own, own[own["basis"] == "named"]):
                naming = naming_matrix(points, quotients.index, quotients.columns)
                test = naming_test(
                    naming,
                    quotients,
                    statistic=statistic,
                    permutations=1999,
                    simulations=99,
                    uplifts=[1],
                    rng=SEED,
                )
                cells.append(f"{test.to_frame()['p_value'].item():.3f}")
            rows.append([policy, statistic, *cells])
    return rows


def tiers(review: RankingReview) -> str:
    found = review.agreement
    rows = [
        [row.Index, row.tier, row.tier_by_rank, f"{row.against} of {row.pairs}"]
        for row in found.regions[found.regions["difference"] != 0].itertuples()
    ]
    head = (
        f"**Agreement with the paper's tiers**: τ-b = {found.tau_b:.2f} (p = {found.p_value:.3f}, "
        f"{found.method}, one-sided), weighted κ = {found.kappa:.2f}, over {len(found.regions)} regions; "
        f"without a tier: {', '.join(found.unplaced)}. In another tier by rank:"
    )
    return f"{head}\n\n" + table(["region", "tier", "by rank", "pairs the other way"], rows, "lrrr")


def table(heads: list[str], rows: list[list[object]], align: str) -> str:
    rule = [{"l": "---", "r": "--:"}[side] for side in align]
    lines = [heads, rule, *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def page() -> str:
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + "\n" + numbers()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
