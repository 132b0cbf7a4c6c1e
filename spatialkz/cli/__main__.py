"""Run with ``python -m spatialkz.cli``."""

from spatialkz.cli import main

if __name__ == "__main__":
    main()
