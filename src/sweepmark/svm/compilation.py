"""Compilation by Numba, with a cache on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")

__all__ = ["compiled"]


def compiled(*, allowing: frozenset[str]) -> Callable[[Function], Function]:
    """Compile a function when it is first called.

    Parameters
    ----------
    allowing : frozenset of str
        LLVM's fast-math flags: permitted assumptions about and changes of floating-point
        operations.
    """

    def compile_later(function: Function) -> Function:
        options: dict[str, Any] = {"fastmath": set(allowing), "error_model": "numpy", "nogil": True}
        try:
            made = njit(function, cache=True, **options)
        except RuntimeError:  # no writable cache folder: every process compiles again
            made = njit(function, **options)
        return cast("Function", made)

    return compile_later
