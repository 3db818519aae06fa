"""Rows 7, 8, 11, 12 and the first of 21: full, locked, brand-new, owned and read-only stores."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sqlite3
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from base_case import BaseCase, Reference, assert_good, copy_databases
from estimators import HELD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from program import Running


@contextlib.contextmanager
def small_file_system(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a file system of its own on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mount(["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder])
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True, timeout=60)


def mount(arguments: list[str | Path]) -> None:
    """Mount, or skip the test: only root may, and not everywhere."""
    done = subprocess.run(
        ["/bin/mount", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        pytest.skip(f"this needs to mount: {done.stderr.strip()}")


@contextlib.contextmanager
def bound(file: Path, elsewhere: Path) -> Iterator[None]:
    """Have a file lie on another file system; a link would be refused."""
    shutil.copy(file, elsewhere)
    mount(["--bind", elsewhere, file])
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", file], check=True, timeout=60)


@contextlib.contextmanager
def filled(folder: Path, *, leaving: int) -> Iterator[None]:
    """Fill a file system but for some bytes."""
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler.write_bytes(b"x" * (free - leaving))
    yield
    filler.unlink()


# Row 7


@pytest.mark.row(7, "file system full")
@pytest.mark.parametrize("what", ["artifacts", "mlflow.db", "optuna.db"])
def test_full(case: BaseCase, reference: Reference, tmp_path: Path, what: str) -> None:
    case.workers = 1  # starting costs more than all that is fitted
    place = case.store / what
    with contextlib.ExitStack() as stack:
        folder = place if what == "artifacts" else tmp_path / "disk"
        disk = stack.enter_context(small_file_system(folder, megabytes=8))
        if what != "artifacts":
            stack.enter_context(bound(place, disk / what))
        with filled(disk, leaving=8 * 1024):
            check_stop(case, place)
            assert not list(disk.rglob(".*.new"))
        case.finish(*case.resume_words)
        assert_good(case, reference)


@pytest.mark.row(7, "file system full: the whole store")
@pytest.mark.parametrize(
    "leaving",
    [pytest.param(n, marks=pytest.mark.full if n in {0, 100} else ()) for n in (0, 20, 100, 400)],
)
def test_full_store(
    bare_case: BaseCase, migrated_store: Path, reference: Reference, leaving: int
) -> None:
    case = bare_case
    case.workers = case.workers and 1
    with small_file_system(case.store, megabytes=16):
        copy_databases(migrated_store, case.store)
        with filled(case.store, leaving=leaving * 1024):
            check_stop(case, case.store)
            assert not [*case.store.rglob(".*.new"), *case.store.rglob(".tmp-*")]
        has_begun = any(case.store.glob("sweeps/*.jsonl"))
        case.finish(*(case.resume_words if has_begun else ()))
        assert_good(case, reference)


def check_stop(case: BaseCase, path: Path) -> None:
    """Run into the end of the disk: one line, which names the path."""
    stopped = case.run(code=3)
    said = [line for line in stopped.err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, stopped.err
    assert str(path) in said[0]
    assert "Traceback" not in stopped.err
    assert case.alive() == []


# Row 8


@pytest.mark.row(8, "SQLite's write lock held from outside for 15 s")
@pytest.mark.parametrize("name", ["mlflow.db", "optuna.db"])
def test_locked_for_a_while(case: BaseCase, reference: Reference, name: str) -> None:
    with locked(case, name) as (running, release):
        timer = threading.Timer(15, release)
        timer.start()
        finished = running.end()
        timer.join(60)
    assert finished.code == 0, finished.err
    assert_good(case, reference)


@pytest.mark.full
@pytest.mark.row(8, "SQLite's write lock held from outside for 60 s")
@pytest.mark.parametrize("name", ["mlflow.db", "optuna.db"])
def test_locked_for_long(case: BaseCase, reference: Reference, name: str) -> None:
    with locked(case, name) as (running, release):
        finished = running.end()
        assert finished.code == 3
        assert finished.seconds < 60
        assert f"{case.store / name} cannot be used: database is locked" in finished.err
        assert "Traceback" not in finished.err
        assert case.alive() == []
        release()
    case.finish(*case.resume_words)
    assert_good(case, reference)


@contextlib.contextmanager
def locked(case: BaseCase, name: str) -> Iterator[tuple[Running, Callable[[], None]]]:
    """Start a sweep and lock a database in its middle; what is yielded lets go of it."""
    case.workers, case.seconds = case.workers or 1, 0.2
    running = case.start()
    running.until(lambda err: "[5/25]" in err)
    connection = sqlite3.connect(case.store / name, timeout=20, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield running, connection.rollback
    finally:
        connection.close()


# Row 11


@pytest.mark.row(11, "four processes on a brand-new store")
@pytest.mark.parametrize(
    "n", [pytest.param(n, marks=pytest.mark.full if n else ()) for n in range(20)]
)
def test_brand_new_store(bare_case: BaseCase, digits_cache: Path, tmp_path: Path, n: int) -> None:
    """Every second time the cache has no new databases either, so that one migrates its own."""
    case = bare_case
    if n % 2 == 0:
        cache = shutil.copytree(
            digits_cache, tmp_path / "cache", ignore=lambda *_: ["databases", "locks"]
        )
        case.environment = {"SWEEPMARK_CACHE": str(cache)}
    words = [
        *("sweep", "base", "--trust", "estimators", "--config-dir", case.own, "engine=serial"),
        *("split.size=200", "evaluation.n_splits=2", "tracking.artifacts=none"),
        *("sweep.space.classifier.C=[1]", "sweep.space.classifier.gamma=[1]"),
    ]
    sweeps = [case.start(*words, f"seed={seed}") for seed in range(4)]
    for finished in [running.end() for running in sweeps]:
        assert finished.code == 0, finished.err
    runs = case.all_runs()
    assert len({run.info.experiment_id for run in runs}) == 1
    assert [run.info.status for run in runs] == ["FINISHED"] * 8


# Row 12


@pytest.mark.row(12, "a second coordinator; a dead owner is taken over")
def test_second_coordinator(case: BaseCase, reference: Reference) -> None:
    before = time.strftime("%Y-%m-%d %H:%M:%S")
    first = case.start(**{HELD: "8"})  # it owns the sweep, however long the others take to start
    first.until(lambda _: case.n_fits > 8)
    for words in ((), case.resume_words):
        second = case.run(*words, code=3)
        owner = f"is owned by process {first.process.pid} on {platform.node()} since "
        assert owner in second.err
        since = second.err.partition(owner)[2][:19]
        assert before <= since <= time.strftime("%Y-%m-%d %H:%M:%S")
    first.process.kill()
    first.end()
    case.finish(*case.resume_words)
    assert_good(case, reference)


# Row 21


@pytest.mark.row(21, "store read-only")
def test_read_only(case: BaseCase, reference: Reference) -> None:
    case.kill_at("journal.outcome:3")
    with read_only(case.store):
        for words in (case.sweep_words, case.resume_words, ("run", "dataset=digits")):
            refused = case.run(*words, code=2)
            assert str(case.store) in refused.err
            assert "Traceback" not in refused.err
    case.finish(*case.resume_words)
    assert_good(case, reference)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let a folder be read only, by root as well."""
    mount(["--bind", folder, folder])
    try:
        mount(["-o", "remount,ro,bind", folder])
        yield
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True, timeout=60)
