"""What is pinned can be had by whoever has the oldest Python that we promise."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


def test_every_pinned_release_takes_the_oldest_python_that_we_promise() -> None:
    """Debian 12 has 3.11.2; a release that asks for 3.11.5 cannot be installed there."""
    oldest = re.sub(r"^>=(\d+\.\d+)$", r"\1.0", PROJECT["requires-python"])
    refused = {}
    for name in PINS:
        try:
            found = metadata(name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
        # get() is not in the metadata's type, and [] raises once importlib_metadata is imported.
        if "Requires-Python" not in found:
            continue
        if not SpecifierSet(found["Requires-Python"]).contains(oldest):
            refused[name] = found["Requires-Python"]
    assert refused == {}
