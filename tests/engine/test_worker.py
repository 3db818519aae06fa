"""What passes between a worker and its parent."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

import pytest

from jobs import make_job
from sweepmark.engine.worker import Reply, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweepmark.engine import Failure


@pytest.fixture
def worker() -> Iterator[Connection[Any, Any]]:
    """Return the parent's end of a connection that is served until it is closed."""
    ours: Connection[Any, Any]
    ours, theirs = Pipe()

    def run() -> None:
        with theirs, suppress(EOFError):
            serve(theirs)

    thread = threading.Thread(target=run)
    thread.start()
    with ours:
        ours.send(sys.path)
        yield ours
    thread.join(10)
    assert not thread.is_alive()


def answer(worker: Connection[Any, Any]) -> Any:
    """Return what a worker says; one that says nothing fails the test."""
    assert worker.poll(60), "the worker does not answer"
    return worker.recv()


def test_a_worker_says_that_it_is_ready_and_answers_each_job(
    worker: Connection[Any, Any],
) -> None:
    worker.send("jobs:work")
    worker.send(())
    assert answer(worker) is None
    for number in range(2):
        worker.send(make_job(do="echo", value=float(number), seconds=0.01))
        reply: Reply = answer(worker)
        assert reply.failure is None
        assert reply.scorecard is not None
        assert reply.scorecard.metrics["value"] == number
        assert 0.01 <= reply.seconds < 1.0


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"do": "fail", "message": "why"}, "ValueError: why"),
        ({"do": "unsendable"}, "lambda"),
    ],
)
def test_what_goes_wrong_is_the_answer(
    worker: Connection[Any, Any], task: dict[str, str], message: str
) -> None:
    worker.send("jobs:work")
    worker.send(())
    assert answer(worker) is None
    worker.send(make_job(**task))
    reply: Reply = answer(worker)
    assert reply.scorecard is None
    assert reply.failure is not None
    assert message in reply.failure.message


@pytest.mark.parametrize("name", ["nowhere:work", "jobs:nothing"])
def test_a_function_that_cannot_be_had_is_the_only_answer(
    worker: Connection[Any, Any], name: str
) -> None:
    worker.send(name)
    failure: Failure = answer(worker)
    assert failure.reason == "error"
    with pytest.raises(EOFError):
        answer(worker)
