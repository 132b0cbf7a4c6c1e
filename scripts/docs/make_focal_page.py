"""Write the numbers of docs/methods/focal.md from the bundled study (about two minutes)."""

from pathlib import Path

import pandas as pd

import spatialkz
from spatialkz.focal import FocalTest, model_posterior, prior_sensitivity
from spatialkz.focal.focal import focal_study
from spatialkz.specialization import QuotientAudit, audit_study

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


def verdicts(test: FocalTest) -> list[str]:
    lines = [
        "| sectors | verdict | V | p | p, sizes | power | Moran's I | p | power | focal | belt "
        "| dispersed | fit |",
        "|---|---|" + "--:|" * 11,
    ]
    for family, row in test.to_frame().iterrows():
        cells = [
            f"{row['variance_ratio']:.2f}",
            *(f"{row[name]:.2g}" for name in ("colocation_p", "colocation_sized_p", "colocation_power")),
            f"{row['breadth_moran']:.3f}",
            *(f"{row[name]:.2g}" for name in ("contiguity_p", "contiguity_power")),
            *(f"{row[f'posterior_{model}']:.2f}" for model in ("focal", "belt", "dispersed")),
            f"{row['fit']:.2f}",
        ]
        lines.append(f"| {family} | **{row['verdict']}**: {row['reason']} | " + " | ".join(cells) + " |")
    return lines


def priors(study: spatialkz.Study) -> list[str]:
    lines = [
        "| sectors | priors | focal | belt | dispersed | recognized | fit |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for family, sectors in families(study).items():
        table = prior_sensitivity(study.table.values[sectors], study.graph, simulations=12_000, rng=SEED)
        for name, row in table.iterrows():
            lines.append(f"| {family} | {name} | " + " | ".join(f"{number:.2f}" for number in row) + " |")
    return lines


def seeds(study: spatialkz.Study) -> list[str]:
    lines = ["| sectors | mean | lowest | highest | 0.8 or more |", "|---|--:|--:|--:|--:|"]
    for family, sectors in families(study).items():
        quotients = study.table.values[sectors]
        found = [
            model_posterior(quotients, study.graph, rng=seed).posterior["focal"] for seed in range(SEEDS)
        ]
        strong = sum(p >= 0.8 for p in found)
        mean = sum(found) / SEEDS
        lines.append(f"| {family} | {mean:.2f} | {min(found):.2f} | {max(found):.2f} | {strong} of {SEEDS} |")
    return lines


def families(study: spatialkz.Study) -> dict[str, pd.Index]:
    groups = study.table.groups
    return {"all": groups.index, **{str(name): part.index for name, part in groups.groupby(groups)}}


def influence(test: FocalTest) -> list[str]:
    table = test.influence_frame()
    decisive = table[(table["changes"] != "") & (table["kind"] != "pair")]
    pairs = table[(table["changes"] != "") & (table["kind"] == "pair")]
    lines = ["| sectors | without | p of co-location | p of contiguity | changes |", "|---|---|--:|--:|---|"]
    for row in decisive.itertuples():
        found = f"{row.colocation_p:.2g} | {row.contiguity_p:.2g}"
        lines.append(f"| {row.family} | {row.dropped} | {found} | {row.changes} |")
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
    shown = ["focal", "belt", "dispersed", "undecided"]
    lines = ["| choice | value | specifications | " + " | ".join(shown) + " |", "|---|---|" + "--:|" * 5]
    for choice, title in CHOICES.items():
        shares = test.multiverse.verdicts(choice).reindex(columns=shown, fill_value=0)
        counts = test.multiverse.table[choice].astype(str).value_counts()
        for value, row in shares.loc[test.multiverse.table[choice].astype(str).unique()].iterrows():
            cells = " | ".join(f"{share:.0%}" for share in row)
            lines.append(f"| {title} | {value} | {counts[value]} | {cells} |")
    joint = test.multiverse.joint
    told = [
        f"{name}: median z {row['median_z']:.2f}, p = {row['p_median']:.2g}; {row['share_significant']:.0%} "
        f"significant, p = {row['p_share']:.2g}"
        for name, row in joint.iterrows()
    ]
    count = f"{len(test.multiverse.table):,}"
    return [*lines, "", f"Joint tests of all {count} specifications:", "", *(f"- {line}" for line in told)]


def reading(test: FocalTest, sensitivity: list[str]) -> list[str]:
    """A first reading of the table, held against what was found."""
    p, models = test.to_frame()["colocation_p"], test.families["all"].models
    city = [
        test.influence[name].to_frame().loc[("region", "Almaty City"), "colocation_p"]
        for name in p.index[[0, 2]]
    ]
    high = test.multiverse.table.query("grade == 2.0 and null == 'columns' and without == 'none'")[
        "colocation_p"
    ]
    range_ = sorted(float(line.split("|")[3]) for line in sensitivity if line.startswith("| all "))
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
        (
            "no Moran's I of breadth is significant two-sided",
            (test.to_frame()["contiguity_p"] > test.alpha).all(),
            f"smallest p = {test.to_frame()['contiguity_p'].min():.2g}",
        ),
        (
            "posterior probability: focal 0.96, belt 0.04",
            abs(models.posterior["focal"] - 0.96) < 2 * models.error["focal"],
            f"{models.posterior['focal']:.2f} and {models.posterior['belt']:.2f} (± "
            f"{models.error['focal']:.2f}); focal {range_[0]:.2f} to {range_[-1]:.2f} over the priors below",
        ),
    ]
    words = {True: "confirmed", False: "not confirmed"}
    lines = ["| first reading | | found |", "|---|---|---|"]
    return [*lines, *(f"| {claim} | {words[bool(holds)]} | {number} |" for claim, holds, number in rows)]


def inputs() -> tuple[spatialkz.Study, QuotientAudit | None]:
    study = spatialkz.load_study()
    return study, audit_study(study)[0]


INTRODUCTION = """V is the variance ratio of breadth; then p, p under regions of unequal size and power of the
co-location test; Moran's I of breadth, its p and its power at ρ = 0.8; posterior probabilities, and the
p-value of the best model's goodness of fit."""
MODELS_READING = """The last is the important one. Where belts are not made to co-locate as much as hubs do,
any co-location speaks for hubs, wherever they are. Here they do (see `spatialkz.focal.models`), so only place
and shape tell the two apart, and 17 regions are too few for that."""
SEEDS_READING = f"""Posterior probability of the focal model over {SEEDS} seeds, 12,000 simulated tables each.
Where 0.8 lies among them, the verdict turns on the seed, and more simulations are wanted before it is
believed."""
CHOICES_READING = """Share of the specifications with each verdict by the two tests alone, where p > 5 %
counts as none found. So these verdicts are bolder than the rule above."""
PRIORS_READING = """The sets of `PRIOR_SETS`; “recognized” is the share of simulated tables given to the right
model."""


def numbers() -> str:
    study, audit = inputs()
    test, _ = focal_study(study, audit, rng=SEED)
    sensitivity = priors(study)
    sections = {
        "What could be printed": [f"- {test.sentence(family)}" for family in test.families],
        "The numbers": [INTRODUCTION, "", *verdicts(test)],
        "A first reading, and what became of it": [*reading(test, sensitivity), "", MODELS_READING],
        "What the seed does": [SEEDS_READING, "", *seeds(study)],
        "What the priors do": [PRIORS_READING, "", *sensitivity],
        "What a single deletion does": [
            "All regions and sectors that change a decision at 5 %, with both p-values without them:",
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
