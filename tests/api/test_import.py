"""``import sweepmark`` costs milliseconds, and has what it says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sweepmark
from sweepmark import errors

NAMES = vars(sweepmark)["__all__"]


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


def test_importing_it_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import sweepmark; dir(sweepmark);"
        "print(*sorted(name for name in set(sys.modules) - before if name[0] != '_'))"
    )
    assert python(code).split() == ["sweepmark"]


def test_errors_and_functions_come_when_asked_for() -> None:
    code = (
        "import sys, sweepmark; sweepmark.errors.StoreError; print('hydra' in sys.modules);"
        "from sweepmark import evaluate, open; print(evaluate.__module__, 'mlflow' in sys.modules)"
    )
    assert python(code).split() == ["False", "sweepmark.api.launching", "False"]


def test_every_name_is_there_and_known_to_type_checkers() -> None:
    assert set(NAMES) <= set(dir(sweepmark))
    assert all(getattr(sweepmark, name) is not None for name in NAMES)
    assert sweepmark.errors is errors
    stub = ast.parse(Path(sweepmark.__file__).with_suffix(".pyi").read_text())
    names = {
        alias.asname
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names | {"__version__"} == set(NAMES)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="module 'sweepmark' has no attribute 'evalute'"):
        _ = sweepmark.evalute  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name in NAMES if name[0] != "_"])
def test_everything_says_what_it_is(name: str) -> None:
    assert getattr(sweepmark, name).__doc__
