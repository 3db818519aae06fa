"""Tables as other people have them, from the command line: one way in for all formats."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from program import Called

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = ("engine=serial", "grade=none", "tracking=none", "preprocess=none", "classifier=logistic")
N_ROWS = 60


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(1)
    X = generator.normal(size=(N_ROWS, 2)).round(3)
    y = np.where(X[:, 0] > 0, "churned", "stayed")
    return pd.DataFrame({"Id": np.arange(N_ROWS) + 100, "y": y, "a": X[:, 0], "b": X[:, 1]})


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame) -> Iterator[Called]:
    program = Called(tmp_path_factory.mktemp("other"), cache=tmp_path_factory.mktemp("cache"))
    folder = program.folder
    frame.to_parquet(folder / "table.parquet")
    frame.to_feather(folder / "table.feather")
    frame.to_csv(folder / "table.csv.gz", index=False)
    frame.to_csv(folder / "german.csv", sep=";", decimal=",", encoding="utf-16")
    features = frame[["a", "b"]].to_numpy()
    np.savez(folder / "table.npz", X=features, y=frame["y"].to_numpy(str))
    yield program
    program.close()


def _run(program: Called, name: str, *more: str, code: int = 0) -> Any:
    words = ("run", "dataset=csv", f"dataset.path={name}", *QUICK, *more)
    return program.run(*words, "--json", code=code)


def test_every_format_gives_the_same_figures(program: Called) -> None:
    dropped = ("dataset.label=y", "dataset.drop=[Id]")
    found = {
        name: _run(program, name, *(() if name.endswith("npz") else dropped)).document
        for name in ("table.parquet", "german.csv", "table.npz")
    }
    (trial, *others) = [document["trials"][0] for document in found.values()]
    assert trial["metrics"]["accuracy"] > 0.8
    for other in others:
        assert other["metrics"] == trial["metrics"]
    assert not any(document["warnings"] for document in found.values())
    trained = found["table.parquet"]["sweep_id"]
    for name in ("table.feather", "table.csv.gz", "german.csv", "table.npz"):
        document = program.run("predict", trained, name, "--json").document
        assert len(document["predictions"]) == N_ROWS
        assert document["accuracy"] > 0.8


def test_an_identifier_is_warned_of_with_what_leaves_it_out(program: Called) -> None:
    document = _run(program, "table.parquet", "dataset.label=y").document
    (warning,) = document["warnings"]
    assert warning["kind"] == "identifier"
    assert warning["message"].startswith("Id counts the rows: ")
    (word,) = (one for one in shlex.split(warning["message"]) if one.startswith("dataset.drop"))
    assert not _run(program, "table.parquet", "dataset.label=y", word.rstrip(",")).document[
        "warnings"
    ]
    again = program.run("resume", document["sweep_id"], "--json").document
    assert [one["kind"] for one in again["warnings"]] == ["identifier"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("dataset.drop=[id]",), "dataset.drop: unknown column 'id'. Did you mean 'Id'?"),
        (("dataset.drop=[y]", "dataset.label=y"), "'y' is the label"),
        (('dataset.separator=";;"',), "dataset.separator must be one character"),
        (("dataset.encoding=klingon",), "dataset.encoding must be an encoding that Python knows"),
        (("dataset.decimal=x",), "dataset.decimal must be"),
    ],
)
def test_wrong_words_are_refused_before_anything_starts(
    program: Called, words: tuple[str, ...], message: str
) -> None:
    assert message in _run(program, "table.csv.gz", *words, code=2).err


def test_a_file_that_is_none_is_refused(program: Called) -> None:
    for name in ("table.parquet", "table.npz"):
        content = (program.folder / name).read_bytes()
        (program.folder / "half").write_bytes(content[: len(content) // 2])
        assert "half: must be a whole" in _run(program, "half", code=2).err
        assert "half: must be a whole" in program.run("predict", "latest", "half", code=2).err


def test_one_label_only_is_said_to_be_all_there_is(program: Called, frame: pd.DataFrame) -> None:
    frame.assign(y="stayed").to_csv(program.folder / "one.csv", index=False)
    words = ("run", "dataset=csv", "dataset.path=one.csv", "dataset.label=y", *QUICK)
    said = program.run(*words, code=2).err
    assert "two labels or more, but all 60 rows are 'stayed'. Set dataset.label" in said
    assert "split.size" not in said
