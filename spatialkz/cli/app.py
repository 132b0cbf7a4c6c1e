"""The application: its commands in order, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from spatialkz import __version__
from spatialkz.cli.change import change
from spatialkz.cli.cluster import cluster
from spatialkz.cli.quotients import audit, lq
from spatialkz.cli.rank import rank
from spatialkz.cli.regions import regions
from spatialkz.cli.register import register
from spatialkz.cli.studies import figures, init, run
from spatialkz.cli.tests import focal, moran, prerequisites
from spatialkz.processes import guarded

app = typer.Typer(
    name="spatialkz",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _Command(TyperCommand):
    """A command whose help puts options under the headings they belong to."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a list under each heading."""
        lists: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            usual = "Arguments" if param.param_type_name == "argument" else "Options"
            if record := param.get_help_record(ctx):
                lists.setdefault(getattr(param, "rich_help_panel", None) or usual, []).append(record)
        for heading, records in lists.items():
            with formatter.section(heading):
                formatter.write_dl(records)


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


_COMMANDS = (
    *(run, init, lq, audit, moran, focal, cluster, prerequisites, change, rank),
    *(regions, register, figures),
)
for command in _COMMANDS:
    app.command(cls=_Command)(command)


def run_script(command: Callable[..., object], doc: str | None = None) -> None:
    """Turn one function into a script with the same manners as ``spatialkz``; ``doc`` is its help."""
    script = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    script.command(help=doc)(command)
    guarded(script)
