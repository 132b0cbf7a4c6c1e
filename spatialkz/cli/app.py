"""The application: its commands in order, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from spatialkz import __version__
from spatialkz.cli import audit, cluster, focal, init, lq, moran, rank, regions, run
from spatialkz.exits import guarded

app = typer.Typer(
    name="spatialkz",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find knowledge-intensive clusters of regions, say how sure that is, and whether they are focal."""


for command in (
    run.run,
    init.init,
    lq.lq,
    audit.audit,
    moran.moran,
    focal.focal,
    cluster.cluster,
    rank.rank,
    regions.regions,
):
    app.command()(command)


def run_script(command: Callable[..., object], doc: str | None = None) -> None:
    """Turn one function into a script with the same manners as ``spatialkz``; ``doc`` is its help."""
    script = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    script.command(help=doc)(command)
    guarded(script)
