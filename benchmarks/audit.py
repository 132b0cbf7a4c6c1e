"""Audit of a 3,000 × 300 table of quotients with two decimals."""

import platform
import statistics
import time

import numpy as np
import pandas as pd

from spatialkz.specialization import audit_quotients, location_quotient

REGIONS, SECTORS, REPEATS = 3_000, 300, 5


def main() -> None:
    rng = np.random.default_rng(0)
    base = pd.Series(rng.dirichlet(np.ones(REGIONS)))
    activity = pd.DataFrame(rng.gamma(0.3, size=(REGIONS, SECTORS)) * base.to_numpy()[:, None])
    quotients = location_quotient(activity, base, contained=False).round(2)
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        audit = audit_quotients(quotients)
        taken.append(time.perf_counter() - start)
    print(f"Python {platform.python_version()}, {platform.machine()}, median of {REPEATS}")
    print(f"audit_quotients {REGIONS:,} x {SECTORS}: {statistics.median(taken):.1f} s, {audit.findings[0]}")


if __name__ == "__main__":
    main()
