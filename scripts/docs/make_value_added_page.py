"""Write the numbers of docs/value-added.md: value added beside Table 1, the focal test by year (a minute)."""

from pathlib import Path

import spatialkz
from spatialkz.change import analyse_change
from spatialkz.focal import focal_test
from spatialkz.specialization import table_quotients
from spatialkz.study import Study
from spatialkz.tables import Panel

PAGE = Path(__file__).parents[2] / "docs" / "value-added.md"
MARK = "<!-- numbers: python scripts/docs/make_value_added_page.py -->\n"
SEED = 42
#: Section of value added → sectors of Table 1 that are part of it.
PARTS = {
    "Manufacturing": ["chemical", "pharmaceutical", "engineering", "electronics", "electrical", "vehicles"],
    "Information and communication": ["programming", "computer", "information"],
    "Professional, scientific and technical activities": ["research", "professional"],
}
YEARS = range(2014, 2023)


def studies() -> tuple[Study, Study]:
    return spatialkz.load_study("kazakhstan-2022"), spatialkz.load_study("kazakhstan-gva")


def panel_of(study: Study) -> Panel:
    if study.panel is None:
        raise ValueError(f"{study.name} has one period")
    return study.panel


def agreement(paper: Study, value_added: Study) -> list[str]:
    """Rank correlation of each sector of Table 1 with the section it is part of."""
    tables = {year: table_quotients(panel_of(value_added).tables[year]) for year in YEARS}
    lines = [
        "| sector of Table 1 | section of value added | Spearman, 2020 | least, most of 2014–2022 "
        "| highest in Table 1 | highest by value added, 2020 |",
        "|---|---|--:|--:|---|---|",
    ]
    for section, sectors in PARTS.items():
        for sector in sectors:
            printed = paper.table.values[sector]
            found = {
                year: printed.corr(table.loc[printed.index, section], method="spearman")
                for year, table in tables.items()
            }
            cells = [
                paper.sectors.loc[sector, "name_en"],
                section,
                f"{found[2020]:.2f}",
                f"{min(found.values()):.2f}, {max(found.values()):.2f}",
                printed.idxmax(),
                tables[2020][section].idxmax(),
            ]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def quotients(value_added: Study) -> list[str]:
    table = table_quotients(panel_of(value_added).tables[2020])
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index]
    lines = [f"| region | {' | '.join(table.columns)} |", "|---|" + "--:|" * table.shape[1]]
    lines += [
        f"| {region} | {' | '.join(f'{cell:.2f}' for cell in row)} |" for region, *row in table.itertuples()
    ]
    return lines


def by_year(value_added: Study) -> list[str]:
    """What the focal test says of each year: of J and M, with C, and of all five where there are five."""
    lines = [
        "| year | sections | verdict | variance ratio | p | regions | p | Moran's I of breadth "
        "| p of contiguity |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for year in YEARS:
        table = table_quotients(panel_of(value_added).tables[year])
        named = {
            "J, M": table[list(PARTS)[1:]],
            "C, J, M": table[list(PARTS)],
            "C, J, K, M, P": table,
        }
        for name, quotients in named.items():
            if name.count(",") >= table.shape[1]:
                continue
            test = focal_test(quotients, value_added.graph, permutations=1999, simulations=3000, rng=SEED)
            row = test.to_frame().loc["all"]
            cells = [
                f"{row['variance_ratio']:.2f}",
                f"{row['colocation_p']:.2g}",
                f"{row['regions']:.0f}",
                f"{row['spread_p']:.2g}",
                f"{row['breadth_moran']:.2f}",
                f"{row['contiguity_p']:.2g}",
            ]
            lines.append(f"| {year} | {name} | {row['verdict']} | {' | '.join(cells)} |")
    return lines


def over_time(value_added: Study) -> list[str]:
    found = analyse_change(panel_of(value_added), value_added.graph, 2014, 2022, rng=SEED)
    earlier = analyse_change(panel_of(value_added), value_added.graph, 2011, 2020, rng=SEED)
    lines = ["| section | periods | β | β at most | spread | p of the spread |", "|---|---|--:|--:|--:|--:|"]
    for analysis in (earlier, found):
        if analysis.convergence is None:
            continue
        change = analysis.change
        for section, row in analysis.convergence.to_frame().iterrows():
            spread = f"{row['sigma_before']:.2f} → {row['sigma_after']:.2f}"
            cells = f"{row['beta']:.2f} | {row['beta_high']:.2f} | {spread}"
            lines.append(f"| {section} | {change.first}–{change.last} | {cells} | {row['sigma_p']:.2g} |")
    if found.focality is None:
        return lines
    lines += [
        "",
        "| 2014–2022, three sections | slope a year | p, regions permuted | p, time reversed |",
        "|---|--:|--:|--:|",
    ]
    for name, row in found.focality.trend.iterrows():
        lines.append(f"| {name} | {row['slope']:.3f} | {row['p_value']:.2g} | {row['p_reversal']:.2g} |")
    return lines


def numbers() -> str:
    paper, value_added = studies()
    parts = {
        "Quotients of 2020": quotients(value_added),
        "Against Table 1": agreement(paper, value_added),
        "The focal test, year by year": by_year(value_added),
        "Change": over_time(value_added),
    }
    return "\n".join(line for title, lines in parts.items() for line in (f"## {title}", "", *lines, ""))


def page() -> str:
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + "\n" + numbers()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
