"""Checks of the machine: versions, cores, memory, disk, and their limits."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark import __version__
from sweepmark.data import cache
from sweepmark.doctor.finding import note, ok, problem
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from sweepmark.doctor.finding import Finding

__all__ = ["examine_machine"]

_GIB = 2**30
_LEAST_DISK = _GIB / 2
_SPARSE_DISK = 5 * _GIB
_LEAST_MEMORY = _GIB / 2
_CGROUP = Path("/sys/fs/cgroup")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_SHOWN = ("numpy", "scipy", "scikit-learn", "hydra-core", "optuna", "mlflow", "skops")


def examine_machine(store: Path) -> list[Finding]:
    """Check versions, cores, memory and free space."""
    return [
        *_versions(),
        _cores(),
        *_threads(),
        _memory(),
        _disk("store", store, "--store PATH"),
        *_cache(),
        *_no_temporary_folder(),
    ]


def _versions() -> list[Finding]:
    findings = [ok("python", f"{platform.python_version()} ({sys.executable})")]
    unmet = _unmet()
    upgrade = (sys.executable, "-m", "pip", "install", "--upgrade", "sweepmark")
    if unmet:
        findings.append(problem("packages", f"not as sweepmark needs them: {unmet}", *upgrade))
    pinned, root = _pinned()
    others = [
        f"{name} {found} instead of {pin}"
        for name, pin in pinned.items()
        if (found := _version(name)) not in {None, pin}
    ]
    if others:
        pip = (sys.executable, "-m", "pip", "install", "-e", f"{root}[dev]")
        text = f"other versions than those tested: {', '.join(others)}"
        findings.append(note("packages", text, *pip, "-c", f"{root}/constraints.txt"))
    if not unmet:
        shown = ", ".join(f"{name} {_version(name)}" for name in _SHOWN)
        findings.append(ok("packages", f"sweepmark {__version__}, {shown}"))
    return findings


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _unmet() -> str:
    """Return the unmet requirements of sweepmark."""
    from packaging.requirements import Requirement

    unmet = []
    for text in metadata.requires("sweepmark") or []:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = _version(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            unmet.append(f"{requirement.name}{requirement.specifier} (found {found or 'none'})")
    return ", ".join(unmet)


def _pinned() -> tuple[dict[str, str], Path]:
    """Return the tested versions, which a checkout lists, and the path of the list."""
    root = Path(__file__).resolve().parents[3]
    try:
        lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}, root
    pins = (re.fullmatch(r"([\w.\-]+)==([^ ;]+).*", line) for line in lines)
    return {pin[1]: pin[2] for pin in pins if pin}, root


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _cpu_quota()
    if quota is not None and cores is not None and quota < cores:
        return note(
            "cores",
            f"{cores}, but this container may use {quota:g} of them at a time: more workers than "
            f"that only wait. Set engine.workers={max(int(quota), 1)}",
        )
    return ok("cores", f"{cores}")


def _cpu_quota() -> float | None:
    """Return the CPU limit of the container in cores; None without a limit.

    References
    ----------
    https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max)
    """
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no limit reads "max"
        return None


def _threads() -> list[Finding]:
    found = [f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ]
    if not found:
        return []
    text = f"{', '.join(found)} counts for engine=serial only: workers obey engine.threads"
    return [note("threads", text)]


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    free, total = memory.available, memory.total
    limit = _memory_limit()
    if limit is not None and limit[0] < total:
        total, free = limit[0], min(free, limit[0] - limit[1])
    text = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB are free"
    if free < _LEAST_MEMORY:
        return problem("memory", f"{text}: end other programs, or set engine.workers=1")
    return ok("memory", text)


def _memory_limit() -> tuple[int, int] | None:
    """Return the memory limit and usage of the container; None without a limit."""
    try:
        most = int((_CGROUP / "memory.max").read_text())
        return most, int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return None


def _cache() -> list[Finding]:
    elsewhere = f"{cache.VARIABLE}=PATH"
    try:
        folder = cache.root()
    except ConfigurationError as error:
        return [problem("cache", str(error))]
    return [_disk("cache", folder, elsewhere), *_not_writable("cache", folder, elsewhere)]


def _not_writable(name: str, folder: Path, elsewhere: str) -> list[Finding]:
    """Return a problem if the folder, or the parent to create it in, is not writable."""
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return []
    reason = "cannot be written to" if place.is_dir() else "is no folder"
    return [problem(name, f"{place} {reason}, so {folder} cannot be used: set {elsewhere}")]


def _no_temporary_folder() -> list[Finding]:
    try:
        tempfile.gettempdir()
    except OSError as error:
        return [problem("temporary files", f"{error.strerror}: set TMPDIR=PATH")]
    return []


def _disk(name: str, folder: Path, elsewhere: str) -> Finding:
    place = folder
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / _GIB:.1f} GiB free at {place}"
    if free < _LEAST_DISK:
        return problem(f"disk ({name})", f"{text}: free some, or use another place: {elsewhere}")
    if free < _SPARSE_DISK:
        return note(f"disk ({name})", text)
    return ok(f"disk ({name})", text)
