"""A bounded in-memory cache that the evaluations of a process share, and immutable arrays.

It keeps fitted preprocessing, distances, kernels and solutions: values that are keyed by content
and expensive to compute. Every entry could be recomputed with the same bits, so no result depends
on the state of the cache.

A key is a digest of an array's content. It stays valid while the array lives only if nothing can
change the array. A read-only flag does not guarantee that: it can be reset, and the array may be a
view of a writeable one. The memory of a frozen array is therefore a Python ``bytes`` object; NumPy
refuses to make an array over it writeable.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "Statistics",
    "configure",
    "fetch",
    "freeze",
    "freeze_rows",
    "has_room",
    "is_frozen",
    "limit",
    "reserve",
    "statistics",
]

Value = TypeVar("Value")

_PREPARED = ("prepared", "transformed")  # prefix of the keys of preprocessed rows

_SHARE = 0.125  # share of the machine's memory, unless configured
_LOKY_BYTES = 200 << 20  # joblib's workers are replaced when they have grown by 300 MB
_STALE = 8  # maximum length of the queue, as a multiple of the number of entries


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counters of the cache since the process began; subtract two to measure an interval.

    Attributes
    ----------
    prepared_hits : int
        Lookups of preprocessed rows that found an entry.
    kernel_hits : int
        Lookups of distances, kernels, solutions and decision values that found an entry.
    kernel_misses : int
        Such lookups that had to compute the value.
    shared_seconds : float
        Seconds that computing the entries found took originally, summed over threads.
    n_bytes, peak_bytes : int
        Bytes held now, and the maximum so far.
    """

    prepared_hits: int = 0
    kernel_hits: int = 0
    kernel_misses: int = 0
    shared_seconds: float = 0.0
    n_bytes: int = 0
    peak_bytes: int = 0


@dataclass(slots=True)
class _Entry:
    value: Any
    n_bytes: int
    seconds: float
    priority: float = 0.0


