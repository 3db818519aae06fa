"""Projections in the background: in order, never after a failure, and never too far behind."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from sweepmark.coordinator import background
from sweepmark.coordinator.background import Background
from sweepmark.errors import StoreError
from sweepmark.search.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweepmark.coordinator.projections import Projections
    from sweepmark.report.results import SweepResult


class Recorder:
    """Writes down what it is told, and in which thread."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.threads: set[int] = set()
        self.run_ids = {0: "a run"}
        self.gate = threading.Event()
        self.gate.set()
        self.obstacle: int | None = None

    def _note(self, what: Any) -> None:
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        if what == self.obstacle:
            raise StoreError("database is locked")
        self.told.append(what)

    def prepare(self) -> None:
        self._note("prepare")

    def settled(self, trial: Trial, cards: object) -> None:
        del cards
        self._note(trial.number)

    def finish(self, result: object, *, ended: float) -> None:
        del result
        self._note(("finish", ended))

    def interrupt(self, *, ended: float) -> None:
        self._note(("interrupt", ended))

    def __exit__(self, *_: object) -> None:
        self._note("exit")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def shown(recorder: Recorder) -> Iterator[Background]:
    with Background(cast("Projections", recorder)) as shown:
        yield shown


def settle(shown: Background, *numbers: int) -> None:
    for number in numbers:
        shown.settled(Trial(number=number, status="complete"), [])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_all_is_done_in_order_in_one_other_thread(recorder: Recorder) -> None:
    result = cast("SweepResult", None)
    with Background(cast("Projections", recorder)) as shown:
        for _ in range(3):
            shown.prepare()
        settle(shown, 0, 1, 2)
        assert shown.run_ids == {0: "a run"}
        assert recorder.told == ["prepare", 0, 1, 2]  # whoever asks for the runs waits for them
        shown.finish(result, ended=5.0)
    assert recorder.told == ["prepare", 0, 1, 2, ("finish", 5.0), "exit"]
    (thread,) = recorder.threads
    assert thread != threading.get_ident()


def test_what_is_slow_keeps_nobody_waiting(recorder: Recorder, shown: Background) -> None:
    recorder.gate.clear()
    shown.prepare()
    settle(shown, 0, 1)
    assert recorder.told == []
    recorder.gate.set()
    until(lambda: recorder.told == ["prepare", 0, 1])


def test_a_failure_is_raised_by_a_later_call_and_nothing_is_written_after_it(
    recorder: Recorder, shown: Background
) -> None:
    recorder.obstacle = 1
    recorder.gate.clear()
    settle(shown, 0, 1, 2, 3)
    recorder.gate.set()
    with pytest.raises(StoreError, match="is locked"):
        assert shown.run_ids
    shown.interrupt(ended=7.0)
    assert recorder.told == [0, ("interrupt", 7.0)]


def test_an_interruption_leaves_what_waits_to_the_resume(
    recorder: Recorder, shown: Background
) -> None:
    recorder.gate.clear()
    settle(shown, 0, 1, 2)
    threading.Timer(0.1, recorder.gate.set).start()
    shown.interrupt(ended=7.0)
    assert recorder.told in ([0, ("interrupt", 7.0)], [("interrupt", 7.0)])


def test_the_loop_waits_when_too_much_is_left_to_write(
    recorder: Recorder, shown: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_MOST_WAITING", 2)
    recorder.gate.clear()
    settle(shown, 0, 1)
    threading.Timer(0.1, recorder.gate.set).start()
    settle(shown, 2)
    assert 0 in recorder.told
