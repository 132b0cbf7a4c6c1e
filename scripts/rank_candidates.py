"""Rank the cluster candidates (region × sector) and the areas (regions) of a study, with rank intervals."""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.cli import find_study, run_script
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    draws: Annotated[int, typer.Option(help="Monte-Carlo draws of rounding and weights.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 42,
    candidates: Annotated[Path, typer.Option(help="File for the candidates.")] = Path("candidates.csv"),
    areas: Annotated[Path, typer.Option(help="File for the areas.")] = Path("areas.csv"),
) -> None:
    ranking = spatialkz.rank_candidates(find_study(study), draws=draws, rng=seed)
    write_table(ranking.candidates, candidates)
    write_table(ranking.areas, areas)
    print(ranking.summary())
    print(f"Candidates are in {candidates}, areas in {areas}.")


if __name__ == "__main__":
    run_script(main, __doc__)
