"""``sweepmark grade STORE …``: a class as one ranked table."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from program import Called

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("run", "dataset=digits", "split.size=200", "engine=serial", "tracking=none")
STUDENTS = {
    "anna": ("classifier=knn", "run.name=Anna Kim"),
    "ben": ("classifier=knn", "classifier.n_neighbors=40"),
    "cleo": ("classifier=knn",),
}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> Called:
    """A folder with the stores of three students; two of them are equally good."""
    program = Called(tmp_path_factory.mktemp("taught"), cache=digits_cache)
    for student, own in STUDENTS.items():
        program.run(*SMALL, *own, "--store", f"class/{student}/mlruns")
    return program


def stores(*names: str) -> list[str]:
    return [f"class/{name}" for name in names or STUDENTS]


def test_stores_are_ranked_in_one_table(taught: Called) -> None:
    shown = taught.run("grade", *stores()).out
    lines = [line.split()[:2] for line in shown.splitlines() if line.strip()[:1].isdigit()]
    assert lines == [["1", "class/anna"], ["1", "class/cleo"], ["3", "class/ben"]]
    assert "Anna Kim" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    document = taught.run("grade", *stores(), "--json").document["grades"]
    assert [each["place"] for each in document] == [1, 1, 3]
    assert document[0]["value"] == document[1]["value"] > document[2]["value"]
    assert document[0]["name"] == "Anna Kim"


def test_a_store_itself_may_be_named_as_well(taught: Called) -> None:
    document = taught.run("grade", "class/anna/mlruns", "class/ben", "--json").document
    assert [each["entry"] for each in document["grades"]] == ["class/anna/mlruns", "class/ben"]


def test_csv_has_all_digits_and_no_formulas(taught: Called) -> None:
    taught.run(*SMALL, "classifier=knn", "--store", "=1+1/mlruns")
    text = taught.run("grade", *stores(), "=1+1", "--csv").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["rank"] for row in rows] == ["1", "1", "1", "4"]
    assert {row["store"] for row in rows} == {*stores(), "'=1+1"}
    values = taught.run("grade", *stores(), "--json").document["grades"]
    assert float(rows[-1]["value"]) == values[-1]["value"]
    taught.run("grade", *stores(), "=1+1", "-o", "class.csv")
    assert (taught.folder / "class.csv").read_text() == text


def test_page_of_a_class(taught: Called) -> None:
    said = taught.run("grade", *stores(), "-o", "class.html").out
    assert said.endswith("wrote class.html\n")
    text = (taught.folder / "class.html").read_text()
    assert "<script" not in text
    assert text.count("<tr>") == 4
    assert "Anna Kim" in text


def test_the_last_complete_one_counts(taught: Called, tmp_path: Path) -> None:
    shutil.copytree(taught.folder / "class" / "anna", tmp_path / "dora")
    own = ("--store", tmp_path / "dora" / "mlruns")
    later = taught.run(*SMALL, "classifier=knn", "classifier.n_neighbors=9", *own, "--json")
    sweep_id = later.document["sweep_id"]
    (graded,) = taught.run("grade", tmp_path / "dora", "--json").document["grades"]
    assert graded["sweep_id"] == sweep_id
    journal = tmp_path / "dora" / "mlruns" / "sweeps" / f"{sweep_id}.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]))
    (graded,) = taught.run("grade", tmp_path / "dora", "--json").document["grades"]
    assert graded["sweep_id"] != sweep_id
    assert graded["remark"].startswith(f"1 later not graded: {sweep_id} is not finished")


def test_a_store_without_an_entry_is_named_and_exits_1(taught: Called, tmp_path: Path) -> None:
    (tmp_path / "empty" / "mlruns" / "sweeps").mkdir(parents=True)
    shown = taught.run("grade", *stores(), tmp_path / "empty", code=1).out
    assert "it has no sweep yet" in shown
    refused = taught.run("grade", tmp_path / "empty", code=2)
    assert "no store has a sweep or run to grade" in refused.err


def test_required_accuracy_is_held_against_each(taught: Called) -> None:
    short = taught.run("grade", *stores(), "--require", "0.9", code=1)
    assert "class/ben: accuracy" in short.err
    assert "class/anna" not in short.err


def test_other_test_sets_are_refused_by_name(taught: Called) -> None:
    other = ("--store", "other/mlruns")
    taught.run(*SMALL, "classifier=knn", "split.size=160", *other)
    refused = taught.run("grade", *stores(), "other", code=2)
    assert "same test set" in refused.err
    assert "class/anna, class/ben, class/cleo on " in refused.err
    assert "; other on " in refused.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("class/anna", "class/none"), "class/none: no folder with a store in it"),
        (("class/anna", "class/anna/mlruns"), "are the same. Leave one."),
        (("class/anna", "--csv", "--json"), "both take standard output"),
        (("class/anna", "-o", "class.pdf"), "-o must name a .csv or .html file"),
        (("class/anna", "-o", "class"), "-o must name a .csv or .html file"),
        (("class/anna", "-o", "class/anna/mlruns/x.csv"), "-o must be outside of the store"),
        (("--csv",), "--csv is for a table of stores"),
        (("class/anna", "--accuracy", "0.9"), "name no store beside it"),
    ],
)
def test_what_cannot_be_is_refused(taught: Called, words: tuple[str, ...], message: str) -> None:
    refused = taught.run("grade", *words, code=2)
    assert refused.out == ""
    assert message in refused.err


def test_a_damaged_store_is_named(taught: Called, tmp_path: Path) -> None:
    shutil.copytree(taught.folder / "class" / "anna", tmp_path / "eve")
    (journal,) = (tmp_path / "eve").glob("mlruns/sweeps/*.jsonl")
    _, *others = journal.read_text().splitlines()
    journal.write_text("\n".join([json.dumps({"event": "opened"}), *others, ""]))
    shown = taught.run("grade", *stores("anna"), tmp_path / "eve", "--json", code=1).document
    assert shown["grades"][-1]["place"] is None
    assert str(journal) in shown["grades"][-1]["remark"]
