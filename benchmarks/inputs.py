"""Maps, values and clocks that the benchmarks share."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd
from libpysal.graph import Graph


def queen_lattice(side: int) -> Graph:
    """Binary queen graph of a square lattice, regions numbered row by row."""
    cells = np.arange(side * side).reshape(side, side)
    ends = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        near = cells[: side - down, max(0, -right) : side - max(0, right)]
        ends.append((near.ravel(), (near + down * side + right).ravel()))
    first, second = (np.concatenate(part) for part in zip(*ends, strict=True))
    focal, neighbor = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((neighbor, focal))
    return Graph.from_arrays(focal[order], neighbor[order], np.ones(len(order)))


def normal_values(n: int, variables: int, seed: int = 1) -> pd.DataFrame:
    """Independent normal values: the null hypothesis holds."""
    cells = np.random.default_rng(seed).normal(size=(n, variables))
    return pd.DataFrame(cells, columns=[f"v{k}" for k in range(variables)])


@dataclass(frozen=True)
class Clock:
    """Seconds a job took: median and smallest wall time, and the smallest time on all cores together."""

    median: float
    best: float
    cores: float


def timed(*jobs: Callable[[], object], times: int = 5) -> list[Clock]:
    """Clock jobs in turn, so that all meet the same load of the machine."""
    found: list[list[tuple[float, float]]] = [[] for _ in jobs]
    for _ in range(times):
        for job, record in zip(jobs, found, strict=True):
            wall, cores = time.perf_counter(), time.process_time()
            job()
            record.append((time.perf_counter() - wall, time.process_time() - cores))
    clocks = []
    for record in found:
        walls, on_cores = zip(*record, strict=True)
        clocks.append(Clock(statistics.median(walls), min(walls), min(on_cores)))
    return clocks


def copy_bandwidth() -> float:
    """Bytes read and written in a second by one thread copying 256 MB."""
    source, target = np.ones(32_000_000), np.empty(32_000_000)
    return 2 * source.nbytes / timed(lambda: np.copyto(target, source), times=9)[0].best


def machine(*packages: str) -> str:
    """Processor, cores, load and versions, for the head of a report."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    known = []
    for name in packages:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            known.append(f"{name} not installed")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{model}, {os.cpu_count()} cores, load {load:.1f}; Python {platform.python_version()}, "
        + ", ".join(known)
    )
