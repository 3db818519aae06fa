"""Row 24: standard output and error closed, full, or with a reader that leaves; SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from base_case import assert_good
from program import Program
from sweepmark.cli.program import VERBS
from sweepmark.tracking.server import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from base_case import BaseCase, Reference
    from program import Called

RUN = ("run", "dataset=digits", "split.size=200", "engine=serial", "tracking=none")
ROWS = ("data", "export", "digits", "--count", "30", "-o", "rows.csv")
PRINTING = (
    ("--help",),
    ("--version",),
    ("sweep", "--list"),
    ("run", "--cfg", "job"),
    ("data", "list"),
    ("data", "describe", "digits"),
    ("compare",),
    ("grade",),
    ("doctor",),
    ("predict", "latest", "rows.csv"),
    ("predict", "latest", "rows.csv", "--json"),
    ("completion", "bash"),
    ("plan", "svc_c_gamma", "--cfg", "job"),
)
WRITING = (
    ("data", "fetch", "digits"),
    ("data", "show", "digits", "-o", "written"),
    ("data", "export", "digits", "--count", "30", "-o", "written"),
    ("predict", "latest", "rows.csv", "-o", "written"),
    ("doctor", "--rebuild"),
    ("archive", "latest", "written"),
    ("report", "latest", "-o", "written.html"),
)

CHANGING = (
    ("register", "latest", "digits"),
    ("forget", "latest", "--yes"),
    ("restore", "handed.zip"),
)

REFUSED = {
    "run": ("run", "clasifier=svc"),
    "sweep": ("sweep", "no_such_sweep"),
    "resume": ("resume", "no_such_sweep"),
    "compare": ("compare", "no_such_run"),
    "grade": ("grade", "no_such_run"),
    "predict": ("predict", "no_such_run", "rows.csv"),
    "plan": ("plan", "no_such_sweep"),
    "report": ("report", "no_such_run"),
    "register": ("register", "no_such_run", "digits"),
    "archive": ("archive", "no_such_sweep", "x.zip"),
    "restore": ("restore", "no_such_file"),
    "forget": ("forget", "no_such_sweep", "--yes"),
    "ui": ("ui", "--port", "x"),
    "data": ("data", "describe", "no_such_data"),
    "doctor": ("doctor", "--no-such-option"),
    "completion": ("completion", "no_such_shell"),
}


def shell(
    program: Program, words: Sequence[str], redirected: str, **environment: str
) -> tuple[int, str, str]:
    """Run a command by a shell, which is what users redirect with."""
    done = subprocess.run(
        ["/bin/bash", "-c", f'"$0" "$@" {redirected}', str(program.executable), *words],
        cwd=program.folder,
        env=program.environment | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.row(24, "standard output full or without a reader: what only prints")
@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_printing_verbs(program: Program, called: Called, words: tuple[str, ...]) -> None:
    called.run(*RUN)
    called.run(*ROWS)
    told = called.run(*words, COMP_LINE="sweepmark ").err
    code, _, err = shell(program, words, ">/dev/full", COMP_LINE="sweepmark ")
    assert (code, err) == (
        3,
        f"{told}error: standard output cannot be written: No space left on device.\n",
    )
    # The reader is gone before the first line comes, not only perhaps.
    code, out, err = shell(program, words, "| true; exit ${PIPESTATUS[0]}", COMP_LINE="sweepmark ")
    assert (code, out, err) == (141, "", told)


@pytest.mark.row(24, "wrong use of any verb, wherever its message goes")
@pytest.mark.parametrize("verb", VERBS)
def test_refusals(program: Program, verb: str) -> None:
    """Each has its own code, and none is a bug or a result."""
    for redirected in ("2>/dev/full", ">&- 2>&-", "2>&1 | true; exit ${PIPESTATUS[0]}"):
        code, out, err = shell(program, REFUSED[verb], redirected)
        assert (code, out, err) == (2, "", "")
    assert program.left() == []


def test_every_verb_has_its_outputs_tried() -> None:
    tried = {words[0] for words in (*PRINTING, *WRITING, *CHANGING)} | {"run", "resume", "ui"}
    assert set(VERBS) <= tried


@pytest.mark.row(24, "what writes files or databases finishes with its own code")
@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_writing_verbs(program: Program, called: Called, words: tuple[str, ...]) -> None:
    called.run(*RUN)
    called.run(*ROWS)
    called.run(*words)
    written = program.folder / "written"
    content = written.read_bytes() if written.exists() else None
    for redirected, expected in (
        (">/dev/full 2>/dev/full", 3),
        ("2>&1 | true; exit ${PIPESTATUS[0]}", 0),
        ("<&- >&- 2>&-", 0),
    ):
        written.unlink(missing_ok=True)
        code, out, err = shell(program, words, redirected)
        assert (code, out, err) == (expected, "", "")
        assert (written.read_bytes() if written.exists() else None) == content


@pytest.mark.row(24, "what changes a store does it all the same")
def test_changing_verbs(program: Program, called: Called) -> None:
    called.run(*(word for word in RUN if word != "tracking=none"))
    called.run("archive", "latest", "handed.zip")
    (sweep_id,) = called.sweep_ids()
    for words in CHANGING:
        assert shell(program, words, ">/dev/full 2>/dev/full") == (3, "", "")
        assert called.sweep_ids() == ([] if words[0] == "forget" else [sweep_id])


@pytest.mark.slow
@pytest.mark.row(24, "the UI is served all the same")
@pytest.mark.parametrize(("redirected", "code"), [(">&- 2>/dev/full", 3), ("> >(true) 2>&1", 0)])
def test_ui(program: Program, store: Path, redirected: str, code: int) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    words = ("ui", "--store", str(store), "--port", str(port))
    script = f'exec "$0" "$@" {redirected}'
    ui = subprocess.Popen(
        ["/bin/bash", "-c", script, str(program.executable), *words], env=program.environment
    )
    try:
        deadline = time.monotonic() + 150
        status = 0
        while not status:
            assert ui.poll() is None
            assert time.monotonic() < deadline
            with contextlib.suppress(requests.ConnectionError):
                status = requests.get(f"http://{HOST}:{port}", timeout=30).status_code
            time.sleep(0.1)
        assert status == 200
        ui.send_signal(signal.SIGINT)
        assert ui.wait(20) == code
    finally:
        ui.kill()
        ui.wait(30)


@pytest.mark.row(24, "run and resume finish with their own code")
@pytest.mark.parametrize(
    ("redirected", "code"),
    [
        (">/dev/full", 3),
        ("2>/dev/full", 3),
        ("| true; exit ${PIPESTATUS[0]}", 0),
        ("2>&1 | true; exit ${PIPESTATUS[0]}", 0),
        (">&- 2>&-", 0),
        ("<&- >&- 2>&-", 0),
    ],
)
def test_computing_verbs(program: Program, redirected: str, code: int) -> None:
    words = ("run", *RUN[1:-1])  # MLflow's database would be the next to get descriptor 1 or 2
    found, _, err = shell(program, words, redirected)
    assert found == code
    assert "bug" not in err
    assert "Traceback" not in err
    (sweep_id,) = program.sweep_ids()
    journal = program.journal(sweep_id)
    assert (journal[-1]["event"], journal[-1]["state"]) == ("stop", "complete")
    assert [e["status"] for e in journal if e["event"] == "outcome"] == ["complete"]
    assert (program.store / "mlflow.db").read_bytes().startswith(b"SQLite format 3\0")
    found, _, err = shell(program, ("resume",), redirected)
    assert found == code
    assert "bug" not in err
    assert len(program.journal(sweep_id)) == len(journal)


@pytest.mark.row(24, "standard error full: the whole sweep is computed")
def test_sweep_with_full_standard_error(case: BaseCase, reference: Reference) -> None:
    case.seconds = reference.fit_seconds
    words = [str(word) for word in case.sweep_words]
    code, out, _ = shell(case.program, words, "2>/dev/full", **case.variables)
    assert code == 3
    assert "chosen: trial" in out
    assert_good(case, reference)


@pytest.mark.row(24, "a printing worker without a reader")
def test_workers_print_into_nothing(program: Program, tmp_path: Path) -> None:
    choice = tmp_path / "own" / "classifier" / "printing.yaml"
    choice.parent.mkdir(parents=True)
    choice.write_text("# Prints\n_target_: estimators.Printing\n")
    own = ("classifier=printing", "--trust", "estimators", "--config-dir", str(tmp_path / "own"))
    words = (*RUN[:3], "engine.workers=1", "tracking=none", *own)
    redirected = "2>&1 | true; exit ${PIPESTATUS[0]}"
    code, _, _ = shell(program, words, redirected, PYTHONPATH=str(Path(__file__).parents[1]))
    assert code == 0


@pytest.mark.row(24, "SIGHUP")
def test_hang_up(case: BaseCase, reference: Reference) -> None:
    """It ends like SIGTERM, with its code, and goes on where it was."""
    case.seconds = 0.3
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
    running = case.start()
    signal.signal(signal.SIGHUP, before)
    running.until(lambda err: "[2/25]" in err)
    running.process.send_signal(signal.SIGHUP)
    finished = running.end(seconds=20)
    assert finished.code == 143
    assert finished.err.splitlines()[-1].startswith("stopped by SIGHUP. What is finished is kept")
    case.wait_for_the_dead()
    parent, _ = case.runs()
    assert parent.info.status == "KILLED"
    case.finish(*case.resume_words)
    assert_good(case, reference)


@pytest.mark.row(24, "SIGHUP under nohup")
def test_hang_up_that_is_ignored(tmp_path: Path, digits_cache: Path) -> None:
    program = Program(tmp_path, cache=digits_cache, anew=True)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup leaves it to its child
    try:
        running = program.start(*RUN, "classifier=mlp")
    finally:
        signal.signal(signal.SIGHUP, before)
    running.until(lambda err: "1 trial" in err)
    os.kill(running.process.pid, signal.SIGHUP)
    assert running.end().code == 0
