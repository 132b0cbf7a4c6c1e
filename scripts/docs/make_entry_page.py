"""Write docs/methods/entry.md: how often tests of entry, of odds and of policies reject (some minutes)."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.discrete.discrete_model import Logit

import spatialkz

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "entry.md"
REGIONS, SECTORS, FAMILY = 17, 40, 5
# Tables without relatedness, and with it.
TABLES, POWER_TABLES = 300, 50
DRAWS, LEVEL, SEED = 199, 0.05, 42
STRENGTHS = (0.0, 0.2, 0.3, 0.5)
RELATED = (0.0, 1.0, 2.0)
COVARIATES = ("normal", "lognormal", "3 of 17 regions")
REACH = (2, 3, 4, 5, 8)
ODDS = 1_000

INTRODUCTION = f"""# Entry into related sectors, and odds of reaching the threshold

Made by `scripts/docs/make_entry_page.py`. Shares of simulated tables in which a test rejects at the level
of {100 * LEVEL:.0f} %.

## Entry

`entry_test(before, after)` asks whether regions enter sectors that are related to those they have. Where a
few regions are strong in everything, they have much, so density around any sector is high there, and they
enter much. A plain logit of entry on density takes that for relatedness. The test compares the entries with
others that have the same number of entries in each region and in each sector; that is the conditional
likelihood of a logit with an effect for each region and sector, whose coefficients so drop out.

Tables of {REGIONS} regions × {SECTORS} sectors, {TABLES} of each kind without relatedness and
{POWER_TABLES} with it. Logarithms of the quotients are the sum of a region's strength (standard deviation
σ), a sector's (0.5), a region's strength in a family of {FAMILY} sectors (τ), and noise of which 0.8 is
left in the second period. Without families (τ = 0) there is no relatedness, and
more than {100 * LEVEL:.0f} % is an error; with them, the share is power. Where regions are unequal, the
logit rejects tables without families too, so that its share with them is no power.

| σ | τ | entries | plain logit | `entry_test` |
|--:|--:|--:|--:|--:|
"""
ODDS_INTRODUCTION = f"""
## Odds

`threshold_odds` compares penalized likelihoods by the chi-squared distribution, which holds for many
regions. For {REGIONS}, with outcomes that know nothing of the covariate ({ODDS:,} of each kind), by how
many regions reach the threshold. A covariate of two values leaves few possible p-values, so that shares
jump from 0 to 7 %; the permutations of `prerequisite_test` keep the level there.

| covariate | {" | ".join(map(str, REACH))} |
|---|{"--:|" * len(REACH)}
"""


def quotients(log: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(np.exp(log) / np.exp(log).mean(axis=0)).add_prefix("sector ")


def two_periods(
    draw: np.random.Generator, strength: float, related: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quotients before and after."""
    shape = REGIONS, SECTORS
    level = strength * draw.normal(size=(REGIONS, 1)) + 0.5 * draw.normal(size=(1, SECTORS))
    families = draw.normal(size=(REGIONS, SECTORS // FAMILY)).repeat(FAMILY, axis=1)
    first, fresh = draw.normal(size=shape), draw.normal(size=shape)
    lasting = level + related * families
    return quotients(lasting + first), quotients(lasting + 0.8 * first + 0.6 * fresh)


def entries() -> Iterator[str]:
    for strength in STRENGTHS:
        for related in RELATED:
            draw = np.random.default_rng([SEED, int(10 * strength), int(related)])
            rows = []
            for table in range(POWER_TABLES if related else TABLES):
                found = spatialkz.entry_test(*two_periods(draw, strength, related), draws=DRAWS, rng=table)
                design = np.column_stack([np.ones(len(found.cells)), found.cells["density"]])
                plain = Logit(found.cells["entered"].astype(float), design).fit(disp=0)
                p_values = plain.pvalues.iloc[1], found.to_frame()["p_value"].item()
                rows.append([found.cells["entered"].sum(), *(p <= LEVEL for p in p_values)])
            count, plain_share, share = np.mean(rows, axis=0)
            yield f"| {strength:g} | {related:g} | {count:.0f} | {plain_share:.3f} | {share:.3f} |"


def odds() -> Iterator[str]:
    """Covariates are drawn anew for every hundred outcomes."""
    for kind in COVARIATES:
        draw, shares = np.random.default_rng([SEED, COVARIATES.index(kind)]), []
        for reach in REACH:
            marks = np.repeat([[1.0] * reach + [0.5] * (REGIONS - reach)], 100, axis=0)
            rejected = []
            for _ in range(ODDS // 100):
                values = {
                    "normal": draw.normal(size=REGIONS),
                    "lognormal": draw.lognormal(size=REGIONS),
                    "3 of 17 regions": (np.arange(REGIONS) < 3) * 1.0,
                }
                table = pd.DataFrame(draw.permuted(marks, axis=1).T).add_prefix("sector ")
                found = spatialkz.threshold_odds(table, pd.DataFrame({"x": values[kind]}))
                rejected.append((found.to_frame()["p_value"] <= LEVEL).mean())
            shares.append(f"{np.mean(rejected):.3f}")
        yield f"| {kind} | {' | '.join(shares)} |"


def policies() -> Iterator[str]:
    study = spatialkz.load_study()
    found = spatialkz.policy_contrast(study.table.values, study.policies, rng=SEED).to_frame()
    yield ""
    yield "## Policies of the paper"
    yield ""
    yield "`policy_contrast(study.table.values, study.policies)`, in ln(1 + LQ), given region and sector:"
    yield ""
    yield "| policy | cells | difference | 95 % interval | p | largest p without one region | found in 80 % |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for policy, row in found.iterrows():
        interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
        yield (
            f"| {policy} | {row['named']} | {row['difference']:+.3f} | {interval} | {row['p_value']:.3f} | "
            f"{row['worst_p']:.3f} ({row['rests_on']}) | {row['detectable']:.3f} |"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    text = INTRODUCTION + "\n".join(entries()) + "\n" + ODDS_INTRODUCTION + "\n".join([*odds(), *policies()])
    PAGE.write_text(f"{text}\n", encoding="utf-8")
