"""Ctrl-C, SIGTERM, SIGHUP: the first stops in order, the second at once, both within bounded time.

Python runs signal handlers only between bytecode instructions, so a long call into C, such as a
libsvm fit in this process, delays them. A thread that the signal wakes up ends the program in time
nevertheless. Nothing is lost by that, because all finished work is on disk at any moment.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from sweepmark.terminal import escape

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Interruptions", "Stopped", "exit_code"]

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PATIENCE = 8.0
"""Seconds from a signal until the program is ended by force."""

_SHOW_CURSOR = "\x1b[?25h"


def exit_code(number: int) -> int:
    """Return the exit code after a signal; SIGHUP counts as SIGTERM."""
    return 128 + (signal.SIGTERM if number == signal.SIGHUP else number)


class Stopped(KeyboardInterrupt):
    """A signal requested the program to stop.

    Attributes
    ----------
    number : Signals
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = signal.Signals(number)


class Interruptions:
    """Handles SIGINT, SIGTERM and SIGHUP once created; signals ignored by nohup stay ignored.

    Attributes
    ----------
    advice : str
        How to resume, for the user who stopped the program; empty while there is nothing to resume.
    """

    def __init__(self) -> None:
        self.advice = ""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()
        for number in _STOPS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _stop)

    def message(self, number: int) -> str:
        """Return one line that says what happened and how to resume."""
        return f"stopped by {signal.Signals(number).name}. {self.advice}".rstrip()

    def _watch(self, reader: int) -> None:
        """End the program at a second signal, or if the first has not ended it in time."""
        number = os.read(reader, 1)[0]
        if select.select([reader], [], [], _PATIENCE)[0]:
            os._exit(exit_code(os.read(reader, 1)[0]))
        with suppress(OSError):  # there may be no reader any more, as after SIGHUP
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            os.write(2, f"{cursor}{escape(self.message(number))}\n".encode())
        os._exit(exit_code(number))


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    for each in _STOPS:
        if signal.getsignal(each) == _stop:
            signal.signal(each, _ignore)  # not SIG_IGN: the thread must be woken by it
    raise Stopped(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    del number, frame
