"""A register of 10⁸ rows in Parquet against bare DuckDB SQL: seconds and memory; and the engines.

python benchmarks/registers.py [ROWS] [FOLDER]      the file is made in FOLDER and deleted at the end
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import machine

SECTORS, TIMES = 88, 3
SQL = "SELECT region, sector, sum(jobs), count(*){more} FROM '{file}' GROUP BY ALL"
SQUARES = ", sum(jobs::DOUBLE * jobs)"
# Each runs in a process of its own, so that its memory is its own.
CHILD = """
import json, sys, time, warnings
job, file = sys.argv[1:]
import duckdb, narwhals, pandas, pyarrow
if "bare" not in job:
    from spatialkz.tables import aggregate_register
start, before = time.perf_counter(), time.process_time()
{body}
took, cores = time.perf_counter() - start, time.process_time() - before
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([took, cores, int(status["VmHWM"].split()[0]) / 1e6, float(total)]))
"""
OURS = "aggregate_register({frame}, 'region', 'sector', 'jobs'{more}).values.to_numpy().sum()"
JOBS = {
    "bare SQL": "total = duckdb.sql({sql!r}).df().iloc[:, 2].sum()",
    "aggregate_register": f"total = {OURS}",
    "bare SQL, with squares": "total = duckdb.sql({squares!r}).df().iloc[:, 2].sum()",
    "aggregate_register, plants": f"total = {OURS}",
    "aggregate_register, prefixes": f"total = {OURS}",
}
MORE = {
    "aggregate_register, plants": ", plants=True",
    "aggregate_register, prefixes": ", regions=4, sectors='section', unmatched='leave-out'",
}
PEERS = {
    "aggregate_register": "bare SQL",
    "aggregate_register, plants": "bare SQL, with squares",
    "aggregate_register, prefixes": "bare SQL",
}
ENGINES = {
    "DuckDB relation": "frame = duckdb.read_parquet(file)",
    "Arrow dataset": "import pyarrow.dataset; frame = pyarrow.dataset.dataset(file)",
    "Polars, lazy": "import polars; frame = polars.scan_parquet(file)",
    "Dask": "import dask.dataframe; frame = dask.dataframe.read_parquet(file, split_row_groups=10)",
    "pandas": "frame = pandas.read_parquet(file)",
}


def make(file: Path, rows: int, regions: int) -> None:
    """Codes and sizes from hashes of the row number: the same file everywhere."""
    import duckdb

    duckdb.execute(
        f"""COPY (SELECT
            lpad((1 + hash(i) % {regions})::VARCHAR, 4, '0') AS region,
            lpad((1 + hash(i + 7) % {SECTORS})::VARCHAR, 2, '0') AS sector,
            (1 + (hash(i + 13) % 1000) * (hash(i + 17) % 7))::INTEGER AS jobs
        FROM range({rows}) rows(i)) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 1000000)"""
    )


def run(job: str, body: str, file: Path) -> list[float]:
    """Seconds of the clock and of all cores, largest memory (GB) and total of a job in its own process."""
    body = "warnings.simplefilter('ignore')\n" + body
    code = CHILD.replace("{body}", body)
    told = subprocess.run(
        [sys.executable, "-c", code, job, str(file)], capture_output=True, text=True, check=True
    )
    found: list[float] = json.loads(told.stdout.splitlines()[-1])
    return found


def main(rows: int, folder: Path) -> None:
    print(machine("duckdb", "narwhals", "pandas", "pyarrow", "polars", "dask"))
    for regions in (17, 3100):
        file = folder / f"register-{regions}.parquet"
        make(file, rows, regions)
        print(f"{rows:,} rows, {regions} regions, {SECTORS} sectors, {file.stat().st_size / 1e6:.0f} MB")
        texts = {"sql": SQL.format(file=file, more=""), "squares": SQL.format(file=file, more=SQUARES)}
        bodies = {
            job: body.format(frame="file", more=MORE.get(job, ""), **texts) for job, body in JOBS.items()
        }
        found: dict[str, list[list[float]]] = {job: [] for job in bodies}
        for _ in range(TIMES):
            for job, body in bodies.items():
                found[job].append(run(job, body, file))
        clock, cores = (
            {job: statistics.median(took[k] for took in runs) for job, runs in found.items()} for k in (0, 1)
        )
        for job, runs in found.items():
            peer = PEERS.get(job, job)
            ratios = f"{clock[job] / clock[peer]:.2f} and {cores[job] / cores[peer]:.2f} x {peer}"
            print(
                f"  {job}: {clock[job]:.1f} s of the clock, {cores[job]:.1f} s of both cores, "
                f"{max(took[2] for took in runs):.2f} GB" + (f", {ratios}" if job in PEERS else ""),
                flush=True,
            )
        file.unlink()
    few = rows // 10
    make(file, few, 3100)
    print(f"{few:,} rows, 3100 regions, on each engine")
    totals = set()
    for engine, opening in ENGINES.items():
        start = time.perf_counter()
        took, _, peak, total = run(engine, f"{opening}\ntotal = {OURS.format(frame='frame', more='')}", file)
        totals.add(total)
        print(f"  {engine}: {took:.1f} s ({time.perf_counter() - start:.1f} s with imports), {peak:.2f} GB")
    file.unlink()
    assert len(totals) == 1, totals  # noqa: S101
    print("All engines give the same total.")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as made:
        main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000_000, Path(made))
