"""What passes between a worker and its parent."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

import pytest

from jobs import make_job
from sweepmark.engine.worker import Settings, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweepmark.engine import Failure
    from sweepmark.engine.job import Reply


@pytest.fixture
def begin() -> Iterator[Callable[[str], Connection[Any, Any]]]:
    """Return the parent's end of a connection that is served until it is closed."""
    with ExitStack() as stack:

        def begin(evaluate: str) -> Connection[Any, Any]:
            ours: Connection[Any, Any]
            ours, theirs = Pipe()
            settings = Settings(path=sys.path, evaluate=evaluate)

            def run() -> None:
                with theirs, suppress(EOFError):
                    serve(theirs, settings)

            thread = threading.Thread(target=run)
            thread.start()
            stack.callback(lambda: check_end(thread))
            return stack.enter_context(ours)

        yield begin


def check_end(thread: threading.Thread) -> None:
    thread.join(10)
    assert not thread.is_alive()


def answer(worker: Connection[Any, Any]) -> Any:
    """Return what a worker says; one that says nothing fails the test."""
    assert worker.poll(60), "the worker does not answer"
    return worker.recv()


def test_a_worker_says_that_it_is_ready_and_answers_each_job(
    begin: Callable[[str], Connection[Any, Any]],
) -> None:
    worker = begin("jobs:work")
    assert answer(worker) == os.getpid()
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
    begin: Callable[[str], Connection[Any, Any]], task: dict[str, str], message: str
) -> None:
    worker = begin("jobs:work")
    assert answer(worker) == os.getpid()
    worker.send(make_job(**task))
    reply: Reply = answer(worker)
    assert reply.scorecard is None
    assert reply.failure is not None
    assert message in reply.failure.message


@pytest.mark.parametrize("name", ["nowhere:work", "jobs:nothing"])
def test_a_function_that_cannot_be_had_is_the_only_answer(
    begin: Callable[[str], Connection[Any, Any]], name: str
) -> None:
    worker = begin(name)
    failure: Failure = answer(worker)
    assert failure.reason == "error"
    with pytest.raises(EOFError):
        answer(worker)
