"""Start-up and a whole run, as ratios to importing what they need; each command in a process of its own."""

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 5
STACK = "import geopandas, sklearn.cluster, esda, statsmodels.api"


def seconds(*command: str) -> float:
    """Median wall time of a command over ``REPEATS`` processes, after one that warms the caches."""
    taken = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def main() -> None:
    program = str(Path(sys.executable).with_name("spatialkz"))
    with tempfile.TemporaryDirectory() as folder:
        typer, helped = seconds(sys.executable, "-c", "import typer"), seconds(program, "--help")
        stack, ran = (
            seconds(sys.executable, "-c", STACK),
            seconds(program, "run", "--out", str(Path(folder) / "results")),
        )
    print(f"Python {platform.python_version()}, {platform.machine()}, median of {REPEATS}")
    print(f"spatialkz --help {helped:.2f} s, import typer {typer:.2f} s: {helped / typer:.1f} x (limit 4)")
    print(f"spatialkz run {ran:.1f} s, {STACK} {stack:.1f} s: {ran / stack:.1f} x (limit 6)")


if __name__ == "__main__":
    main()
