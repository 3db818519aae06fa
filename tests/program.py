"""The installed program, run as a user runs it: a process of its own in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from sweepmark.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from preforked import ForkedProcess, Forker

INSTALLED = Path(sys.executable).with_name("sweepmark")
_LEFT_OUT = ("SWEEPMARK_", "MLFLOW_", "COMP_", "COV_", "PYTHON")
_LATE = ("SWEEPMARK_", "PYTHONPATH", "TZ", "FITS")
"""Variables that nothing looks at while it is imported."""


_PLANTED = (
    "mlflow",
    "signal",
    "uvicorn",
    "sweepmark",
    "subprocess",
    "numpy",
    "selectors",
    "psutil",
)


def plant_modules(folder: Path) -> tuple[Path, Path]:
    """Make a folder with modules that nobody may import from there; and name the file that tells.

    Returns
    -------
    (Path, Path)
        The folder, and a file that is there once one of them was imported.
    """
    imported = folder / "imported"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PLANTED:
        (folder / f"{name}.py").write_text(f"open({str(imported)!r}, 'a').write({name!r})\n")
    return folder, imported


@dataclass(frozen=True, slots=True)
class Finished:
    """What a user saw of a command that ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> Any:
        """What ``--json`` printed: one document, and nothing before or after it."""
        return json.loads(self.out, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


class Running:
    """A command under way; its output goes to files, so that nothing waits for a reader."""

    def __init__(
        self, process: subprocess.Popen[bytes] | ForkedProcess, folder: Path, started: float
    ) -> None:
        self.process = process
        self._folder = folder
        self._started = started

    @property
    def err(self) -> str:
        return (self._folder / "err").read_text()

    def until(self, condition: Callable[[str], bool], *, seconds: float = 120) -> None:
        """Wait until what stands on standard error is as wanted."""
        deadline = time.monotonic() + seconds
        while not condition(self.err):
            assert self.process.poll() is None, f"it ended early: {self.err}"
            assert time.monotonic() < deadline, f"it did not come to that: {self.err}"
            time.sleep(0.02)

    def children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def end(self, *, seconds: float = 120) -> Finished:
        code = self.process.wait(seconds)
        taken = time.monotonic() - self._started
        return Finished(code, (self._folder / "out").read_text(), self.err, taken)


class Program:
    """``sweepmark`` in an empty folder.

    Each command is a process, forked from one that has imported everything; a new interpreter
    where that could make a difference (see :mod:`preforked`).

    Parameters
    ----------
    root : Path
        Where that folder is made, and another for the output of the commands.
    cache : Path
        What they have as SWEEPMARK_CACHE.
    executable : Path
        The program, if it is not the one of this environment.
    anew : bool
        Whether each command is a new interpreter, since something about its start is tested.

    Attributes
    ----------
    forker : callable
        Returns what commands are forked from; None where there is no such thing.
    """

    forker: Callable[[], Forker] | None = None

    def __init__(
        self, root: Path, *, cache: Path, executable: Path = INSTALLED, anew: bool = False
    ) -> None:
        self.folder = root / "folder"
        self.store = self.folder / "mlruns"
        self._outputs = root / "outputs"
        self.executable = executable
        self._is_forked = executable == INSTALLED and not anew
        self._started: list[Running] = []
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)
        } | {"SWEEPMARK_CACHE": str(cache)}
        for folder in (self.folder, self._outputs):
            folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Kill what a failed test left running."""
        for running in self._started:
            if running.process.poll() is None:
                running.process.kill()
            running.process.wait(60)

    def run(self, *words: object, code: int | None = 0, **environment: str) -> Finished:
        """Run a command to its end, which must be of the given exit code; None takes any."""
        running = self.start(*words, **environment)
        finished = running.end()
        assert code in {None, finished.code}, (
            f"exit code {finished.code}\n{finished.out}{finished.err}"
        )
        return finished

    def start(self, *words: object, **environment: str) -> Running:
        """Start a command."""
        outputs = self._outputs / str(len(list(self._outputs.iterdir())))
        outputs.mkdir()
        with (outputs / "out").open("wb") as out, (outputs / "err").open("wb") as err:
            started = time.monotonic()
            process = self._start(
                [str(self.executable), *map(str, words)], environment, out.fileno(), err.fileno()
            )
        self._started.append(Running(process, outputs, started))
        return self._started[-1]

    def _start(
        self, words: list[str], environment: dict[str, str], out: int, err: int
    ) -> subprocess.Popen[bytes] | ForkedProcess:
        complete = self.environment | environment
        if self._is_forked and self.forker and all(name.startswith(_LATE) for name in environment):
            return self.forker().start(words, self.folder, complete, out, err)
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=complete,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            process_group=0,
        )

    def left(self) -> list[str]:
        """Return what lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    def journal(self, sweep_id: str) -> list[Mapping[str, Any]]:
        """Return the entries of a sweep's journal."""
        lines = (self.store / "sweeps" / f"{sweep_id}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def sweep_ids(self) -> list[str]:
        """Return the sweeps of the store, oldest first."""
        journals = (self.store / "sweeps").glob("*.jsonl")
        return [path.stem for path in sorted(journals, key=lambda path: path.stat().st_ctime)]


class Called(Program):
    """The program without a process of its own, where what it says and leaves is all that counts.

    Starting one takes seconds, most of which are imports that are done here already.
    """

    def run(self, *words: object, code: int | None = 0, **environment: str) -> Finished:
        """Call the program; its output is taken from the descriptors, as json_only changes them."""
        with self._place(environment) as (out, err):
            started = time.monotonic()
            try:
                found = main([str(word) for word in words])
            except SystemExit as stop:  # what argparse does about --help and --version
                found = int(stop.code or 0)
            seconds = time.monotonic() - started
        finished = Finished(found, out.read_text(), err.read_text(), seconds)
        assert code in {None, finished.code}, (
            f"exit code {finished.code}\n{finished.out}{finished.err}"
        )
        return finished

    @contextlib.contextmanager
    def _place(self, environment: Mapping[str, str]) -> Iterator[tuple[Path, Path]]:
        """Be in the folder, with its environment; what is changed in this process is undone."""
        outputs = self._outputs / str(len(list(self._outputs.iterdir())))
        outputs.mkdir()
        stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        handlers = {number: signal.getsignal(number) for number in stops}
        own = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment, **environment)
        try:
            with contextlib.chdir(self.folder), contextlib.ExitStack() as stack:
                for descriptor, name in ((1, "out"), (2, "err")):
                    stack.enter_context(_redirected(descriptor, outputs / name))
                yield outputs / "out", outputs / "err"
        finally:
            os.environ.clear()
            os.environ.update(own)
            signal.set_wakeup_fd(-1)
            for number, handler in handlers.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _redirected(descriptor: int, path: Path) -> Iterator[None]:
    """Send a standard stream to a file: Python's, and what lies below it."""
    name = {1: "stdout", 2: "stderr"}[descriptor]
    python, kept = getattr(sys, name), os.dup(descriptor)
    python.flush()
    try:
        with path.open("w", encoding="utf-8") as file:
            os.dup2(file.fileno(), descriptor)
            setattr(sys, name, file)
            yield
    finally:
        setattr(sys, name, python)
        os.dup2(kept, descriptor)
        os.close(kept)
