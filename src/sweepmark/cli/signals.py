"""Ctrl-C, SIGTERM, SIGHUP: the first stops in order, the second at once, none takes for ever.

Python runs handlers between its own instructions only: a call into C, a libsvm fit in this
process say, can keep them waiting. A thread that the signal itself wakes sees to it that the
program ends in time nevertheless. All that matters is on the disk at any moment, so that nothing
is lost by it.
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
"""Seconds from a signal until the program ends, in order or not."""

_SHOW_CURSOR = "\x1b[?25h"


def exit_code(number: int) -> int:
    """Return what the program ends with after a signal; a terminal that hangs up asks it to end."""
    return 128 + (signal.SIGTERM if number == signal.SIGHUP else number)


class Stopped(KeyboardInterrupt):
    """A signal arrived that asks the program to stop.

    Attributes
    ----------
    number : Signals
        Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = signal.Signals(number)


class Interruptions:
    """Takes SIGINT, SIGTERM and SIGHUP from its creation on; what nohup has ignored stays so.

    Attributes
    ----------
    advice : str
        What to say to someone who stopped the program; empty as long as there is nothing to
        go on with.
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
        """Return the one line that says what happened and how to go on."""
        return f"stopped by {signal.Signals(number).name}. {self.advice}".rstrip()

    def _watch(self, reader: int) -> None:
        """End the program at a second signal, or when the first was not heeded in time."""
        number = os.read(reader, 1)[0]
        if select.select([reader], [], [], _PATIENCE)[0]:
            os._exit(exit_code(os.read(reader, 1)[0]))
        with suppress(OSError):  # nobody may be there any more, as after SIGHUP
            cursor = _SHOW_CURSOR if os.isatty(2) else ""
            os.write(2, f"{cursor}{escape(self.message(number))}\n".encode())
        os._exit(exit_code(number))


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    for each in _STOPS:
        if signal.getsignal(each) == _stop:
            signal.signal(each, _ignore)  # not SIG_IGN: the thread must hear it
    raise Stopped(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    del number, frame
