"""Chromium, without a network, for tests that look at pages."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_INSTALL = "apt-get install --yes --no-install-recommends chromium"
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")  # no longer: other tests count processes
def browser() -> Iterator[Browser]:
    """A headless Chromium; without one, a test is skipped, and fails in CI."""
    path = shutil.which("chromium")
    if path is None:
        _leave(f"there is no chromium to look with. Install it: {_INSTALL}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield opened
        opened.close()


def _leave(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
