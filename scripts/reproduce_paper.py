"""Run the study of Dnishev, Alzhanova & Satpayeva (2022) and hold its Table 1 against what the paper says."""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.cli import run_script
from spatialkz.datasets import read_table
from spatialkz.pipeline import run_study
from spatialkz.progress import shown_progress


def main(
    out: Annotated[Path, typer.Option(help="Results folder.")] = Path("results"),
    seed: Annotated[int, typer.Option(help="Seed of all random draws.")] = 42,
) -> None:
    study = spatialkz.load_study("kazakhstan-2022")
    printed = read_table("kazakhstan-2022/table1")
    reached, bold = printed["lq"] >= study.choices.threshold, printed["bold"] == 1
    print(f"Cells with LQ ≥ 1: {reached.sum()}; in bold: {bold.sum()}; the two differ in:")
    print(printed.loc[reached != bold, ["region", "sector", "lq", "bold"]].to_string(index=False))
    print(f"Sectors by group: {study.table.groups.value_counts().to_dict()}; the text says 5 and 5.")
    breadth = (study.table.values >= study.choices.threshold).sum(axis=1)
    tiers = breadth.groupby(study.placement, dropna=False).agg(["size", "mean", "min", "max"])
    print(f"Number of specializations by the tier the text puts a region in:\n{tiers.round(2).to_string()}")
    with shown_progress() as progress:
        folder = run_study(study, out, seed=seed, progress=progress)
    print(f"Results are in {folder}; open {folder / 'report.html'}.")


if __name__ == "__main__":
    run_script(main, __doc__)
