"""Rank the cluster candidates and the areas of a study, and hold the ranks against what others say."""

from pathlib import Path
from typing import Annotated

import typer

import spatialkz
from spatialkz.candidates import review_ranking
from spatialkz.cli import find_study, run_script
from spatialkz.tables import write_table


def main(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a bundled study.")
    ] = "kazakhstan-2022",
    draws: Annotated[int, typer.Option(help="Monte-Carlo draws of rounding and choices.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 42,
    candidates: Annotated[Path, typer.Option(help="File for the candidates.")] = Path("candidates.csv"),
    areas: Annotated[Path, typer.Option(help="File for the areas.")] = Path("areas.csv"),
) -> None:
    given = find_study(study)
    ranking = spatialkz.rank_candidates(given, draws=draws, rng=seed)
    print(ranking.summary(), review_ranking(given, ranking, rng=seed).summary(), sep="\n\n")
    write_table(ranking.candidates, candidates)
    write_table(ranking.areas, areas)
    print(f"Candidates are in {candidates}, areas in {areas}.")


if __name__ == "__main__":
    run_script(main, __doc__)
