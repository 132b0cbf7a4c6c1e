"""Blocks on threads, and kernels compiled with a cache, with a broken one, and without any."""

import importlib.util
import traceback

import joblib
import pytest
from numba.core.caching import CacheImpl

from spatialkz.errors import Notice
from spatialkz.resampling.parallel import in_blocks

KERNEL = """
from spatialkz.resampling.kernels import compiled

@compiled(error_model="numpy")
def half(x):
    return x / 2
"""


def broken(part):
    """Fail in the block that holds 5, as a kernel would."""
    if part.start <= 5 < part.stop:
        try:
            raise OSError("no locator available")
        except OSError as error:
            raise RuntimeError("a block failed") from error
    return part


@pytest.mark.parametrize("backend", [None, "threading"])
def test_an_exception_in_a_worker_keeps_its_cause(backend):
    given = {} if backend is None else {"backend": backend}
    with (
        joblib.parallel_config(n_jobs=2, **given),
        pytest.raises(RuntimeError, match="a block failed") as told,
    ):
        in_blocks(broken, 8, steps=float("inf"))
    assert "no locator available" in "".join(traceback.format_exception(told.value))
    with joblib.parallel_config(n_jobs=2, **given):
        assert in_blocks(broken, 4, steps=float("inf")) == [slice(i, i + 1) for i in range(4)]


@pytest.fixture
def fresh(tmp_path):
    """Import a kernel from a file, anew with each call, and say what it gives and what the cache gave."""
    (tmp_path / "kernel.py").write_text(KERNEL)

    def load():
        spec = importlib.util.spec_from_file_location("kernel", tmp_path / "kernel.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.half(3.0), sum(module.half.stats.cache_hits.values())

    return load


def test_a_kernel_is_compiled_once_for_all_runs(fresh, tmp_path):
    assert [fresh(), fresh()] == [(1.5, 0), (1.5, 1)]
    assert len(list((tmp_path / "__pycache__").glob("*.nb[ic]"))) == 2


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("content", ["cut short", "empty", "zeros", "text"])
def test_a_broken_cache_is_as_good_as_none_and_is_mended(fresh, tmp_path, ending, content):
    fresh()
    (file,) = (tmp_path / "__pycache__").glob(f"*.{ending}")
    whole = file.read_bytes()
    file.write_bytes(
        {"cut short": whole[:-9], "empty": b"", "zeros": bytes(len(whole)), "text": b"half a cache"}[content]
    )
    with pytest.warns(Notice, match="cannot be read and is made anew"):
        assert fresh() == (1.5, 0)
    assert fresh() == (1.5, 1)


def test_where_nothing_can_be_cached_kernels_are_compiled_each_time(fresh, tmp_path, monkeypatch):
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert [fresh(), fresh()] == [(1.5, 0), (1.5, 0)]
    assert not (tmp_path / "__pycache__").exists()


def test_a_cache_on_a_full_disk_costs_nothing_but_time(fresh, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", full)
    with pytest.warns(Notice, match="cannot be kept, .* again: .*No space left on device"):
        assert [fresh(), fresh()] == [(1.5, 0), (1.5, 0)]
