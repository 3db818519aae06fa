"""What the data decide of a configuration: the kind of a table, and how mixed columns are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import sweepmark
from program import Called
from sweepmark.config import Composer, Folders
from sweepmark.errors import ConfigurationError, DataError
from sweepmark.search.blueprint import Blueprint
from tables import write
from tiny import write_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROWS = [("yes", 60 + i, "basic") if i % 3 else ("no", 20 + i, "plus") for i in range(40)]
MIXED = "churned,age,plan\n" + "".join(f"{y},{age},{plan}\n" for y, age, plan in ROWS)
GAPS = "y,a,b\n" + "".join(f"{i % 2},{i},{'' if i == 3 else i * i}\n" for i in range(40))
NUMBERS = "y,a,b\n" + "".join(f"{i % 2},{i},{i * i}\n" for i in range(40))
OWN = """# Mine
defaults:
  - override /preprocess: none
sweep: {space: {classifier: {C: [1, 10]}}}
"""
STEPS = {"mixed": ["columns"], "scale": ["scale"], "none": [], "minmax": ["minmax"]}


def compose(
    path: Path, words: Sequence[str] = (), sweep: str | None = None, folder: Path | None = None
) -> Blueprint:
    with Composer(Folders.of([folder] if folder else [])) as composer:
        return Blueprint.compose(composer, sweep, ["dataset=csv", f"dataset.path={path}", *words])


@pytest.mark.parametrize(
    ("text", "words", "sweep", "table", "steps"),
    [
        (MIXED, [], None, "mixed", "mixed"),
        (GAPS, [], None, "mixed", "mixed"),
        (NUMBERS, [], None, "numeric", "scale"),
        (NUMBERS, ["dataset.table=mixed"], None, "mixed", "mixed"),
        (NUMBERS, ["+dataset.types={a:text}"], None, "mixed", "mixed"),
        (NUMBERS, ["++dataset.types={y:text}", "dataset.label=y"], None, "numeric", "scale"),
        (MIXED, ["preprocess=none"], None, "mixed", "none"),
        (MIXED, [], "which_classifier", "mixed", "mixed"),
        (NUMBERS, [], "which_classifier", "numeric", "minmax"),
        (MIXED, ["preprocess=none"], "which_classifier", "mixed", "none"),
        (MIXED, [], "own", "mixed", "none"),  # a sweep of the user's
    ],
)
def test_a_table_is_what_its_file_is_and_the_users_choice_wins(  # noqa: PLR0913, PLR0917
    tmp_path: Path, text: str, words: list[str], sweep: str | None, table: str, steps: str
) -> None:
    folder = write_sweep(tmp_path / "mine", "own", OWN)
    asked = compose(write(tmp_path / "a.csv", text), words, sweep, folder)
    for options in asked.trees:
        tree = asked.asked(options)
        assert tree["dataset"]["table"] == table
        assert list(tree["preprocess"]) == STEPS[steps]
    is_open = not any("dataset.table" in word for word in words)
    assert any(f"dataset.table={table}" in note for note in asked.notes) == is_open


def test_what_is_known_beforehand_reads_no_file(tmp_path: Path) -> None:
    absent = tmp_path / "absent.csv"
    words = ["dataset.table=mixed", "preprocess=none"]
    assert compose(absent, words).notes == ()
    (note,) = compose(absent, words[:1]).notes
    assert "preprocess=mixed" in note
    assert compose(absent, ["dataset.table=numeric"]).notes == ()


def test_what_is_neither_kind_is_refused_with_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", NUMBERS.replace("\n1,5,25\n", "\n1,x,25\n"))
    with pytest.raises(DataError, match=r"row 6.*column 'a'.*39 others"):
        compose(path)


def test_columns_by_type_of_an_array_are_refused(tmp_path: Path) -> None:
    called = Called(tmp_path, cache=tmp_path / "cache")
    write(called.folder / "a.csv", NUMBERS)
    words = ("run", "dataset=csv", "dataset.path=a.csv", "preprocess=mixed", "tracking=none")
    assert "Set dataset.table=mixed" in called.run(*words, code=2).err
    called.run(*words, "dataset.table=mixed", "engine=serial")


def test_a_mixed_table_works_at_once_and_its_model_takes_new_rows(tmp_path: Path) -> None:
    called = Called(tmp_path, cache=tmp_path / "cache")
    write(called.folder / "churn.csv", MIXED)
    words = ("run", "dataset=csv", "dataset.path=churn.csv", "engine=serial")
    first = called.run(*words, "classifier=logistic", "--json")
    assert first.document["trials"][0]["metrics"]["accuracy"] == 1
    assert "dataset.table=mixed preprocess=mixed" in first.err
    write(called.folder / "new.csv", "age,plan\n70,gold\n21,\n,plus\n")
    shown = called.run("predict", "latest", "new.csv")
    assert [line.split(",")[1] for line in shown.out.splitlines()] == ["label", "yes", "no", "no"]
    opened = called.journal(first.document["sweep_id"])[0]
    (tree,) = opened["blueprint"]["trees"].values()
    assert tree["dataset"]["table"] == "mixed"
    assert list(tree["preprocess"]) == ["columns"]
    again = called.run(*words, "classifier=logistic", "preprocess=mixed", "--json")
    assert again.document["n_reused"] == 1  # the same evaluation, whoever chose


def test_frames_of_python_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPMARK_CACHE", str(tmp_path / "cache"))
    frame = pd.DataFrame(ROWS, columns=["churned", "age", "plan"])
    options: Any = {"classifier": "logistic", "store": tmp_path / "mlruns", "progress": False}
    words = ("tracking=none", "engine=serial")
    card = sweepmark.evaluate(*words, dataset=(frame, "churned"), **options)
    assert card.metrics["accuracy"] == 1
    with pytest.raises(ConfigurationError, match="mixed table"):
        sweepmark.evaluate(
            *words, "preprocess=mixed", dataset=(frame[["churned", "age"]], "churned"), **options
        )
