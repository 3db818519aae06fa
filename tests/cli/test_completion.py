"""What the shell is answered when a user presses the tab key."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from program import INSTALLED, Program

if TYPE_CHECKING:
    from pathlib import Path


def candidates(program: Program, line: str) -> list[str]:
    answer = program.run("-sc", "query=bash", COMP_LINE=line)
    assert answer.err == ""
    assert program.left() == []
    return answer.out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sweepmark r", ["run", "resume"]),
        ("sweepmark sweep svc", ["svc_c_gamma", "svc_tpe"]),
        ("sweepmark sweep --fresh gr", ["growing_subsets"]),
        ("sweepmark run classifier=so", ["classifier=softmax", "classifier=softmax_adam"]),
        ("sweepmark run --json classifier=k", ["classifier=knn"]),
        ("sweepmark run --store /tmp classifier=k", ["classifier=knn"]),
        ("sweepmark run classifier=knn classifier.n", ["classifier.n_neighbors="]),
        ("sweepmark run split.s", ["split.seed=", "split.size=", "split.source="]),
        ("sweepmark run data", ["dataset.", "dataset="]),
        ("sweepmark run hyd", []),
        ("sweepmark run swee", []),
        ("sweepmark run classifier=nothing split.", []),
        ("sweepmark run --config-dir /nowhere classifier=", []),
        ("sweepmark run --fr", ["--fresh"]),
        ("sweepmark sweep --l", ["--list"]),
        (
            "sweepmark sweep svc_tpe sampler=",
            ["sampler=gp", "sampler=grid", "sampler=qmc", "sampler=random", "sampler=tpe"],
        ),
        ("sweepmark sweep svc_tpe sweep.space.classifier.g", ["sweep.space.classifier.gamma."]),
        ("sweepmark data ", ["list", "fetch", "describe", "show", "export"]),
        ("sweepmark data show m", ["mnist"]),
        ("sweepmark data show mnist dataset.p", ["dataset.path="]),
        ("sweepmark resume ", []),
        ("sweepmark grade ", ["latest"]),
        ("sweepmark compare --", ["--help", "--store", "--errors", "--ranking", "--json"]),
        ("sweepmark compare --errors ", []),
        ("sweepmark predict l", ["latest"]),
        ("sweepmark predict latest ", []),
        ("sweepmark nothing ", []),
    ],
)
def test_completion(program: Program, line: str, expected: list[str]) -> None:
    assert candidates(program, line) == expected


def test_completion_of_verbs_and_options_of_a_group(program: Program) -> None:
    verbs = candidates(program, "sweepmark ")
    named = ["run", "sweep", "resume", "compare", "grade", "predict", "ui", "data"]
    assert verbs[: len(named)] == named
    classifiers = candidates(program, "sweepmark run classifier=")
    assert {"classifier=knn", "classifier=sgd", "classifier=svc"} <= set(classifiers)


def test_completion_knows_the_users_own_folder(program: Program, tmp_path: Path) -> None:
    for name in ("classifier/mine.yaml", "sweeps/mine.yaml"):
        own = tmp_path / "own" / name
        own.parent.mkdir(parents=True)
        own.write_text("# mine\n_target_: sklearn.svm.NuSVC\nsweep: {space: {seed: [1]}}\n")
    option = f"--config-dir {tmp_path / 'own'}"
    assert candidates(program, f"sweepmark run {option} classifier=m") == [
        "classifier=mine",
        "classifier=mlp",
        "classifier=mlp_logistic",
    ]
    assert candidates(program, f"sweepmark sweep {option} m") == ["mine"]


def test_completion_of_sweep_ids(program: Program) -> None:
    sweeps = program.store / "sweeps"
    sweeps.mkdir(parents=True)
    for name, content in (("run-1-1-b", "{}\n"), ("run-1-2-a", "{}\n"), ("run-0-0-a", "torn")):
        (sweeps / f"{name}.jsonl").write_text(content)
    for verb in ("resume", "grade --json", "compare", "compare run-1-1", "predict --show a.png"):
        answer = program.run("-sc", "query=bash", COMP_LINE=f"sweepmark {verb} ru")
        assert answer.out.split() == ["run-1-1-b", "run-1-2-a"]


def test_completion_in_a_real_bash(program: Program) -> None:
    """What is typed here a person types: readline asks, and puts in what it is answered."""
    terminal, theirs = pty.openpty()
    path = f"{INSTALLED.parent}{os.pathsep}{os.environ['PATH']}"
    bash = subprocess.Popen(
        ["/bin/bash", "--norc", "--noprofile", "-i"],
        cwd=program.folder,
        env=os.environ | {"PATH": path, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(terminal, b'eval "$(sweepmark -sc install=bash)"; echo re"ady"\n')
        expect(terminal, b"\nready")
        os.write(terminal, b"sweepmark ru\t")
        expect(terminal, b"sweepmark run ")
        os.write(terminal, b"classifier=kn\t")
        expect(terminal, b"classifier=knn ")
        os.write(terminal, b"classifier.n_n\t")
        expect(terminal, b"classifier.n_neighbors=")
    finally:
        bash.kill()
        bash.wait(30)
        os.close(terminal)


def expect(terminal: int, wanted: bytes, *, seconds: float = 20) -> None:
    shown = b""
    deadline = time.monotonic() + seconds
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 1024)
