"""Running external programs: without a shell, with timeouts, and with their error output."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from sweepmark.sources.transfer import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["find_program", "output", "run_program"]

_MOST_WORDS = 1 << 16


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises
    ------
    UnreachableError
        If it is not on the PATH.
    """
    path = shutil.which(name)
    if path is None:
        raise UnreachableError(f"{name} is not on the PATH")
    return path


def run_program(
    title: str,
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end.

    Parameters
    ----------
    title : str
        Its name in errors, such as ``npm pack``.
    command : sequence of str
        The program and its arguments.
    folder : Path
        The working directory.
    timeout : float
        Seconds after which it and its child processes are killed.
    environment : mapping of str to str or None
        Variables in addition to those of this process.

    Raises
    ------
    UnreachableError
        If it fails or takes longer.
    """
    with output(title, command, folder=folder, timeout=timeout, environment=environment) as stream:
        while stream.read(_MOST_WORDS):
            pass  # its output on success is discarded


@contextmanager
def output(
    title: str,
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> Iterator[IO[bytes]]:
    """Run a program and yield its standard output while it runs; see :func:`run_program`.

    A program whose output is not read to the end is killed, without an error.
    """
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(  # noqa: S603  # a list of arguments, no shell
                command,
                cwd=folder,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                process_group=0,  # so that its child processes can be killed with it
            )
        except OSError as error:
            raise UnreachableError(f"{title} failed: {error}") from error
        late = threading.Event()

        def give_up() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(timeout, give_up)
        timer.daemon = True
        timer.start()
        try:
            with process.stdout as stream:  # type: ignore[union-attr]  # it is a pipe
                yield stream
                is_whole = not stream.read(1)
            if is_whole:
                process.wait()  # the timer bounds this
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
        if late.is_set():
            raise UnreachableError(f"{title} took longer than {timeout:g} s")
        if is_whole and process.returncode:
            raise UnreachableError(f"{title} failed: {_last_words(words, process.returncode)}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that has not ended, and its child processes."""
    if process.returncode is None:  # otherwise its process id may have been reused
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_words(words: IO[bytes], code: int) -> str:
    """Return the first lines of a failed program's output."""
    words.seek(0)
    lines = [line.strip() for line in words.read(_MOST_WORDS).decode(errors="replace").splitlines()]
    spoken = [line for line in lines if line]
    return "; ".join(spoken[:2]) or f"exit code {code}"
