"""``sweepmark predict`` as a user calls it."""

from __future__ import annotations

import contextlib
import csv
import io
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import glyphs
from program import Called
from sweepmark.config import Composer, Folders
from sweepmark.report.inference import load_model
from sweepmark.report.runs import find_run
from sweepmark.search.blueprint import Blueprint
from sweepmark.sources import idx
from sweepmark.store import Store
from tables import PASSENGERS, write
from tiny import grid, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.report.results import SweepResult

SMALL = ("engine=serial", "tracking=none", "grade=none")
DETECTOR = ("task=is_digit", "task.positive=5", "evaluation.threshold=0.5")
FLOWERS = "kind,a,b\n" + "".join(
    f"{kind},{10 * i + j % 3},{j % 5}.5\n"
    for j in range(12)
    for i, kind in enumerate(("daisy", "rose", "tulip"))
)


@dataclass(frozen=True)
class Kept:
    """A store with runs of each kind, and a program that finds them there."""

    program: Called
    results: dict[str, SweepResult]

    def id(self, name: str) -> str:
        return self.results[name].sweep_id

    def predict(self, name: str, *words: object, code: int = 0) -> Any:
        return self.program.run("predict", self.id(name), *words, code=code)


def launched(store: Store, *overrides: str) -> SweepResult:
    with Composer(Folders.of([])) as composer:
        return run(Blueprint.compose(composer, None, [*SMALL, *overrides]), store)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Iterator[Kept]:
    root = tmp_path_factory.mktemp("kept")
    flowers = write(root / "flowers.csv", FLOWERS)
    printed = glyphs.write_files(root / "printed")
    with contextlib.closing(Called(root, cache=session_cache)) as program:
        store = Store(program.store)
        one = grid(sweep__space={"classifier": {"C": [1.0, 10.0]}})
        results = {
            "printed": launched(store, f"dataset.path={printed}", "split.size=null"),
            "flowers": launched(store, "dataset=csv", f"dataset.path={flowers}"),
            "digits": launched(store, "dataset=digits", "split.size=400"),
            "cv": launched(store, "dataset=digits", "split.size=200", "evaluation=cv"),
            "sweep": run(one, store),
            "detector": launched(store, "dataset=digits", "split.size=400", *DETECTOR),
            "augmented": launched(
                store, "dataset=digits", "split.size=200", "preprocess=augment_shift"
            ),
            "proba": launched(store, "dataset=digits", "split.size=200", "classifier=logistic"),
            "twos": launched(store, "dataset=csv", f"dataset.path={write_twos(root)}"),
        }
        yield Kept(program, results)


def write_twos(root: Path) -> Path:
    lines = [f"{i % 2},{i % 2 * 3 + i % 4},{i}" for i in range(40)]
    return write(root / "twos.csv", "\n".join(lines) + "\n")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_same_rows_get_the_labels_they_were_scored_with(kept: Kept) -> None:
    """What was exported is predicted as the evaluation predicted it, scores and all."""
    result = kept.results["digits"]
    assert result.test is not None
    stored = Store(kept.program.store).evaluations.scorecard(result.test.keys[0]).predictions
    kept.program.run("data", "export", "digits", "--count", -1, "-o", "all.csv")
    answer = kept.predict("digits", "all.csv")
    predicted = rows(answer.out)
    assert [int(predicted[row]["label"]) for row in stored.rows] == stored.y_pred.tolist()
    assert [int(predicted[row]["actual"]) for row in stored.rows] == stored.y_true.tolist()
    assert stored.scores is not None
    names = [f"score_{label}" for label in range(10)]
    scores = [[float(predicted[row][name]) for name in names] for row in stored.rows]
    np.testing.assert_allclose(scores, stored.scores, rtol=0, atol=1e-12)
    n_right = sum(row["label"] == row["actual"] for row in predicted)
    assert f"accuracy {n_right / 1797:.4f} ({n_right:,} of 1,797 rows)" in answer.err


