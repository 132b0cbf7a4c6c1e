"""Make the random input tables and the values of econcomplex; see README.md."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
REGIONS = [f"region {letter}" for letter in "ABCDEFG"]
SECTORS = ["chemicals", "computers", "machinery", "research", "software"]


def make_inputs() -> None:
    """Jobs, all jobs, coordinates, and national and regional input coefficients."""
    rng = np.random.default_rng(20260311)
    jobs = pd.DataFrame(np.ceil(rng.lognormal(6, 1.2, (7, 5))).astype(int), REGIONS, SECTORS)
    jobs.rename_axis("region").to_csv(HERE / "jobs.csv")
    everything = jobs.sum(axis=1) + rng.integers(1000, 50_000, 7)
    everything.rename_axis("region").rename("all jobs").to_csv(HERE / "all_jobs.csv")
    places = pd.DataFrame(rng.uniform(0, 10, (7, 2)).round(3), REGIONS, ["x", "y"])
    places.rename_axis("region").to_csv(HERE / "places.csv")
    for name in ("national", "regional"):
        table = pd.DataFrame(rng.dirichlet([1.0] * 6, 5).T[:5].round(4), SECTORS, SECTORS)
        table.rename_axis("selling").to_csv(HERE / f"{name}.csv")


def make_econcomplex() -> None:
    """``econcomplex.location_quotient`` of the jobs."""
    from econcomplex import location_quotient

    jobs = pd.read_csv(HERE / "jobs.csv", index_col=0)
    location_quotient(jobs).to_csv(HERE / "econcomplex.csv", float_format="%.15g")


if __name__ == "__main__":
    make_inputs()
    make_econcomplex()
