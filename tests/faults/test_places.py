"""Row 26: HOME, temporary folder or cache not writable, at any depth."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

RUN = ("run", "dataset=digits", "split.size=200", "classifier=dummy", "engine=serial")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A place below which nobody can make a folder, root included: a file."""
    path = tmp_path / "closed"
    path.write_text("")
    return path


@pytest.mark.row(26, "HOME or cache not writable")
@pytest.mark.parametrize("below", ["", "a", "a/b/c"])
@pytest.mark.parametrize("variable", ["HOME", "SWEEPMARK_CACHE"])
def test_cache(called: Called, closed: Path, variable: str, below: str) -> None:
    place = str(closed / below)
    own = {variable: place} | ({"SWEEPMARK_CACHE": ""} if variable == "HOME" else {})
    own |= {"XDG_CACHE_HOME": ""}
    refused = called.run(*RUN, code=2, **own)
    assert "Traceback" not in refused.err
    assert str(closed) in refused.err
    assert "Set SWEEPMARK_CACHE" in refused.err
    assert called.left() == []
    found = called.run("doctor", code=1, **own)
    assert f"{closed} is no folder" in found.out
    assert "set SWEEPMARK_CACHE=PATH" in found.out


@pytest.mark.row(26, "HOME on a file system that is read-only")
def test_read_only(called: Called, tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.mkdir()
    if os.geteuid() == 0:
        command: list[str] = ["/bin/mount", "-t", "tmpfs", "-o", "ro", "none", str(place)]
        subprocess.run(command, check=True, timeout=60)
    else:
        place.chmod(0o500)
    try:
        own = {"HOME": str(place), "SWEEPMARK_CACHE": "", "XDG_CACHE_HOME": ""}
        refused = called.run(*RUN, code=2, **own)
        assert str(place) in refused.err
        assert "Set SWEEPMARK_CACHE" in refused.err
        found = called.run("doctor", code=1, **own)
        assert f"{place} cannot be written to" in found.out
    finally:
        if os.geteuid() == 0:
            subprocess.run(["/bin/umount", place], check=True, timeout=60)


@pytest.mark.row(26, "a temporary folder that is not there")
def test_temporary_folder(called: Called, closed: Path) -> None:
    done = called.run(*RUN, TMPDIR=str(closed / "below"))
    assert "accuracy" in done.out