@pytest.mark.parametrize("name", ["detector", "augmented"])
def test_what_is_done_around_the_classifier_is_in_its_model(kept: Kept, name: str) -> None:
    """A moved threshold is built in, and a step that only adds training rows is left out."""
    run = find_run(kept.id(name), Store(kept.program.store))
    stored, names = run.card.predictions, run.card.names
    last = load_model(run).steps[-1][1]
    assert (type(last).__name__ == "FixedThresholdClassifier") == (name == "detector")
    assert not any(hasattr(step, "fit_resample") for _, step in load_model(run).steps)
    kept.program.run("data", "export", "digits", "--count", -1, "-o", "all.csv")
    predicted = rows(kept.predict(name, "all.csv").out)
    places = np.searchsorted(run.card.classes, stored.y_pred)
    assert [predicted[row]["label"] for row in stored.rows] == [names[i] for i in places]
    places = np.searchsorted(run.card.classes, stored.y_true)
    assert [predicted[row]["actual"] for row in stored.rows] == [names[i] for i in places]
    assert stored.scores is not None
    columns = [f"score_{called}" for called in (names if stored.scores.ndim > 1 else names[1:])]
    scores = np.array([[float(predicted[row][key]) for key in columns] for row in stored.rows])
    np.testing.assert_allclose(scores, stored.scores.reshape(scores.shape), rtol=0, atol=1e-12)


def test_rows_without_labels_go_to_a_file(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "b,a\n1.5,20\n0.5,1\n")
    answer = kept.predict("flowers", new, "-o", "answer.csv")
    assert answer.out == ""
    assert "wrote answer.csv" in answer.err
    assert "accuracy" not in answer.err
    written = rows((kept.program.folder / "answer.csv").read_text())
    assert [row["label"] for row in written] == ["tulip", "daisy"]
    assert list(written[0]) == ["row", "label", "score_daisy", "score_rose", "score_tulip"]


@pytest.mark.parametrize("name", ["proba", "detector"])
def test_probabilities_are_beside_scores(kept: Kept, name: str) -> None:
    """Those of each label, as the model itself gives them; of two classes, of both."""
    result = find_run(kept.id(name), Store(kept.program.store))
    kept.program.run("data", "export", "digits", "--count", 40, "-o", "some.csv")
    predicted = rows(kept.predict(name, "some.csv").out)
    columns = [column for column in predicted[0] if column.startswith("proba_")]
    model = load_model(result)
    if name == "detector":  # an SVC has no probabilities
        assert not columns
        return
    assert columns == [f"proba_{label}" for label in range(10)]
    assert [column for column in predicted[0] if column.startswith("score_")]
    with (kept.program.folder / "some.csv").open() as file:
        X = np.array([[float(cell) for cell in line[1:]] for line in csv.reader(file)])
    found = [[float(row[column]) for column in columns] for row in predicted]
    np.testing.assert_array_equal(found, model.predict_proba(X.astype(np.uint8)))
    document = kept.predict(name, "some.csv", "--json").document["predictions"]
    assert [list(row["probabilities"].values()) for row in document] == found


def test_ids_are_copied_and_are_no_features(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", 'b,my id,a\n1.5,007,20\n0.5,"x,""y",1\n')
    told = kept.predict("flowers", new, code=2)
    assert "has besides 'my id'. Does it name the rows? Say --id 'my id'." in told.err
    answer = rows(kept.predict("flowers", new, "--id", "my id").out)
    assert list(answer[0])[:2] == ["my id", "label"]
    assert [(row["my id"], row["label"]) for row in answer] == [
        ("007", "tulip"),
        ('x,"y', "daisy"),
    ]
    (*_, last) = kept.predict("flowers", new, "--id", "my id", "--json").document["predictions"]
    assert (last["row"], last["id"]) == (1, 'x,"y')


def test_a_column_of_the_data_set_may_be_the_id(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "a,b\n20,1.5\n1,0.5\n")
    answer = rows(kept.predict("flowers", new, "--id", "a").out)
    assert [(row["a"], row["label"]) for row in answer] == [("20", "tulip"), ("1", "daisy")]


def test_ids_beside_columns_without_names(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "id,a,b\nA,3,1\nB,1,2\n")
    answer = rows(kept.predict("twos", new, "--id", "id").out)
    assert [row["id"] for row in answer] == ["A", "B"]


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("a,b\n1,2\n", "c", "--id: "),
        ("1,2\n3,4\n", "a", "--id must name a column, but those of new.csv have no names"),
        ("a,b,label\n1,2,3\n", "label", "--id must have another name than the columns of the"),
        (
            idx.encode(np.zeros((2, 28, 28), np.uint8)),
            "a",
            "--id names a column of a table, but new.csv has none",
        ),
    ],
)
def test_wrong_ids_are_told(kept: Kept, content: str | bytes, column: str, message: str) -> None:
    write(kept.program.folder / "new.csv", content)
    answer = kept.predict("flowers", "new.csv", "--id", column, code=2)
    assert message in answer.err
    assert answer.out == ""


