"""Write the numbers of docs/methods/focal.md from the bundled study (about two minutes)."""

from pathlib import Path
from typing import TypeAlias, get_args

import pandas as pd

import spatialkz
from spatialkz.focal import FocalTest, model_posterior, prior_sensitivity, spread_test, table_base_shares
from spatialkz.focal.study import focal_study
from spatialkz.focal.verdict import Verdict
from spatialkz.specialization import QuotientAudit, audit_study

Shares: TypeAlias = list[pd.DataFrame]
PAGE = Path(__file__).parents[2] / "docs" / "methods" / "focal.md"
MARK = "<!-- numbers: python scripts/docs/make_focal_page.py -->\n"
SEED = 42
SEEDS = 8
CHOICES = {
    "grade": "specialized from, or degree of specialization",
    "family": "sectors",
    "null": "null hypothesis of co-location",
    "graph": "graph",
    "without": "left out",
    "rounding": "rounding draw (0: as printed)",
}
VERDICTS = get_args(Verdict)
FOUND = [
    ("co-located", "colocation", "yes"),
    ("few territories", "spread", "few"),
    ("adjoining", "place", "adjoining"),
    ("apart", "place", "apart"),
]


def verdicts(test: FocalTest) -> list[str]:
    lines = [
        "| sectors | verdict | place | V | p | p, sizes | power | regions | by chance | p | p, sizes "
        "| excess in | P(spikes) | ± | I | p | ρ at most |",
        "|---|---|---|" + "--:|" * 14,
    ]
    for family, row in test.to_frame().iterrows():
        cells = [
            f"{row['variance_ratio']:.2f}",
            *(f"{row[name]:.2g}" for name in ("colocation_p", "colocation_sized_p", "colocation_power")),
            f"{row['regions']:.0f}",
            f"{row['regions_expected']:.1f}",
            *(f"{row[name]:.2g}" for name in ("spread_p", "spread_sized_p")),
            f"{row['held_low']}–{row['held_high']}" if row["held_low"] else "–",
            f"{row['spikes']:.2f}",
            f"{row['spikes_error']:.2f}",
            f"{row['breadth_moran']:.3f}",
            f"{row['contiguity_p']:.2g}",
            f"{row['rho_upper']:.2f}",
        ]
        told = f"| {family} | **{row['verdict']}**: {row['reason']} | {row['place']} | "
        lines.append(told + " | ".join(cells) + " |")
    return lines


