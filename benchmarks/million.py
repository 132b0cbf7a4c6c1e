"""Global Moran's I of 50 variables on a million regions: wall time and the largest memory the process held.

python benchmarks/million.py [PERMUTATIONS]
"""

from __future__ import annotations

import resource
import sys
import time

from inputs import machine, normal_values, queen_lattice

import spatialkz


def main(permutations: int) -> None:
    print(machine("numpy", "numba", "pandas", "libpysal"))
    graph, values = queen_lattice(1000), normal_values(1_000_000, 50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    start = time.perf_counter()
    spatialkz.moran(values, graph, permutations=permutations, rng=1)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"n = 1,000,000, K = 50, {permutations} permutations: {took:.1f} s")
    print(f"resident memory at most {peak:.2f} GB, of which {before:.2f} GB while the input was made")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 999)
