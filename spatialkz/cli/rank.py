"""``spatialkz rank``: candidates and areas with rank intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from spatialkz.cli.arguments import KindOption, Output, Seed, Source, takes_source
from spatialkz.cli.output import emit, emit_result, tell
from spatialkz.cli.studies import known_kind
from spatialkz.errors import InputError

# Columns of a ranking that a terminal shows.
_FIRST, _BEHIND = ["rank_tier", "rank", "region"], ["score", "rank_low", "rank_high"]
_LEADING = {
    "candidates": [*_FIRST, "sector", "lq", *_BEHIND, "p_top10", "stars", "stars_possible"],
    "areas": [*_FIRST, "breadth", *_BEHIND, "p_top3", "tier", "district_type", "formation"],
}


@takes_source(default="kazakhstan-2022")
def rank(
    source: Source,
    areas: Annotated[bool, typer.Option("--areas", help="Rank regions instead of region × sector.")] = False,
    review: Annotated[
        bool,
        typer.Option("--review", help="Hold the ranks against expert tiers, zones and technoparks."),
    ] = False,
    sobol: Annotated[
        bool, typer.Option("--sobol", help="Which choice moves the ranks of areas (Sobol' indices).")
    ] = False,
    draws: Annotated[int | None, typer.Option(help="Monte-Carlo draws; left out, as the study says.")] = None,
    kind: KindOption = None,
    seed: Seed = 42,
    output: Output = None,
) -> None:
    """Rank cluster candidates, or areas, with rank intervals.

    The rank is the median over the draws; a tier holds what the draws cannot tell apart. A terminal shows
    the leading columns, a file or a pipe gets all. --review writes its results to a .json file, or the list
    of growth points to a table. --sobol says how much of the ranks' variance each choice behind the score
    accounts for.
    """
    if sobol and (review or areas):
        raise InputError(
            "--sobol is about the ranks of areas and stands alone; leave out --review and --areas."
        )
    from spatialkz.candidates import rank_candidates, review_ranking
    from spatialkz.candidates.scoring.sensitivity import area_sensitivity
    from spatialkz.progress import shown_progress

    given = source.study(kind=known_kind(source, kind))
    if sobol:
        moved = area_sensitivity(given, rng=seed)
        emit_result(moved, output, lambda: moved.to_frame().reset_index(), lambda: print(moved.summary()))
        return
    with shown_progress() as progress:
        ranking = rank_candidates(given, draws=draws, rng=seed, progress=progress)
    tell(ranking.notes)
    if not review:
        table = ranking.areas if areas else ranking.candidates
        leading = _LEADING["areas" if areas else "candidates"]
        emit(table, output, [name for name in leading if name in table])
        return
    found = review_ranking(given, ranking, rng=seed)

    def growth() -> object:
        if found.growth is None:
            raise InputError(f"{source.file} names no zones or technoparks, so there is no table to write.")
        return found.growth

    emit_result(found, output, growth, lambda: print(found.summary()))  # type: ignore[arg-type]
