"""The folders of a store: which sweeps there are, and which one is meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sweepmark.doctor.store import examine_store
from sweepmark.errors import ConfigurationError, NotFoundError, StoreError
from sweepmark.store import Journal, Store, is_owned, owned

if TYPE_CHECKING:
    from pathlib import Path

IDS = [
    "svc_tpe-20260101-000000-000aa",
    "run-20260102-000000-000aa",
    "a-b-20260102-000000-001aa",
    "svc_tpe-20260103-120000-500aa",
    "svc_c_gamma-20260103-120000-500ab",
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for name in reversed(IDS):
        path = Store(tmp_path).journal_path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
    return Store(tmp_path)


def test_sweeps_come_oldest_first_whatever_they_are_called(store: Store) -> None:
    assert store.sweep_ids() == IDS


def test_store_that_was_never_written_to_has_no_sweeps(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert store.sweep_ids() == []
    with pytest.raises(NotFoundError, match=r"there is no sweep in .* yet"):
        store.match(None)
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("name", "found"),
    [(None, IDS[-1]), (IDS[0], IDS[0]), ("run", IDS[1]), ("svc_tpe-202601011", "")],
)
def test_sweep_is_meant_by_its_id_its_beginning_or_as_the_last(
    store: Store, name: str | None, found: str
) -> None:
    if found:
        assert store.match(name) == found
    else:
        with pytest.raises(NotFoundError, match=r"The last ones: .*svc_c_gamma"):
            store.match(name)


def test_beginning_of_several_is_refused_with_them(store: Store) -> None:
    with pytest.raises(NotFoundError, match="names 2 sweeps") as error:
        store.match("svc_tpe")
    assert IDS[0] in str(error.value)
    assert IDS[3] in str(error.value)


def test_sweep_killed_before_its_first_line_was_whole_is_none(store: Store) -> None:
    store.journal_path("svc_tpe-20270101-000000-000aa").write_text('{"event": "ope')
    store.journal_path("svc_tpe-20270101-000000-000ab").write_text("")
    assert store.sweep_ids() == IDS
    assert store.match(None) == store.match("latest") == IDS[-1]


@pytest.mark.parametrize("folder", ["artifacts", "evaluations", "logs", "sweeps"])
def test_folder_that_is_a_link_is_refused_and_the_store_may_be_one(
    store: Store, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "linked").symlink_to(store.root, target_is_directory=True)
    linked = Store(tmp_path / "linked")
    linked.check()
    assert linked.sweep_ids() == IDS
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if (store.root / folder).exists():
        (store.root / folder).rename(elsewhere / folder)
    (store.root / folder).symlink_to(elsewhere, target_is_directory=True)
    for ask in (store.check, store.sweep_ids, linked.sweep_ids):
        with pytest.raises(
            StoreError, match=rf"{folder} must be a folder of its own, but is a link"
        ):
            ask()
    if folder == "sweeps":
        with pytest.raises(StoreError, match="folder of its own"), owned(store.lock_path("s-1")):
            pass
        with pytest.raises(StoreError, match="folder of its own"):
            Journal(store.journal_path("s-1"))
        assert list(elsewhere.iterdir()) == [elsewhere / "sweeps"]


@pytest.mark.parametrize("name", ["mlflow.db", "optuna.db"])
def test_database_that_is_a_pipe_or_a_link_is_refused(store: Store, name: str) -> None:
    path = store.root / name
    os.mkfifo(path)
    with pytest.raises(StoreError, match=rf"{name} must be a file of its own"):
        store.check()
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(StoreError, match=rf"{name} must be a file of its own"):
        store.sweep_ids()


def test_journal_or_lock_that_is_a_pipe_or_a_link_is_no_sweep_and_keeps_nobody_waiting(
    store: Store,
) -> None:
    os.mkfifo(store.journal_path("svc_tpe-20270101-000000-000aa"))
    store.journal_path("svc_tpe-20270101-000000-000ab").symlink_to("/dev/zero")
    os.mkfifo(store.lock_path(IDS[0]))
    store.lock_path(IDS[1]).symlink_to("/dev/zero")
    assert store.sweep_ids() == IDS
    assert not is_owned(store.lock_path(IDS[0]))
    assert not is_owned(store.lock_path(IDS[1]))
    said = [finding.message for finding in examine_store(store, full=False)]
    assert sum("000aa.jsonl is no file of its own" in text for text in said) == 1
    assert sum("000ab.jsonl is no file of its own" in text for text in said) == 1


def test_nothing_that_a_link_leads_to_is_advised_to_be_removed(
    store: Store, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (store.root / "evaluations").mkdir()
    (store.root / "evaluations" / "x").symlink_to(home, target_is_directory=True)
    findings = examine_store(store, full=False)
    assert not any(".ssh" in str(finding) for finding in findings)


def test_store_may_be_made_below_any_folder_and_nothing_is_made_to_find_out(
    tmp_path: Path,
) -> None:
    for root in (tmp_path, tmp_path / "new", tmp_path / "several" / "new" / "ones"):
        Store(root).check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "below", "far/below"])
def test_store_in_place_of_a_file_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"file is no folder\. Name another one: --store"):
        Store(tmp_path / "file" / below).check()


@pytest.mark.parametrize("lacking", [os.W_OK, os.X_OK])
def test_store_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    monkeypatch.setattr(os, "access", lambda _, asked: not asked & lacking)
    with pytest.raises(ConfigurationError, match=r"cannot be written to\. Name another one"):
        Store(tmp_path / "new").check()


@pytest.mark.parametrize("length", [0, 65_535, 65_536, 200_000])
def test_first_line_is_found_however_long_it_is(tmp_path: Path, length: int) -> None:
    path = Store(tmp_path).journal_path(IDS[0])
    path.parent.mkdir()
    path.write_bytes(b"x" * length)
    assert Store(tmp_path).sweep_ids() == []
    path.write_bytes(b"x" * length + b"\n")
    assert Store(tmp_path).sweep_ids() == [IDS[0]]


def test_last_eight_sweeps_are_named(tmp_path: Path) -> None:
    ids = [f"some-2026010{n}-000000-000aa" for n in range(10)]
    store = Store(tmp_path)
    with pytest.raises(NotFoundError, match=r"The last ones: none\.$"):
        store.match("other")
    for name in ids:
        store.journal_path(name).parent.mkdir(exist_ok=True)
        store.journal_path(name).write_text("{}\n")
    last = ", ".join(ids[2:])
    with pytest.raises(NotFoundError, match=rf"The last ones: {last}\.$"):
        store.match("other")
    with pytest.raises(NotFoundError, match=rf"'some' names 10 sweeps: {last}\. Say which\.$"):
        store.match("some")
