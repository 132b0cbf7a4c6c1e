"""The command line: it parses, calls the package and writes; no statistics here.

Everything heavy is imported inside the commands, so that ``spatialkz --help`` answers at once.
"""

from spatialkz.cli.app import app, run_script
from spatialkz.cli.arguments import find_study

__all__ = ["app", "find_study", "run_script"]
