"""Row 25: labels, names and messages that a terminal would obey, or that are too long for it."""

from __future__ import annotations

import csv
import unicodedata
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

LABELS = ("\x1b[2J\x1b[31mred", "[/x]<script>alert(1)</script>", "e" + "\u0301" * 1000)
LONG = "long" * 2500
RUN = ("run", "dataset=csv", "split.size=null", "engine=serial", "classifier=knn")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "foreign.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["label", "one", "two"])
        for number in range(120):
            rows.writerow([(*LABELS, LONG)[number % 4], number % 7, number % 4])
    return path


def is_clean(text: str) -> bool:
    """Tell whether a terminal obeys nothing of a text but its line feeds."""
    return all(unicodedata.category(each) not in {"Cc", "Cf"} for each in text if each != "\n")


@pytest.mark.row(25, "labels that are escape sequences, markup, marks and 10 kB long")
def test_labels(called: Called, table: Path) -> None:
    done = called.run(*RUN, f"dataset.path={table}")
    seen = [
        done,
        called.run("compare"),
        called.run("data", "describe", "csv", f"dataset.path={table}"),
    ]
    for finished in seen:
        assert is_clean(finished.out + finished.err)
    assert r"\x1b[2J" in seen[1].out
    assert "[/x]<script>" in seen[1].out
    assert max(map(len, seen[1].out.splitlines())) < 2000
    pictures = sorted(path.name for path in called.store.rglob("*.png"))
    assert "confusion_matrix.png" in pictures
    assert not list(called.store.rglob("*.png.txt"))
    document = called.run("compare", "--json").document
    assert {one["label"] for one in document["labels"]} == {*LABELS, LONG}


@pytest.mark.row(25, "a message with escape sequences that would forge a line")
def test_message(called: Called) -> None:
    refused = called.run("run", "classifier=\x1b[31mnone\nerror: all is well", code=2)
    assert is_clean(refused.err)
    assert not any(line.startswith("error: all is well") for line in refused.err.splitlines())
    refused = called.run("grade", "no\x1b]0;title\x07such", code=2)
    assert is_clean(refused.err)


@pytest.mark.row(25, "a password in an address")
def test_password(called: Called, tmp_path: Path) -> None:
    cache = {"SWEEPMARK_CACHE": str(tmp_path / "none")}
    words = (
        "data",
        "fetch",
        "titanic",
        "dataset.sources.mirror.urls=[http://me:s3cret@127.0.0.1:1/a.csv]",
    )
    refused = called.run(*words, code=2, **cache)
    assert "s3cret" not in refused.out + refused.err


@pytest.mark.row(25, "a password in an address of a run")
def test_password_of_a_run(called: Called) -> None:
    """The journal alone keeps it: a resume asks the same address."""
    address = "http://me:s3cret@127.0.0.1:1/a"
    words = ("run", "dataset=digits", "classifier=dummy", "engine=serial")
    shown = [
        called.run(*words, f"+dataset.sources.mirror.urls=[{address}]", option)
        for option in ("--json", "--cfg=job")
    ]
    assert not any("s3cret" in one.out + one.err for one in shown)
    files = [path for path in called.store.rglob("*") if path.is_file()]
    holding = {path.parent.name for path in files if b"s3cret" in path.read_bytes()}
    assert holding <= {"sweeps"}
    (configuration,) = [path for path in files if path.name == "config.yaml"]
    assert "@127.0.0.1:1/a" in configuration.read_text()


@pytest.mark.row(25, "a password in the log of a bug")
def test_password_in_a_bug(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no http://me:s3cret@127.0.0.1:1/a")

    monkeypatch.setattr("sweepmark.report.runs.find_run", fail)
    ended = called.run("predict", "latest", "rows.csv", code=70)
    assert "s3cret" not in ended.err
    (log,) = (called.store / "logs").iterdir()
    assert "me:s3cret" not in log.read_text()
    assert "RuntimeError" in log.read_text()
