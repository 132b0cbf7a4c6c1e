"""``spatialkz figures``: the figures of a results folder, for print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spatialkz.errors import listing


def figures(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Results folder of spatialkz run.")],
) -> None:
    """Draw the figures of earlier results as PNG with 300 dots an inch.

    What was found is found again from the study that the results name, and must be the same to the byte.
    """
    from spatialkz.pipeline import draw_again
    from spatialkz.progress import shown_progress

    with shown_progress() as progress:
        written = draw_again(results, progress=progress)
    print(f"Drawn into {results / 'figures'}: {listing((path.name for path in written), 3)}.")
