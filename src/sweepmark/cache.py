"""What evaluations share in a process's memory: a bounded cache, arrays that cannot change.

Fitted preprocessing, distances, kernels and solutions are kept: what is keyed by content and takes
long to make. Whatever is in the cache could be computed again with the same bits, so that no
result depends on what it holds.

A key names the content of an array. It holds for as long as the array lives only where nobody can
change it, of which a read-only flag is no proof: it can be set back, and an array that it is a
view of may be written to. The memory of a frozen array is a Python ``bytes`` object instead; NumPy
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
    "is_frozen",
    "keeps",
    "limit",
    "reserve",
    "statistics",
    "take",
]

Value = TypeVar("Value")

_PREPARED = ("prepared", "transformed")  # what keys of rows begin with

_SHARE = 0.125  # of the machine's memory, unless configured
_LOKY_BYTES = 200 << 20  # joblib's workers are replaced when they have grown by 300 MB
_STALE = 8  # how many times more places than entries the queue may have


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the store did since the process began; differences of two are what lies between.

    Attributes
    ----------
    prepared_hits : int
        Rows that fitted preprocessing had made already.
    kernel_hits : int
        Distances, kernels, solutions and decision values that were there.
    kernel_misses : int
        Those that were computed.
    shared_seconds : float
        What computing the hits took when they were computed (each thread's time counted).
    n_bytes, peak_bytes : int
        What it holds now, and the most it held.
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
    """Entries by key; where room is short, what is cheapest to make again per byte goes first.

    The policy is GreedyDual-Size (Cao and Irani, USENIX Symposium on Internet Technologies and
    Systems, 1997): an entry's priority is its seconds per byte on top of the priority of what went
    last, so that what is dear stays longer, but not for ever.
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
        self.hits = {True: 0, False: 0}  # of prepared rows, and of all else
        self.seconds = 0.0

    def find(self, key: Hashable) -> _Entry | None:
        """Return an entry and count it as used; None if it is not there."""
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
            if entry is not None and entry.priority == priority:  # else used since, or gone
                del self.entries[key]
                self.n_bytes -= entry.n_bytes
                self.floor = priority


def _is_prepared(key: Hashable) -> bool:
    """Tell whether an entry is of rows, as preprocessing made them."""
    return isinstance(key, tuple) and key[0] in _PREPARED


def _default_limit() -> int:
    import multiprocessing

    import psutil

    if multiprocessing.current_process().name.startswith("LokyProcess"):
        return _LOKY_BYTES
    return int(psutil.virtual_memory().total * _SHARE)


_store = _Store(_default_limit())


def configure(*, memory: int | None = None) -> None:
    """Bound the memory that evaluations share in this process.

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
    """Return what the store has done since the process began."""
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
    """Return the configured bytes."""
    return _store.limit


def keeps(n_bytes: int) -> bool:
    """Tell whether values of this size together leave most of the store to others."""
    return n_bytes <= _store.limit // 4


def fetch(key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
    """Return the value of a key, making it if it is not there; one thread makes, others wait."""
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
    """Keep room within the bound for work in progress."""
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
    """Return an array of equal type, shape, values and memory order that cannot be changed.

    Parameters
    ----------
    array : ndarray
        Contiguous in C's or in Fortran's order, or else the result is in C's; not of objects.

    Returns
    -------
    ndarray
        The array itself if it is frozen already, otherwise a copy.

    Raises
    ------
    TypeError
        If it holds Python objects, which ``bytes`` cannot.

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


def take(array: NDArray[Any], rows: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return some rows of a two-dimensional array in C's order, frozen, copied once."""
    content = b"".join([array[row].data for row in rows])
    return np.ndarray((len(rows), array.shape[1]), array.dtype, buffer=content)


def is_frozen(array: NDArray[Any]) -> bool:
    """Tell whether an array's memory is a ``bytes`` object, directly or through views."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return type(base) is bytes and not array.flags.writeable


def _reset() -> None:
    """Empty the cache of a forked child, where nobody would release a lock that the parent held."""
    global _store  # noqa: PLW0603
    _store = _Store(_store.limit)


os.register_at_fork(after_in_child=_reset)
