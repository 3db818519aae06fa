"""Programs that a test puts first on the PATH, in place of those that a network answers."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def install(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a shell script under a program's name first on the PATH."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=":")


def install_archive(folder: Path, content: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``apt-get download`` deliver a package of what lies below ``content``.

    It is a real package, and a real dpkg-deb reads it, where there is one.
    """
    package = folder / "tiny_1.0_all.deb"
    if shutil.which("dpkg-deb"):
        (content / "DEBIAN").mkdir()
        (content / "DEBIAN" / "control").write_text(
            "Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\n"
            "Description: a test\n"
        )
        command = ["dpkg-deb", "--root-owner-group", "--build", str(content), str(package)]
    else:
        command = ["tar", "-cf", str(package), "-C", str(content), "."]
        install(folder, "dpkg-deb", 'exec cat "$2"', monkeypatch)
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    install(folder, "apt-get", f'case "$*" in *download*) cp "{package}" .;; esac', monkeypatch)
