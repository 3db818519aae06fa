"""Debian's archive as a source: what apt-get and dpkg-deb are asked for, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
import tracemalloc
from typing import TYPE_CHECKING

import psutil
import pytest

from published import file_config, gzip_bomb
from stand_ins import install, install_archive
from sweepmark.config import dataset_config
from sweepmark.errors import ConfigurationError
from sweepmark.sources import apt, sources_of, tarball
from sweepmark.sources.apt import Apt
from sweepmark.sources.transfer import SourceError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "t10k-labels-idx1-ubyte"
FOLDER = "usr/share/datasets/tiny"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def fetch(source: Apt, digits_idx: Path, work: Path) -> Path:
    return source.fetch(file_config(digits_idx / NAME), work, advance=lambda _: None)


def test_fashion_mnist_comes_from_debian_before_it_comes_from_openml() -> None:
    labels = [source.label for source in sources_of(dataset_config("fashion_mnist"))]
    assert labels[-2:] == ["apt dataset-fashion-mnist", "OpenML Fashion-MNIST version 1"]


def test_lists_and_cache_are_its_own_and_the_package_is_downloaded_once(
    digits_idx: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(digits_idx, tmp_path / "content" / FOLDER)
    install_archive(tmp_path, tmp_path / "content", monkeypatch)
    log = tmp_path / "log"
    answer = (tmp_path / "bin" / "apt-get").read_text().partition("\n")[2]
    install(tmp_path, "apt-get", f'echo "$*" >> {log}\n{answer}', monkeypatch)
    source = Apt("tiny", FOLDER)
    for path in sorted(digits_idx.iterdir()):
        source.fetch(file_config(path), work, advance=lambda _: None)
    place = work / "apt"
    options = (
        f"--quiet --config-file={place}/apt.conf --option=Dir::State::Lists={place}/lists "
        f"--option=Dir::Cache={place}/cache"
    )
    assert log.read_text().splitlines() == [f"{options} update", f"{options} download tiny"]
    assert sorted(path.name for path in work.iterdir()) == sorted(
        ["apt", *(path.name for path in digits_idx.iterdir())]
    )


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="apt is Debian's")
def test_hooks_of_the_machine_are_not_run_and_all_else_is_kept(tmp_path: Path) -> None:
    (tmp_path / "machine").write_text('APT::Update::Post-Invoke { "exit 1"; };\nA::Kept "yes";\n')
    (tmp_path / "own").write_text(apt._OPTIONS)  # noqa: SLF001
    dumped = subprocess.run(
        [str(shutil.which("apt-config")), "-c", str(tmp_path / "own"), "dump"],
        env=os.environ | {"APT_CONFIG": str(tmp_path / "machine")},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert 'A::Kept "yes";' in dumped
    assert "exit 1" not in dumped


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_without_the_programs_the_archive_is_unreachable(
    digits_idx: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    install(tmp_path, {"apt-get": "dpkg-deb", "dpkg-deb": "apt-get"}[missing], "", monkeypatch)
    with pytest.raises(UnreachableError, match=f"^{missing} is not on the PATH$"):
        fetch(Apt("tiny", FOLDER), digits_idx, work)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'E: no such host' >&2; exit 100", "apt-get update failed: E: no such host"),
        (
            'case "$*" in *download*) echo "E: Unable to locate package tiny" >&2; exit 100;; esac',
            "apt-get download tiny failed: E: Unable to locate package tiny",
        ),
        ("exit 3", "apt-get update failed: exit code 3"),
        ("exit 0", "apt-get download must write one file, but wrote 0"),
        ("echo said; exec sleep 60", "apt-get update took longer than 0.5 s"),
        ('case "$*" in *download*) head -c 200 /dev/zero > x.deb;; esac', "at most 100 bytes"),
        ('case "$*" in *download*) echo no package > x.deb;; esac', "dpkg-deb failed: "),
    ],
)
def test_what_they_complain_of_is_passed_on(
    digits_idx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    if shutil.which("dpkg-deb") is None:
        install(tmp_path, "dpkg-deb", "exit 2", monkeypatch)
    install(tmp_path, "apt-get", script, monkeypatch)
    limit = 60.0 if "exec sleep" not in script else 0.5
    with pytest.raises(UnreachableError, match=message):
        fetch(Apt("tiny", FOLDER, timeout=limit, largest=100), digits_idx, work)
    assert [path.name for path in work.iterdir()] == ["apt"]


def test_what_takes_too_long_is_killed_with_all_that_it_started(
    digits_idx: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "dpkg-deb", "", monkeypatch)
    install(tmp_path, "apt-get", f"sleep 60 & echo $! > {tmp_path}/pid; wait", monkeypatch)
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"took longer than 0\.5 s"):
        fetch(Apt("tiny", FOLDER, timeout=0.5), digits_idx, work)
    assert time.monotonic() - began < 30
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "what apt-get started is still running"
        time.sleep(0.02)


def test_a_link_is_not_followed(
    digits_idx: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "content" / FOLDER
    place.mkdir(parents=True)
    (place / NAME).symlink_to(digits_idx / NAME)  # it leads to the very file that is wanted
    install_archive(tmp_path, tmp_path / "content", monkeypatch)
    with pytest.raises(SourceError, match="the package has none of"):
        fetch(Apt("tiny", FOLDER), digits_idx, work)


def test_a_package_that_explodes_is_given_up(
    digits_idx: Path, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in its length, one in the length that a header claims; neither costs memory."""
    monkeypatch.setattr(tarball, "LARGEST", 8 << 20)
    install(tmp_path, "apt-get", 'case "$*" in *download*) echo > x.deb;; esac', monkeypatch)
    huge = tarfile.TarInfo("huge")
    huge.type, huge.size = tarfile.XHDTYPE, 5 << 30  # an extended header, read in one piece
    (tmp_path / "header").write_bytes(huge.tobuf() + bytes(2 << 20))
    (tmp_path / "long.gz").write_bytes(b"".join(gzip_bomb(64)))
    tracemalloc.start()
    try:
        for script, message in {
            f"gzip -dc {tmp_path}/long.gz": "must unpack to at most 8388608 bytes",
            f"cat {tmp_path}/header": "cannot be read: a header of",
        }.items():
            install(tmp_path, "dpkg-deb", script, monkeypatch)
            with pytest.raises(SourceError, match=message):
                fetch(Apt("tiny", FOLDER), digits_idx, work)
            shutil.rmtree(work / "apt")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize(
    "package", ["--dpkg-options", "./evil.deb", "evil.deb", "a/unstable", "a=1", ""]
)
def test_a_package_is_one_of_the_archive(package: str) -> None:
    with pytest.raises(ConfigurationError, match="must name a package of Debian's archive"):
        dataset_config("fashion_mnist", [f"dataset.sources.apt.package='{package}'"])