class _Store:
    """Entries by key; those that are cheapest to recompute per byte are evicted first.

    The policy is GreedyDual-Size (Cao and Irani, USENIX Symposium on Internet Technologies and
    Systems, 1997): an entry's priority is its seconds per byte plus the priority of the last
    evicted entry, so that expensive entries stay longer, but not for ever.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.reserved = 0
        self.lock = threading.Lock()
        self.entries: dict[Hashable, _Entry] = {}
        self.gates: dict[Hashable, threading.Lock] = {}
        self.queue: list[tuple[float, int, Hashable]] = []
        self.number = 0
        self.floor = 0.0
        self.n_bytes = self.peak = self.misses = 0
        self.hits = {True: 0, False: 0}  # of preprocessed rows, and of all other entries
        self.seconds = 0.0

    def find(self, key: Hashable) -> _Entry | None:
        """Return an entry and count it as used; None if there is none."""
        entry = self.entries.get(key)
        if entry is not None:
            self.touch(key, entry)
            self.hits[_is_prepared(key)] += 1
            self.seconds += entry.seconds
        return entry

    def touch(self, key: Hashable, entry: _Entry) -> None:
        entry.priority = self.floor + entry.seconds / max(entry.n_bytes, 1)
        self.number += 1
        heapq.heappush(self.queue, (entry.priority, self.number, key))
        if len(self.queue) > _STALE * (len(self.entries) + _STALE):
            self.queue = [
                (entry.priority, number, key)
                for number, (key, entry) in enumerate(self.entries.items())
            ]
            heapq.heapify(self.queue)
            self.number = len(self.queue)

    def insert(self, key: Hashable, entry: _Entry) -> None:
        self.misses += not _is_prepared(key)
        if entry.n_bytes > self.limit - self.reserved:
            return
        self.entries[key] = entry
        self.n_bytes += entry.n_bytes
        self.touch(key, entry)
        self.shrink()
        self.peak = max(self.peak, self.n_bytes + self.reserved)

    def shrink(self) -> None:
        while self.entries and self.n_bytes > self.limit - self.reserved:
            priority, _, key = heapq.heappop(self.queue)
            entry = self.entries.get(key)
            if entry is not None and entry.priority == priority:  # otherwise used since, or evicted
                del self.entries[key]
                self.n_bytes -= entry.n_bytes
                self.floor = priority


def _is_prepared(key: Hashable) -> bool:
    """Return whether a key is of preprocessed rows."""
    return isinstance(key, tuple) and key[0] in _PREPARED


def _default_limit() -> int:
    import multiprocessing

    import psutil

    if multiprocessing.current_process().name.startswith("LokyProcess"):
        return _LOKY_BYTES
    return int(psutil.virtual_memory().total * _SHARE)


_store = _Store(_default_limit())


def configure(*, memory: int | None = None) -> None:
    """Set the maximum size of this process's cache.

    Parameters
    ----------
    memory : int, optional
        Bytes, at least 0; by default an eighth of the machine's (200 MiB in a worker of joblib's,
        which replaces workers that grow). Results do not depend on it.

    Raises
    ------
    ValueError
        If it is negative.
    """
    if memory is not None and memory < 0:
        raise ValueError(f"memory must be at least 0 bytes, but got {memory}.")
    with _store.lock:
        _store.limit = _default_limit() if memory is None else memory
        _store.shrink()


def statistics() -> Statistics:
    """Return the counters since the process began."""
    with _store.lock:
        return Statistics(
            prepared_hits=_store.hits[True],
            kernel_hits=_store.hits[False],
            kernel_misses=_store.misses,
            shared_seconds=_store.seconds,
            n_bytes=_store.n_bytes,
            peak_bytes=_store.peak,
        )


def limit() -> int:
    """Return the maximum size in bytes."""
    return _store.limit


def has_room(n_bytes: int) -> bool:
    """Return whether values of this total size leave most of the cache to other entries."""
    return n_bytes <= _store.limit // 4


def fetch(key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
    """Return the value of a key, computing it if absent; one thread computes, the others wait."""
    store = _store
    with store.lock:
        entry = store.find(key)
        if entry is not None:
            return entry.value  # type: ignore[no-any-return]
        gate = store.gates.setdefault(key, threading.Lock())
    with gate:
        with store.lock:
            entry = store.find(key)
        if entry is not None:
            return entry.value  # type: ignore[no-any-return]
        started = time.perf_counter()
        try:
            value = make()
            made = _Entry(value, size(value), time.perf_counter() - started)
        finally:
            with store.lock:
                store.gates.pop(key, None)
        with store.lock:
            if key not in store.entries:
                store.insert(key, made)
    return value


@contextmanager
def reserve(n_bytes: int) -> Iterator[None]:
    """Reserve memory within the limit for work in progress."""
    store = _store
    with store.lock:
        store.reserved += n_bytes
        store.shrink()
        store.peak = max(store.peak, store.n_bytes + store.reserved)
    try:
        yield
    finally:
        with store.lock:
            store.reserved -= n_bytes


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Return an immutable array of equal dtype, shape, values and memory order.

    Parameters
    ----------
    array : ndarray
        In C or Fortran order (otherwise the result is in C order); not of objects.

    Returns
    -------
    ndarray
        The array itself if it is frozen already, otherwise a copy.

    Raises
    ------
    TypeError
        If it holds Python objects.

    Examples
    --------
    >>> frozen = freeze(np.arange(3))
    >>> frozen.flags.writeable = True
    Traceback (most recent call last):
    ValueError: cannot set WRITEABLE flag to True of this array
    """
    if is_frozen(array):
        return array
    if array.dtype.hasobject:
        raise TypeError(f"an array of type {array.dtype} cannot be frozen: it holds objects.")
    order: Any = "F" if array.flags.fnc else "C"
    content = array.tobytes(order)
    return np.ndarray(array.shape, array.dtype, buffer=content, order=order)


def freeze_rows(array: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return some rows of a two-dimensional array in C order, frozen, with a single copy."""
    content = b"".join([array[row].data for row in rows])
    return np.ndarray((len(rows), array.shape[1]), array.dtype, buffer=content)


def is_frozen(array: NDArray[Any]) -> bool:
    """Return whether an array's memory is a ``bytes`` object, directly or through views."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return type(base) is bytes and not array.flags.writeable


def _reset() -> None:
    """Reset the cache in a forked child, where locks held by the parent would never be released."""
    global _store  # noqa: PLW0603
    _store = _Store(_store.limit)


os.register_at_fork(after_in_child=_reset)
