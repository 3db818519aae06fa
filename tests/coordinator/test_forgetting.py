"""Forgetting a sweep: all of it and nothing else, asked for, and done again after a kill."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from program import INSTALLED, Called, Program
from sweepmark.failpoints import FAILPOINTS
from sweepmark.ledger import study_sizes
from sweepmark.store import Store, owned
from sweepmark.tracking import run_folders

if TYPE_CHECKING:
    from pathlib import Path

KILLS = tuple(name for name in FAILPOINTS if name.startswith("forget."))


@pytest.fixture
def store(two_sweeps: Path, called: Called) -> Store:
    shutil.copytree(two_sweeps, called.store, dirs_exist_ok=True)
    called.run("doctor", "--rebuild")  # MLflow's database does not take a move
    return Store(called.store)


@pytest.fixture
def untracked(two_sweeps: Path, called: Called) -> Store:
    """The store without MLflow's database, which would be made anew in a copy."""
    without = shutil.ignore_patterns("mlflow.db", ".mlflow.db.*", "artifacts")
    shutil.copytree(two_sweeps, called.store, dirs_exist_ok=True, ignore=without)
    return Store(called.store)


def names(store: Store, *folders: str) -> set[str]:
    return {str(path.relative_to(store.root)) for each in folders for path in store.root.glob(each)}


def test_all_of_it_goes_and_nothing_else(store: Store, called: Called) -> None:
    first, second, single = store.sweep_ids()
    before = called.run("compare", second, "--json").document
    kept = names(store, "evaluations/*")
    said = called.run("forget", first, "--yes").out
    assert "evaluations: 2, " in said
    assert "3 more stay, other sweeps use them" in said
    assert "runs in MLflow: 3, " in said
    assert store.sweep_ids() == [second, single]
    assert len(names(store, "evaluations/*")) == len(kept) - 2 == len(names(store, "metrics/*"))
    assert not run_folders(store.root, first)
    assert len(run_folders(store.root, second)) == 3
    assert list(study_sizes(store.root)) == [second]
    assert not list(store.root.glob(f"sweeps/{first}*"))
    runs = [run_folders(store.root, found) for found in (second, single)]
    assert {path.name for path in store.root.joinpath("artifacts").iterdir()} == {
        "models",
        *(folders[0].name for found in runs for folders in found.values()),
    }
    assert called.run("compare", second, "--json").document == before
    called.run("doctor")
    for left in (second, single):
        called.run("forget", left, "--yes")
    assert not names(store, "evaluations/*", "metrics/*", "sweeps/*", "artifacts/models/*")
    assert names(store, "artifacts/*") == {"artifacts/models"}
    called.run("doctor")


def test_a_killed_one_is_done_again(store: Store, called: Called, program: Program) -> None:
    first, second, single = store.sweep_ids()
    for stop in KILLS:
        words = ("forget", first, "--yes", "--store", store.root)
        assert program.start(*words, SWEEPMARK_KILL_AT=stop).end().code == -signal.SIGKILL, stop
        assert list(store.root.glob(f"sweeps/{first}*")), stop
    called.run("forget", first, "--yes")
    assert store.sweep_ids() == [second, single]
    assert not list(store.root.glob(f"sweeps/{first}*"))
    assert len(names(store, "evaluations/*")) == len(names(store, "metrics/*")) == 6
    assert not names(store, "evaluations/.*")


def test_what_is_removed_must_be_agreed_to(untracked: Store, called: Called) -> None:
    first = untracked.sweep_ids()[0]
    before = names(untracked, "**/*")
    refused = called.run("forget", first, code=2)
    assert f"Agree: sweepmark forget {first} --yes" in refused.err
    assert names(untracked, "**/*") - before <= {f"sweeps/{first}.lock"}


@pytest.mark.parametrize(("answer", "code"), [(b"\n", 1), (b"\x04", 1), (b"y\n", 0)])
def test_it_asks_on_a_terminal(answer: bytes, code: int, untracked: Store, called: Called) -> None:
    single = untracked.sweep_ids()[-1]
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    done = subprocess.run(
        [INSTALLED, "forget", single, "--store", untracked.root],
        stdin=theirs,
        capture_output=True,
        timeout=120,
        check=False,
        env=called.environment,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == code, done.stderr
    assert b"Remove all this? [y/N]" in done.stdout
    assert (single in untracked.sweep_ids()) == (code == 1)


def test_a_running_one_is_not_forgotten(untracked: Store, called: Called) -> None:
    first, second, _ = untracked.sweep_ids()
    before = names(untracked, "evaluations/*")
    with owned(untracked.lock_path(second)):
        assert "is owned by process" in called.run("forget", second, "--yes", code=3).err
        assert f"but {second} is" in called.run("forget", first, "--yes", code=3).err
    with owned(untracked.lock_path("restored-1")):  # its journal is added last
        assert "but restored-1 is" in called.run("forget", first, "--yes", code=3).err
    assert names(untracked, "evaluations/*") == before


def test_a_damaged_journal_of_another_stops_it(untracked: Store, called: Called) -> None:
    first, second, _ = untracked.sweep_ids()
    with untracked.journal_path(second).open("ab") as file:
        file.write(b"{}\n")
    assert "is no journal of a sweep" in called.run("forget", first, "--yes", code=3).err
    assert first in untracked.sweep_ids()


def test_links_are_not_followed(store: Store, called: Called, tmp_path: Path) -> None:
    first = store.sweep_ids()[0]
    (folder,) = next(iter(run_folders(store.root, first).values()))
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    assert "must be a folder of its own" in called.run("forget", first, "--yes", code=3).err
    assert any(elsewhere.iterdir())


def test_an_unknown_one_is_said(untracked: Store, called: Called) -> None:
    assert "there is no sweep 'nothing'" in called.run("forget", "nothing", "--yes", code=2).err
    assert len(untracked.sweep_ids()) == 3
