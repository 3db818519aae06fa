"""The rooms of a store: which sweeps there are, and which one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import NotFoundError
from sweepmark.store import Store

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
    assert store.match(None) == IDS[-1]
