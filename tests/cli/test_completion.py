"""What the shell is answered when a user presses the tab key."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from program import INSTALLED, Program

if TYPE_CHECKING:
    from pathlib import Path


def candidates(program: Program, line: str) -> list[str]:
    """Return what the program answers as argcomplete's code in a shell asks it."""
    answers = program.folder.parent / "answers"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
    }
    answer = program.start(**asked).end()
    assert answer.code == 0
    assert (answer.out, answer.err) == ("", "")
    assert {"mlruns"}.issuperset(program.left())
    return answers.read_text().splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sweepmark r", ["run", "resume", "report", "register", "restore"]),
        ("sweepmark sweep svc", ["svc_c_gamma", "svc_tpe"]),
        ("sweepmark plan svc", ["svc_c_gamma", "svc_tpe"]),
        ("sweepmark plan svc_tpe sampler=r", ["sampler=random"]),
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
        (
            "sweepmark sweep svc_tpe sweep.space.classifier.g",
            [f"sweep.space.classifier.gamma.{key}=" for key in ("high", "log", "low")],
        ),
        ("sweepmark data ", ["list", "fetch", "describe", "show", "export"]),
        ("sweepmark data show m", ["mnist"]),
        ("sweepmark data show mnist dataset.p", ["dataset.path="]),
        ("sweepmark resume ", []),
        ("sweepmark grade ", ["latest"]),
        ("sweepmark compare --", ["--help", "--store", "--errors", "--ranking", "--json"]),
        ("sweepmark compare --errors ", []),
        ("sweepmark predict l", ["latest"]),
        ("sweepmark register l", ["latest"]),
        ("sweepmark predict latest ", []),
        ("sweepmark nothing --", ["--help", "--store", "--version"]),
        ("sweepmark sweep svc_tpe --json split.si", ["split.size="]),
        ("sweepmark run --cfg ", ["job"]),
        ("sweepmark grade --rule co", ["course"]),
        ("sweepmark completion z", ["zsh"]),
    ],
)
def test_completion(program: Program, line: str, expected: list[str]) -> None:
    assert candidates(program, line) == expected


def test_completion_of_verbs_and_options_of_a_group(program: Program) -> None:
    verbs = candidates(program, "sweepmark ")
    named = ["run", "sweep", "plan", "resume", "compare", "grade", "report", "predict"]
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
    for verb in (
        "resume",
        "forget",
        "archive",
        "grade --json",
        "compare",
        "compare run-1-1",
        "predict --show a.png",
    ):
        assert candidates(program, f"sweepmark {verb} ru") == ["run-1-1-b", "run-1-2-a"]
    assert candidates(program, "sweepmark grade run-1-1-b --json ru") == ["run-1-2-a"]


def test_completion_of_files(program: Program) -> None:
    (program.folder / "mlruns").touch()
    for words in ("predict latest", "doctor --store", "data show mnist -o"):
        assert candidates(program, f"sweepmark {words} ml") == ["mlruns"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_in_a_real_shell(program: Program, shell: str) -> None:
    """What is typed here a person types: the shell asks, and puts in what it is answered."""
    options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"]}[shell]
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [executable(shell), *options, "-i"],
        cwd=program.folder,
        env=shell_environment(program) | {"TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(terminal, f'eval "$(sweepmark completion {shell})"; echo re"ady"\n'.encode())
        expect(terminal, b"\nready")
        os.write(terminal, b"sweepmark ru\t")
        expect(terminal, b"sweepmark run ")
        os.write(terminal, b"classifier=kn\t")
        expect(terminal, b"classifier=knn ")
        os.write(terminal, b"classifier.n_n\t")
        expect(terminal, b"classifier.n_neighbors=")
    finally:
        process.kill()
        process.wait(30)
        os.close(terminal)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sweepmark ru", ["run", "one evaluation: one trial, one MLflow run"]),
        ("sweepmark sweep svc_t", ["svc_tpe", "RBF SVC over log ranges"]),
        ("sweepmark run classifier=kn", ["classifier=knn"]),
    ],
)
def test_completion_in_a_real_fish(program: Program, line: str, expected: list[str]) -> None:
    """Descriptions are shown beside what has some."""
    done = subprocess.run(
        [
            executable("fish"),
            "--no-config",
            "-c",
            f"sweepmark completion fish | source; complete -C '{line}'",
        ],
        cwd=program.folder,
        env=shell_environment(program),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (offered,) = done.stdout.splitlines()
    for found, wanted in zip(offered.split("\t"), expected, strict=True):
        assert found.startswith(wanted)


def executable(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def shell_environment(program: Program) -> dict[str, str]:
    path = f"{INSTALLED.parent}{os.pathsep}{os.environ['PATH']}"
    return program.environment | {"PATH": path, "HOME": str(program.folder)}


def expect(terminal: int, wanted: bytes, *, seconds: float = 20) -> None:
    shown = b""
    deadline = time.monotonic() + seconds
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, shown
        shown += os.read(terminal, 1024)
