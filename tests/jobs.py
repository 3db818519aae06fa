"""What engines do in tests: small functions that worker processes can import by name."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from sweepmark.engine import Job
from sweepmark.scores.scorecard import Predictions, Scorecard
from sweepmark.specification.specification import Specification


def make_job(**task: Any) -> Job:
    """Return a job whose task carries the arguments of a function below."""
    return Job(
        specification=Specification(
            data="",
            split={},
            task=task,
            method={},
            preprocess={},
            classifier={},
            seed=0,
            threads=1,
            versions={},
        )
    )


def make_scorecard(*, model: bytes | None = None, **metrics: float) -> Scorecard:
    none = np.zeros(0, dtype=np.int64)
    return Scorecard(
        metrics=metrics,
        classes=(0, 1),
        predictions=Predictions(rows=none, y_true=none, y_pred=none, scores=None),
        n_train=0,
        n_test=0,
        fit_seconds=0.0,
        predict_seconds=0.0,
        model=model,
    )


def work(job: Job) -> Scorecard:
    """Do what the task names, with its other items as arguments."""
    arguments = dict(job.specification.task)
    function = globals()[arguments.pop("do")]
    scorecard: Scorecard = function(**arguments)
    return scorecard


def echo(value: float = 0.0, seconds: float = 0.0) -> Scorecard:
    time.sleep(seconds)
    return make_scorecard(value=value, pid=os.getpid())


_calls: list[float] = []


def warm_up() -> None:
    """Take a while, and remember when."""
    time.sleep(0.3)
    _calls.append(time.time())


def n_calls() -> Scorecard:
    """Say how often this process was warmed up, and when for the last time."""
    return make_scorecard(value=len(_calls), last=_calls[-1])


def sleep() -> Scorecard:
    return echo(seconds=3600)


def fail(message: str) -> Scorecard:
    raise ValueError(message)


def exhaust() -> Scorecard:
    np.zeros(2**62, dtype=np.uint8)
    return make_scorecard()


def unsendable() -> Scorecard:
    return make_scorecard(value=lambda: 0.0)  # type: ignore[arg-type]


def speak(text: str) -> Scorecard:
    print(text)  # noqa: T201 - this is what is tested
    os.write(1, text.encode())
    sys.stdout.flush()
    return make_scorecard()


def environment(name: str) -> Scorecard:
    return make_scorecard(value=float(os.environ[name]))


def dispositions() -> Scorecard:
    score = Path("/proc/self/oom_score_adj")
    return make_scorecard(
        n_input=len(os.read(0, 1)),
        interrupt_ignored=signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        handlers=sum(callable(signal.getsignal(number)) for number in signal.valid_signals()),
        blocked=len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        oom_score=int(score.read_text()) if score.exists() else 500,
    )


def blas_threads() -> Scorecard:
    from threadpoolctl import threadpool_info

    return make_scorecard(value=max(pool["num_threads"] for pool in threadpool_info()))


def is_open(path: str) -> Scorecard:
    """Say whether this process has a file open, and which else is open but streams and pipes."""
    targets = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    return make_scorecard(value=path in targets, n=len(targets))


def large(n_bytes: int) -> Scorecard:
    return make_scorecard(model=b"m" * n_bytes)


def grow(n_bytes: int, seconds: float) -> Scorecard:
    held = np.ones(n_bytes, dtype=np.uint8)
    time.sleep(seconds)
    return make_scorecard(value=float(held[0]))


def crash_without_memory(n_bytes: int) -> Scorecard:
    """Do what libsvm does: write to memory without looking whether there is any."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    ctypes.memset(libc.malloc(n_bytes) or 0, 1, 1)
    return make_scorecard()


def die(code: int) -> Scorecard:
    os._exit(code)


def hold_the_gil() -> Scorecard:
    """Stay in C, with the GIL, for longer than the universe lasts."""
    re.match(r"(a+)+$", "a" * 64 + "b")
    return make_scorecard()


def fork_and_sleep(seconds: float) -> Scorecard:
    import subprocess

    subprocess.run(
        [sys.executable, "-c", f"import time; time.sleep({seconds})"], check=True, timeout=600
    )
    return make_scorecard()
