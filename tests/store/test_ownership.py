"""Ownership: one coordinator a sweep, and none that is dead."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import OwnedError
from sweepmark.store import owned

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from sweepmark.store import owned
with owned(Path(sys.argv[1])):
    print("owned", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweeps" / "some-sweep.lock"


def test_second_owner_is_refused_and_told_who_the_first_is(path: Path) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as holder,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(holder.kill)  # else leaving the block waits for it, also if a test failed
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"owned\n"
        with pytest.raises(OwnedError) as error, owned(path):
            pass
        for part in ("some-sweep", f"process {holder.pid}", platform.node(), "since 20"):
            assert part in str(error.value)
        assert error.value.exit_code == 3
        holder.send_signal(signal.SIGKILL)
    with owned(path):  # a dead owner owns nothing
        assert f'"process": {os.getpid()}' in path.read_text()


def test_ownership_ends_with_the_block_however_it_is_left(path: Path) -> None:
    with pytest.raises(KeyError), owned(path):
        raise KeyError
    with owned(path), pytest.raises(OwnedError), owned(path):
        pass
    with owned(path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "a"}'])
def test_owner_that_did_not_say_its_name_is_another_process(path: Path, content: str) -> None:
    with owned(path):
        path.write_text(content)
        with pytest.raises(OwnedError, match="owned by another process"), owned(path):
            pass
