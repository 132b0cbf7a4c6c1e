"""``python -m spatialkz``, and the command: guarded before anything that takes time is imported."""

from __future__ import annotations

try:
    from spatialkz.processes import guarded
except KeyboardInterrupt:
    raise SystemExit(130) from None


def main() -> None:
    """Entry point of the command ``spatialkz``."""
    guarded(_command)


def _command() -> None:
    from spatialkz.cli import app

    app(prog_name="spatialkz")


if __name__ == "__main__":
    main()
