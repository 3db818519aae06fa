"""Row 26: HOME, temporary folder or cache not writable, at any depth."""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import TYPE_CHECKING, NoReturn

import pytest

from sweepmark.cli.program import VERBS
from sweepmark.config.places import given_path
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

USES = {
    "run": ("run", "dataset=digits", "split.size=200", "classifier=dummy", "engine=serial"),
    "sweep": ("sweep", "classifiers", "dataset=digits", "engine=serial"),
    "data": ("data", "list"),
    "completion": ("completion", "bash"),
    "plan": ("plan", "classifiers", "dataset=digits", "--cfg", "job"),
    "predict": ("predict", "latest", "rows.csv"),
    "register": ("register", "latest", "digits"),
    "archive": ("archive", "latest", "handed.zip"),
    "restore": ("restore", "handed.zip"),
    "forget": ("forget", "latest", "--yes"),
} | {verb: (verb,) for verb in ("resume", "compare", "grade", "report", "ui", "doctor")}
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


@pytest.mark.row(26, "HOME that cannot be looked into")
def test_home_that_is_refused(called: Called) -> None:
    """A name that is too long is refused like a folder without permission, to root too."""
    place = f"/tmp/{'x' * 300}"  # noqa: S108 -- is not made
    own = {"HOME": place, "SWEEPMARK_CACHE": "", "XDG_CACHE_HOME": ""}
    for words in (RUN, ("data", "fetch", "digits")):
        refused = called.run(*words, code=2, **own)
        assert refused.err.startswith(f"error: the cache folder {place}")
        assert "Set SWEEPMARK_CACHE to a folder that you can write to." in refused.err
    for verb in ("data list", "doctor"):
        assert called.run(*verb.split(), code=0, **own).err == ""
    assert called.left() == []


@pytest.mark.row(26, "no home folder is known")
def test_no_home(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME is not set, and the machine has no entry for the user, as in some containers."""

    def no_entry(_: object) -> NoReturn:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    cache = called.environment.pop("SWEEPMARK_CACHE")
    for name in ("HOME", "XDG_CACHE_HOME"):
        called.environment.pop(name, None)
    for words in (RUN, ("data", "fetch", "digits"), ("data", "list")):
        assert "Set SWEEPMARK_CACHE" in called.run(*words, code=2).err
    found = called.run("doctor", code=1)
    assert "PROBLEM  cache" in found.out
    assert "Set SWEEPMARK_CACHE" in found.out
    assert called.left() == []
    assert "accuracy" in called.run(*RUN, SWEEPMARK_CACHE=cache).out


@pytest.mark.row(26, "the home of nobody is a file's own name, as in a shell")
@pytest.mark.parametrize(
    "words",
    [
        (*RUN, "--config-dir", "~nobody-of-that-name/own"),
        ("run", "dataset.path=~nobody-of-that-name/mnist", "engine=serial"),
        ("run", "dataset=csv", "dataset.path=~nobody-of-that-name/x.csv", "engine=serial"),
        ("compare", "--store", "~nobody-of-that-name/runs"),
        ("grade", "~nobody-of-that-name/class"),
        ("report", "-o", "~nobody-of-that-name"),
        ("restore", "~nobody-of-that-name/sweep.zip"),
    ],
    ids=" ".join,
)
def test_unknown_home(called: Called, words: tuple[str, ...]) -> None:
    assert "~nobody-of-that-name" in called.run(*words, code=2).err
    assert called.left() == []


@pytest.mark.row(26, "a home that is not known")
def test_place_in_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # nobody knows it
    with pytest.raises(ConfigurationError, match="Write the path from / on"):
        given_path("~/runs", what="--store")


@pytest.mark.row(26, "a path that the system refuses, by any verb")
@pytest.mark.parametrize("verb", VERBS)
def test_refused_path(called: Called, verb: str) -> None:
    place = f"/tmp/{'x' * 300}"  # noqa: S108 -- is not made
    done = called.run(*USES[verb], "--store", place, code=None)
    assert done.code in {0, 1, 2, 3}
    assert "bug" not in done.err
    if done.code > 1:
        assert place in done.err
    assert called.left() == []


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
