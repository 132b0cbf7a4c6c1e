"""Work in several threads, in several processes or on a cluster of computers, through joblib alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import ThreadingBackend, _backend, default_parallel_config

Part = TypeVar("Part")

# About 10 milliseconds of work, which is what starting workers and waiting for them takes.
_WORTH_A_WORKER = 20_000_000


class _Threads(ThreadingBackend):  # type: ignore[misc]
    """Threads whose results are waited for; joblib's own look every 10 milliseconds whether there is one."""

    supports_retrieve_callback = False

    def retrieve_result(self, out: Any, timeout: float | None = None) -> Any:
        """The result of a task, or its exception raised with what led to it."""
        return self.retrieve_result_callback(super().retrieve_result(out, timeout))


def in_blocks(
    function: Callable[[slice], Part], total: int, steps: float, *, multiple: int = 1, most: int | None = None
) -> list[Part]:
    """Call ``function`` on slices that cover ``range(total)``, in parallel; results in order.

    All cores are used as threads, unless ``joblib.parallel_config`` says otherwise: its ``backend`` ("loky",
    "dask" …) and ``n_jobs`` count. What a block computes must not depend on where blocks begin.

    Parameters
    ----------
    function : callable
        Takes a slice; picklable, so that other processes can be given it.
    total : int
    steps : float
        Elementary steps in all, roughly; for few of them no worker is started.
    multiple : int
        Blocks begin at multiples of this.
    most : int, optional
        The largest block.

    >>> in_blocks(lambda part: list(range(6))[part], 6, steps=6)
    [[0, 1, 2, 3, 4, 5]]
    """
    run = _chosen()
    jobs = int(effective_n_jobs(run.n_jobs)) if steps > _WORTH_A_WORKER else 1
    # A few blocks for each worker, so that a slow one does not keep the others waiting.
    blocks = 1 if jobs == 1 else 4 * jobs
    size = -(-total // (blocks * multiple)) * multiple
    size = size if most is None else min(size, most)
    parts = [slice(start, min(start + size, total)) for start in range(0, total, size)]
    if jobs == 1 or len(parts) == 1:
        return [function(part) for part in parts]
    return list(run(delayed(function)(part) for part in parts))


def _chosen() -> Parallel:
    """What joblib.parallel_config names, and all cores as threads where it names nothing.

    joblib alone would take one job where no number is named, and no threads where no backend is.
    """
    config = getattr(_backend, "config", default_parallel_config)
    named = {key for key in ("backend", "n_jobs") if config[key] is not default_parallel_config[key]}
    jobs = config["n_jobs"] if "n_jobs" in named else -1
    return Parallel(n_jobs=jobs) if "backend" in named else Parallel(n_jobs=jobs, backend=_Threads())
