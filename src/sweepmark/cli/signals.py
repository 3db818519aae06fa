"""Ctrl-C and SIGTERM: the first stops in order, the second at once, and no stop takes for ever.

Python runs handlers between its own instructions only: a call into C, a libsvm fit in this
process say, can keep them waiting. A thread that the signal itself wakes sees to it that the
program ends in time nevertheless. All that matters is on the disk at any moment, so that nothing
is lost by it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["Interruptions", "Stopped"]

_PATIENCE = 8.0
"""Seconds from a signal until the program ends, in order or not."""

_SHOW_CURSOR = "\x1b[?25h"


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
    """Takes SIGINT and SIGTERM from its creation on.

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
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)

    def message(self, number: int) -> str:
        """Return the one line that says what happened and how to go on."""
        return f"stopped by {signal.Signals(number).name}. {self.advice}".rstrip()

    def _watch(self, reader: int) -> None:
        """End the program at a second signal, or when the first was not heeded in time."""
        number = os.read(reader, 1)[0]
        if select.select([reader], [], [], _PATIENCE)[0]:
            os._exit(128 + os.read(reader, 1)[0])
        cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
        os.write(2, f"{cursor}{self.message(number)}\n".encode())
        os._exit(128 + number)


def _stop(number: int, frame: FrameType | None) -> None:
    del frame
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _ignore)  # not SIG_IGN: the thread must hear it
    raise Stopped(number)


def _ignore(number: int, frame: FrameType | None) -> None:
    del number, frame