def test_json(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "kind,a,b\nrose,11,1.5\nrose,1,0.5\n")
    document = kept.predict("flowers", new, "--json").document
    assert document["accuracy"] == 0.5
    assert document["classes"] == ["daisy", "rose", "tulip"]
    first, second = document["predictions"]
    assert (first["row"], first["label"], first["actual"]) == (0, "rose", "rose")
    assert second["label"] == "daisy"
    assert set(first["scores"]) == {"daisy", "rose", "tulip"}


def test_two_classes_have_one_score(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "4,3\n0,2\n")
    assert list(rows(kept.predict("twos", new).out)[0]) == ["row", "label", "score_1"]


def test_idx_images(kept: Kept) -> None:
    images = idx.encode(np.stack([glyphs_form(digit) for digit in (3, 7)]))
    new = write(kept.program.folder / "images.gz", images)
    assert [row["label"] for row in rows(kept.predict("printed", new).out)] == ["3", "7"]


def glyphs_form(digit: int) -> Any:
    from sweepmark.data.picture_form import bring_into_form

    return bring_into_form(glyphs.drawn(digit), name="drawn").image


@pytest.mark.slow
@pytest.mark.parametrize("digit", [2, 7])
def test_a_picture_however_it_shows_its_digit(kept: Kept, digit: int) -> None:
    grey = glyphs.drawn(digit, size=50).astype(np.uint8)
    pictures = {
        "dark.png": Image.fromarray(grey),
        "light.pgm": Image.fromarray(255 - grey),
        "large.jpg": Image.fromarray(glyphs.drawn(digit, size=500).astype(np.uint8)),
    }
    for name, picture in pictures.items():
        path = kept.program.folder / name
        picture.save(path)
        answer = kept.predict("printed", path, "--show", "seen.png")
        assert [row["label"] for row in rows(answer.out)] == [str(digit)], name
        way = "light on dark" if name == "light.pgm" else "dark on light"
        assert way in answer.err
        with Image.open(kept.program.folder / "seen.png") as seen:
            assert seen.size == (28, 28)
            assert seen.getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("digits", ("blank.png",), "28 x 28 images in bytes, but digits has images of 8 x 8"),
        ("printed", ("blank.png",), "blank.png: must show a digit, but is blank"),
        ("printed", ("nothing.csv",), "nothing.csv is not there"),
        ("flowers", ("other.csv",), "lacks 'b' and has besides 'c'"),
        ("digits", ("other.csv",), "the 64 features of digits, or a label and these, but has 2"),
        ("flowers", ("other.csv", "-o", "other.csv"), "--output must be another file than FILE"),
        ("flowers", ("right.csv", "-o", "no/such/folder"), "cannot be written"),
        ("flowers", ("right.csv", "--show", "x.png"), "--show saves the form of a picture"),
        ("flowers", ("right.csv", "--header", "perhaps"), "Options: no, yes"),
        ("flowers", ("right.csv", "more.csv"), "nothing more is expected"),
        ("cv", ("right.csv",), "was not kept"),
    ],
)
def test_what_is_wrong_is_said(kept: Kept, name: str, words: tuple[str, ...], message: str) -> None:
    Image.new("L", (40, 40), 200).save(kept.program.folder / "blank.png")
    write(kept.program.folder / "other.csv", "a,c\n1,2\n")
    write(kept.program.folder / "right.csv", "a,b\n1,2\n")
    if name == "cv":
        kept.program.run("data", "export", "digits", "--count", 5, "-o", "right.csv")
    refused = kept.predict(name, *words, code=2)
    assert refused.out == ""
    assert refused.err.startswith("error: ")
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_runs_that_are_not_there(kept: Kept) -> None:
    new = write(kept.program.folder / "new.csv", "4,3\n0,2\n")
    for name, message in (("no", "there is no sweep 'no'"), ("run-", "names 8 sweeps: ")):
        assert message in kept.program.run("predict", name, new, code=2).err
    trial = f"{kept.id('twos')}/7"
    assert "unknown finished trial" in kept.program.run("predict", trial, new, code=2).err
    assert "score_1" in kept.program.run("predict", "latest", new).out
    empty = kept.program.run("predict", "latest", new, "--store", "elsewhere", code=2)
    assert "there is no sweep in" in empty.err


