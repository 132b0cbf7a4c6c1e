"""Shared inputs: the paper's study as it is bundled, a quick version of it, and one run of that."""

import os
import pickle
from dataclasses import replace

import pandas as pd
import pytest

import spatialkz
from spatialkz.__main__ import main
from spatialkz.study import Choices

try:
    import fcntl
except ImportError:  # Windows: each worker then makes what it needs itself.
    fcntl = None


@pytest.fixture(scope="session")
def study():
    return spatialkz.load_study("kazakhstan-2022")


@pytest.fixture(scope="session")
def quick(study):
    return replace(study, choices=Choices(permutations=199, resamples=10, draws=200, simulations=600))


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Make what takes long once for all workers: the first that asks makes it, others wait and read it."""
    alone = fcntl is None or "PYTEST_XDIST_WORKER" not in os.environ
    shared = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent

    def get(name, make):
        kept = shared / name / "kept.pickle"
        kept.parent.mkdir(exist_ok=True)
        with (kept.parent / "lock").open("w") as lock:
            if not alone:
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_bytes(pickle.dumps(make(kept.parent)))
        return pickle.loads(kept.read_bytes())

    return get


@pytest.fixture(scope="session")
def run_and_tell():
    """Run a study; the results folder, and what was found."""
    from spatialkz import pipeline

    def run(study, out, **options):
        found = []
        with pytest.MonkeyPatch.context() as patch:
            write = pipeline.write_tables
            patch.setattr(pipeline, "write_tables", lambda *told: (found.append(told[0]), write(*told)))
            return pipeline.run_study(study, out, **options), *found

    return run


@pytest.fixture(scope="session")
def made(quick, once, run_and_tell):
    """The folder of one whole run, and what it found."""

    def run(folder):
        (folder / "run").mkdir()
        return run_and_tell(quick, folder / "run" / "results", seed=42)

    return once("quick run", run)


@pytest.fixture(scope="session")
def results(made):
    """Results folder of the quick study; not to be written to."""
    return made[0]


@pytest.fixture(scope="session")
def findings(made):
    """What the run of the quick study found."""
    return made[1]


@pytest.fixture(scope="session")
def quotients(study):
    return study.table.values


@pytest.fixture(scope="session")
def variables(quotients):
    """The eleven sectors and breadth, as the pipeline tests them."""
    return quotients.assign(breadth=(quotients >= 1).sum(axis=1))


@pytest.fixture
def shuffled():
    """Rows of a table in another order."""

    def shuffle(table: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
        return table.sample(frac=1, random_state=7)

    return shuffle


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command as a shell would: arguments in, exit status and both streams out."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["spatialkz", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run