def priors(study: spatialkz.Study, shares: Shares) -> list[str]:
    lines = [
        "| sectors | priors | spikes | follows the map | recognized | fit |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for family, sectors in families(study).items():
        table = prior_sensitivity(
            study.table.values[sectors],
            study.graph,
            base_shares=[share[sectors] for share in shares],
            simulations=12_000,
            rng=SEED,
        )
        for name, row in table[["spikes", "contiguous", "accuracy", "fit"]].iterrows():
            lines.append(f"| {family} | {name} | " + " | ".join(f"{number:.2f}" for number in row) + " |")
    return lines


def seeds(study: spatialkz.Study, shares: Shares) -> list[str]:
    lines = ["| sectors | mean | lowest | highest | printed error, mean |", "|---|--:|--:|--:|--:|"]
    for family, sectors in families(study).items():
        base = [share[sectors] for share in shares]
        quotients = study.table.values[sectors]
        found = pd.DataFrame(
            model_posterior(quotients, study.graph, base_shares=base, rng=seed).shape.loc["spikes"]
            for seed in range(SEEDS)
        )
        p, error = found["posterior"], found["error"].mean()
        lines.append(f"| {family} | {p.mean():.2f} | {p.min():.2f} | {p.max():.2f} | {error:.2f} |")
    return lines


def reach(test: FocalTest) -> list[str]:
    lines = [
        "| sectors | co-location | shape | place | belts of sectors | what is open | regions | sectors |",
        "|---|" + "--:|" * 4 + "---|--:|--:|",
    ]
    for family, found in test.families.items():
        power = found.models.power
        shares = " | ".join(f"{power[part]:.0%}" for part in ("colocation", "shape", "place", "sectors"))
        lacking = found.wanted
        told = (
            "– | – | –"
            if lacking is None
            else f"{lacking.part} | {lacking.regions or '–'} | {lacking.sectors or '–'}"
        )
        lines.append(f"| {family} | {shares} | {told} |")
    return lines


def families(study: spatialkz.Study) -> dict[str, pd.Index]:
    groups = study.table.groups
    return {"all": groups.index, **{str(name): part.index for name, part in groups.groupby(groups)}}


def influence(test: FocalTest) -> list[str]:
    table = test.influence_frame()
    decisive = table[(table["changes"] != "") & (table["kind"] != "pair")]
    pairs = table[(table["changes"] != "") & (table["kind"] == "pair")]
    tests = {"colocation": "co-location", "spread": "few territories", "contiguity": "contiguity"}
    heads = " | ".join(f"p of {name}" for name in tests.values())
    lines = [f"| sectors | without | {heads} | part that changes |", "|---|---|--:|--:|--:|---|"]
    for _, row in decisive.iterrows():
        found = " | ".join(f"{row[f'{test}_p']:.2g}" for test in tests)
        lines.append(f"| {row['family']} | {row['dropped']} | {found} | {row['changes']} |")
    moved = pairs[pairs["changes"].str.contains("colocation")]
    singles = set(test.rests_on())
    alone = [name for name in moved["dropped"] if not singles & set(name.split(" + "))]
    lines += [
        "",
        f"Of all {(table['kind'] == 'pair').sum()} pairs of regions {len(moved)} change what the co-location "
        f"test decides of all sectors; {len(alone)} of them do so without "
        + ", ".join(sorted(singles))
        + ".",
    ]
    return lines


def choices(test: FocalTest) -> list[str]:
    table = test.multiverse.table
    shown = [verdict for verdict in VERDICTS if (table["verdict"] == verdict).any()]
    heads = [*shown, *(name for name, _, _ in FOUND)]
    lines = [
        f"| choice | value | specifications | {' | '.join(heads)} |",
        "|---|---|--:|" + "--:|" * len(heads),
    ]
    for choice, title in CHOICES.items():
        values = table[choice].astype(str)
        for value in values.unique():
            part = table[values == value]
            shares = [(part["verdict"] == verdict).mean() for verdict in shown]
            shares += [(part[name] == answer).mean() for _, name, answer in FOUND]
            cells = " | ".join(f"{share:.0%}" for share in shares)
            lines.append(f"| {title} | {value} | {len(part)} | {cells} |")
    joint = test.multiverse.joint
    told = [
        f"{name}: median z {row['median_z']:.2f}, p = {row['p_median']:.2g}; {row['share_significant']:.0%} "
        f"significant, p = {row['p_share']:.2g}"
        for name, row in joint.iterrows()
    ]
    count = f"{len(test.multiverse.table):,}"
    return [*lines, "", f"Joint tests of all {count} specifications:", "", *(f"- {line}" for line in told)]


def reading(study: spatialkz.Study, test: FocalTest) -> list[str]:
    """A first reading of the table, held against what was found."""
    frame = test.to_frame()
    p = frame["colocation_p"]
    city = [
        test.influence[name].to_frame().loc[("region", "Almaty City"), "colocation_p"]
        for name in ("all", "services")
    ]
    high = test.multiverse.table.query("grade == 2.0 and null == 'columns' and without == 'none'")[
        "colocation_p"
    ]
    services = study.table.values[families(study)["services"]]
    least = [
        spread_test(services.drop(index=names), rng=SEED).to_frame().loc["coverage"]
        for names in (["Almaty City"], ["Almaty City", "Nur-Sultan"])
    ]
    broad = test.families["all"].spread.to_frame().loc["broadest"]
    rows = [
        ("all sectors co-locate, p about 10⁻⁴", p["all"] <= 0.001, f"p = {p['all']:.2g}"),
        ("services co-locate, p < 0.001", p["services"] < 0.001, f"p = {p['services']:.2g}"),
        ("industry does not, p about 0.49", abs(p["industry"] - 0.49) < 0.05, f"p = {p['industry']:.2g}"),
        (
            "without Almaty City p is about 0.14 for all sectors, 0.002 for services",
            abs(city[0] - 0.14) < 0.03 and city[1] < 0.005,
            f"p = {city[0]:.2g} and {city[1]:.2g}",
        ),
        ("from LQ ≥ 2 nothing is significant", (high > test.alpha).all(), f"smallest p = {high.min():.2g}"),
        *(
            (
                f"{family}: {regions} regions have any specialization where {chance} are expected",
                row["regions"] == regions and abs(row["regions_expected"] - chance) < 0.06,
                f"{row['regions']:.0f} and {row['regions_expected']:.2f}, p = {row['spread_p']:.2g}",
            )
            for (family, regions, chance) in (("services", 5, 9.6), ("industry", 15, 14.7), ("all", 15, 16.0))
            for row in [frame.loc[family]]
        ),
        (
            "services without Almaty City: 4 of 16, p about .008; without both capitals 3 of 15, p about .26",
            abs(least[0]["p_value"] - 0.008) < 0.003 and abs(least[1]["p_value"] - 0.26) < 0.02,
            f"p = {least[0]['p_value']:.2g} and {least[1]['p_value']:.2g}",
        ),
        (
            "the two broadest regions hold 16 of 41 specializations where 9.3 are expected",
            broad["statistic"] == 16 and abs(broad["expected"] - 9.3) < 0.06,
            f"{broad['statistic']:.0f} and {broad['expected']:.2f}, p = {broad['p_value']:.2g}",
        ),
    ]
    words = {True: "confirmed", False: "not confirmed"}
    lines = ["| first reading | | found |", "|---|---|---|"]
    return [*lines, *(f"| {claim} | {words[bool(holds)]} | {number} |" for claim, holds, number in rows)]


def inputs() -> tuple[spatialkz.Study, QuotientAudit | None]:
    study = spatialkz.load_study()
    return study, audit_study(study)[0]


INTRODUCTION = """Co-location: variance ratio V of breadth, p, p under regions of unequal size, and what
share of tables with foci the test finds. Spread: regions with any specialization, as many as by chance, p,
and the number of regions that hold the excess. Shape: posterior probability of spikes and its standard
error. Place: Moran's I of breadth, one-sided p of contiguity, and the upper end of the dependence left
possible."""
SEEDS_READING = f"""Posterior probability of spikes over {SEEDS} seeds, 12,000 simulated tables each, beside
the error printed with it, which covers what another learner would have said as well."""
REACH_READING = """Of tables of the models, with the margins of this one: the share of those with foci in
which co-location is found; of those with a common factor whose shape is named rightly with probability 0.8;
of common factors that follow the map in which contiguity is found; of belts of each sector that are found.
Then what is open, and how many regions or sectors would decide it in eight of ten such tables (copies of
this map side by side, copies of these sectors)."""
DELETION_READING = """All regions and sectors that change what is found of a part at 5 %, with the p-values
without them: columns shuffled, regions permuted, all one-sided, of contiguity that of breadth. Shape is not
asked for again."""
CHOICES_READING = """Share of the specifications with each verdict by the rule, and of those in which each
part is found; of co-location the rest is not found or open, of place it is open. Shape, whether the excess is
in few regions, and the power to find belts of each sector are those of the family's main answer."""
PRIORS_READING = """The sets of `PRIOR_SETS`; “recognized” is the share of simulated tables whose shape is
named rightly."""


def numbers() -> str:
    study, audit = inputs()
    test, _ = focal_study(study, audit, rng=SEED)
    shares = table_base_shares(study.table, audit)
    sections = {
        "What could be printed": [f"- {test.sentence(family)}" for family in test.families],
        "The numbers": [INTRODUCTION, "", *verdicts(test)],
        "A first reading, and what became of it": reading(study, test),
        "What could be seen, and what is wanted": [REACH_READING, "", *reach(test)],
        "What the seed does": [SEEDS_READING, "", *seeds(study, shares)],
        "What the priors do": [PRIORS_READING, "", *priors(study, shares)],
        "What a single deletion does": [
            DELETION_READING,
            "",
            *influence(test),
        ],
        "What the choices do": [CHOICES_READING, "", *choices(test)],
    }
    return "\n".join("\n".join([f"### {title}", "", *lines, ""]) for title, lines in sections.items())


def page() -> str:
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + "\n" + numbers()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