@pytest.mark.slow
def test_the_command_that_is_given_keeps_the_model(kept: Kept) -> None:
    """Of a cross-validated run, and of a sweep's trial that was not chosen."""
    kept.program.run("data", "export", "digits", "--count", 5, "-o", "five.csv")
    sweep = kept.results["sweep"]
    assert sweep.chosen is not None
    chosen = sweep.chosen.number
    kept.program.run("predict", sweep.sweep_id, "five.csv")
    kept.program.run("predict", f"{sweep.sweep_id}/{chosen}", "five.csv")
    for name in (kept.id("cv"), f"{sweep.sweep_id}/{1 - chosen}"):
        refused = kept.program.run("predict", name, "five.csv", code=2)
        verb, *words = shlex.split(refused.err.split("`")[-2])[1:]
        assert verb == ("run" if name == kept.id("cv") else "sweep")
        kept.program.run(verb, *words)
        kept.program.run("predict", "latest", "five.csv")


def test_a_model_that_was_changed_is_refused(kept: Kept) -> None:
    result = kept.results["flowers"]
    assert result.test is not None
    model = kept.program.store / "evaluations" / result.test.keys[0] / "model.skops"
    whole = model.read_bytes()
    new = write(kept.program.folder / "new.csv", "a,b\n1,2\n")
    try:
        model.write_bytes(whole[: len(whole) // 2])
        for says in ("its SHA-256 has changed", "is not there"):
            refused = kept.predict("flowers", new, code=3).err
            assert says in refused
            assert f"`sweepmark resume {result.sweep_id}`" in refused
            assert len(refused.splitlines()) == 1
            model.unlink(missing_ok=True)
    finally:
        model.write_bytes(whole)


def test_a_table_with_text_and_missing_values(kept: Kept, tmp_path: Path) -> None:
    own = tmp_path / "preprocess"
    own.mkdir()
    text = (
        "# Numbers of passengers\n"
        "columns:\n"
        "  _target_: sklearn.compose.ColumnTransformer\n"
        "  transformers:\n"
        "    - [ages, {_target_: sklearn.impute.SimpleImputer, strategy: median}, [Age, Fare]]\n"
    )
    write(own / "numbers.yaml", text)
    path = write(tmp_path / "train.csv", PASSENGERS + PASSENGERS.partition("\n")[2])
    with Composer(Folders.of([tmp_path])) as composer:
        words = ["dataset=titanic", f"dataset.path={path}", "preprocess=numbers"]
        asked = Blueprint.compose(composer, None, [*SMALL, *words, "classifier=logistic"])
    result = run(asked, Store(kept.program.store))
    answer = kept.program.run("predict", result.sweep_id, path)
    assert [row["actual"] for row in rows(answer.out)] == list("011100") * 2


def test_ranking_shows_the_highest_and_the_lowest_scores(kept: Kept) -> None:
    kept.program.run("data", "export", "digits", "--count", 30, "-o", "thirty.csv")
    every = rows(kept.predict("detector", "thirty.csv").out)
    score = list(every[0])[-1]
    ranked = sorted(every, key=lambda row: -float(row[score]))
    shown = rows(kept.predict("detector", "thirty.csv", "--ranking", 3).out)
    assert shown == [*ranked[:3], *ranked[-3:]]
    document = kept.predict("detector", "thirty.csv", "--ranking", 1, "--json").document
    assert [each["row"] for each in document["predictions"]] == [
        int(row["row"]) for row in (ranked[0], ranked[-1])
    ]
    assert document["n_rows"] == 30
    refused = kept.predict("detector", "thirty.csv", "--ranking", 0, code=2)
    assert "--ranking must be a number of rows" in refused.err
    refused = kept.predict("digits", "thirty.csv", "--ranking", 3, code=2)
    assert "needs one score a row" in refused.err
