"""How kernels are compiled: once for all runs where a cache can be kept, and anew where none can."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher


class _Cache(FunctionCache):
    """numba's cache, but a file in it that is cut short or cannot be written is as good as none."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled before, or None."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:
            # Emptied, so that what is compiled now can be kept.
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that can be done."""
        with suppress(Exception):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


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
