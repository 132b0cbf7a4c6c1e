"""How kernels are compiled: once for all runs where a cache can be kept, and anew where none can."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

from spatialkz.errors import notice


class _Cache(FunctionCache):
    """numba's cache, but a file in it that is cut short or cannot be written is as good as none."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled before, or None."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # A file cut short can fail in any way.
            notice(f"The cache of compiled code cannot be read and is made anew: {_said(error)}.")
            # Emptied, so that what is compiled now can be kept.
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that can be done."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:
            notice(f"Compiled code cannot be kept, so the next run compiles again: {_said(error)}.")


def _said(error: Exception) -> str:
    """What went wrong, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a kernel that is compiled on its first call and then runs without the interpreter's lock.

    Parameters
    ----------
    **options
        As for :func:`numba.njit`, but for ``cache`` and ``nogil``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        kernel: Any = njit(nogil=True, **options)(function)
        if isinstance(kernel, Dispatcher):
            # numba refuses where neither the package, nor the home, nor NUMBA_CACHE_DIR can be written.
            with suppress(RuntimeError, OSError):
                kernel._cache = _Cache(function)  # type: ignore[attr-defined,no-untyped-call]
        return kernel

    return decorate
