"""One evaluation from Python: the command's own, of names or of objects."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import sweepmark
from estimators import Counting
from sweepmark import errors
from sweepmark.report.runs import find_run
from sweepmark.specification.split import split_rows
from sweepmark.store import Store

if TYPE_CHECKING:
    from program import Called

SMALL: tuple[Any, ...] = ("tracking=none", "engine=serial", {"split": {"size": 400}})
QUIET: dict[str, Any] = {"progress": False}


def on_digits(*overrides: Any, **settings: Any) -> sweepmark.Scorecard:
    return sweepmark.evaluate("dataset=digits", *SMALL, *overrides, **QUIET, **settings)


@pytest.mark.usefixtures("folder")
def test_it_is_what_the_command_computes(called: Called) -> None:
    card = on_digits("classifier=knn")
    words = "dataset=digits tracking=none engine=serial split.size=400 classifier=knn --json"
    document = called.run("run", *words.split()).document
    (trial,) = document["trials"]
    assert trial["status"] == "reused"
    assert trial["reused_from"] == f"{card.id}/0"
    assert trial["metrics"] == dict(card.metrics)
    assert (card.n_train, card.n_test) == (300, 100)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "estimator"),
    [
        ("classifier=svc_libsvm classifier.C=10", SVC(C=10)),
        ("classifier=svc_libsvm +classifier.decision_function_shape=ovo",
         SVC(decision_function_shape="ovo")),
        ("classifier=knn classifier.n_neighbors=3", KNeighborsClassifier(np.int64(3))),
        ("classifier=random_forest classifier.n_estimators=7", RandomForestClassifier(7)),
        (
            "preprocess=standard classifier=logistic",
            Pipeline([("standard", StandardScaler()), ("any", LogisticRegression())]),
        ),
        ("preprocess=none classifier=knn", make_pipeline(None, KNeighborsClassifier())),
        (
            "'classifier={_target_:sklearn.svm.SVC,C:2.0,class_weight:{0:2,1:1},probability:false}'",
            {"_target_": "sklearn.svm.SVC", "C": 2.0, "class_weight": {0: 2, 1: 1},
             "probability": False},
        ),
    ],
)  # fmt: skip
def test_an_estimator_is_the_same_evaluation_as_its_yaml(words: str, estimator: Any) -> None:
    by_words = on_digits(*shlex.split(words))
    by_object = on_digits(classifier=estimator)
    assert by_object.keys == by_words.keys
    assert by_object.metrics == by_words.metrics


@pytest.mark.usefixtures("folder")
def test_a_fitted_estimator_is_fitted_anew() -> None:
    digits = sweepmark.load_dataset("digits").train
    fitted = KNeighborsClassifier().fit(digits.X, digits.y)  # on the test rows, too
    assert on_digits(classifier=fitted).metrics == on_digits(classifier="knn").metrics


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "estimator",
    [
        VotingClassifier([("a", SVC(C=3)), ("b", LogisticRegression(max_iter=5000))]),
        CalibratedClassifierCV(SVC(), cv=StratifiedKFold(3, shuffle=True, random_state=1)),
        make_pipeline(make_pipeline(StandardScaler()), SVC(gamma=0.01)),
    ],
)
def test_nested_estimators_predict_what_they_do_without_us(estimator: Any) -> None:
    card = on_digits("preprocess=none", classifier=estimator)
    digits = sweepmark.load_dataset("digits").train
    predicted, _ = plain(estimator, digits.X, digits.y, card)
    assert card.predictions["predicted"].tolist() == predicted.tolist()


def plain(estimator: Any, X: Any, y: Any, card: sweepmark.Scorecard) -> Any:
    """Fit scikit-learn's own on the training rows of an evaluation; return labels of the scored."""
    run = find_run(card.id, Store(Path("mlruns").absolute()))
    assert run.dataset is not None
    train, test = split_rows(run.specification["split"], run.dataset)
    assert test.tolist() == card.predictions.index.tolist()
    take = X.iloc if isinstance(X, pd.DataFrame) else X
    fitted = clone(estimator).fit(take[train], y[train])
    return fitted.predict(take[test]), y[test]


def passengers(n_rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n_rows) < 0.2, np.nan, rng.integers(1, 80, n_rows)),
            "port": pd.Categorical(rng.choice(["S", "Ç", "q u"], n_rows)),
            "name": [f"name {n % 7}" if n % 5 else None for n in range(n_rows)],
            "paid": rng.random(n_rows) < 0.5,
        },
        index=rng.permutation(n_rows),
    )
    frame["fate"] = np.where(frame["paid"] ^ (rng.random(n_rows) < 0.2), "lost", "saved")
    return frame


RNG = np.random.default_rng(1)
X = RNG.normal(size=(150, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int) + 3


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (X, Y),
        (X.astype(np.float32), Y == 4),
        ((40 * X + 100).clip(0, 255).astype(np.uint8), np.where(Y == 4, "yes", "no")),
        ((1000 * X).astype(np.int32), pd.Series(np.where(Y == 4, "b", "a"), name="label")),
        (pd.DataFrame(X, columns=list("abcd")), pd.Series(Y, dtype="int8")),
        (X.tolist(), Y.tolist()),
    ],
    ids=["float64", "float32", "uint8", "int32", "frame", "lists"],
)
def test_arrays_give_what_scikit_learn_gives(features: Any, labels: Any) -> None:
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=0.3))
    card = sweepmark.evaluate(
        "tracking=none", "engine=serial", dataset=(features, labels), classifier=estimator, **QUIET
    )
    predicted, actual = plain(estimator, np.asarray(features), np.asarray(labels), card)
    assert card.predictions["predicted"].astype(actual.dtype).tolist() == predicted.tolist()
    assert card.metrics["accuracy"] == accuracy_score(actual, predicted)


@pytest.mark.usefixtures("folder")
def test_arrays_are_taken_as_they_are() -> None:
    """The default preprocessing is for pixels."""
    card = sweepmark.evaluate(
        *SMALL[:2], dataset=(X, Y), classifier=KNeighborsClassifier(), **QUIET
    )
    assert [name for name, _ in card.model().steps] == ["classifier"]
    chosen = sweepmark.evaluate(
        *SMALL[:2], "preprocess=standard", dataset=(X, Y), classifier="knn", **QUIET
    )
    assert [name for name, _ in chosen.model().steps] == ["standard", "classifier"]


@pytest.mark.usefixtures("folder")
def test_a_frame_with_text_and_missing_values_is_a_mixed_table() -> None:
    frame = passengers()
    columns = make_column_transformer(
        (SimpleImputer(), ["age", "paid"]),
        (make_pipeline(SimpleImputer(strategy="most_frequent"),
                       OneHotEncoder(handle_unknown="ignore")), ["port", "name"]),
    )  # fmt: skip
    estimator = make_pipeline(columns, LogisticRegression())
    card = sweepmark.evaluate(
        *SMALL[:2], "task.positive=saved", dataset=(frame, "fate"), classifier=estimator, **QUIET
    )
    features = frame.drop(columns="fate").assign(paid=frame["paid"].astype(float))
    predicted, _ = plain(
        estimator, features.astype({"port": "str"}), frame["fate"].to_numpy(), card
    )
    assert card.predictions["predicted"].tolist() == predicted.tolist()
    assert card.labels == ("lost", "saved")
    assert card.confusion.loc["saved"].sum() == (card.predictions["actual"] == "saved").sum()


@pytest.mark.usefixtures("folder")
def test_numbers_divided_by_a_column_of_texts_are_no_mixed_table() -> None:
    frame = pd.DataFrame(X).rename(columns=str).assign(y=Y)
    groups = frame.assign(group=[f"g{row % 40}" for row in range(len(frame))])
    times = frame.assign(time=pd.date_range("2026-01-01", periods=len(frame), tz="Europe/Berlin"))
    for by, given in (("split.groups=group", groups), ("split.order=time", times)):
        card = sweepmark.evaluate(by, dataset=(given, "y"), classifier="knn", **QUIET)
        assert [name for name, _ in card.model().steps] == ["scale", "classifier"]
    last = np.arange(round(len(frame) * 0.75), len(frame))
    assert card.predictions.index.tolist() == last.tolist()


@pytest.mark.usefixtures("folder")
def test_equal_arrays_are_one_data_set() -> None:
    first = sweepmark.load_dataset((X, Y), name="mine")
    again = sweepmark.load_dataset((pd.DataFrame(X).to_numpy(), list(Y)), name="yours")
    assert (first.digest, again.name) == (again.digest, "yours")
    assert sweepmark.load_dataset((X, 7 - Y)).digest != first.digest
    assert sweepmark.load_dataset((pd.DataFrame(X, columns=list("abcd")), Y)).digest != first.digest
    named, alike = (
        sweepmark.evaluate(*SMALL[:2], "preprocess=none", classifier="knn", dataset=each, **QUIET)
        for each in (first, (X, Y))
    )
    assert named.keys == alike.keys


@pytest.mark.usefixtures("folder")
def test_a_data_set_that_has_a_name_keeps_it() -> None:
    digits = sweepmark.load_dataset("digits")
    by_object = sweepmark.evaluate(*SMALL, "classifier=knn", dataset=digits, **QUIET)
    assert by_object.keys == on_digits("classifier=knn").keys


@pytest.mark.usefixtures("folder")
def test_images_and_a_test_part_are_taken() -> None:
    digits = sweepmark.load_dataset("digits").train
    images = digits.X.reshape(-1, 8, 8)
    data = sweepmark.load_dataset(
        (images[:300], digits.y[:300]), test=(images[300:400], digits.y[300:400]), name="pictures"
    )
    assert data.image_shape == (8, 8)
    card = sweepmark.evaluate(
        *SMALL[:2], "preprocess=deskew", "classifier=knn", dataset=data, **QUIET
    )
    assert card.predictions.index.tolist() == list(range(300, 400))
    assert card.metrics["accuracy"] > 0.8


class Mine(SVC):  # type: ignore[misc]
    """No worker can import it."""


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"classifier": SVC}, "must be an estimator object, but got the class SVC"),
        ({"classifier": 3}, "must be an estimator object"),
        ({"classifier": SVC(kernel=lambda a, b: a @ b.T)}, "classifier.kernel must be a value"),
        ({"classifier": SVC(random_state=np.random.RandomState(0))}, "Give a whole number"),
        ({"classifier": KNeighborsClassifier(metric_params={"V": np.eye(3)})}, "an array of shape"),
        ({"classifier": LogisticRegression(n_jobs=2)}, "classifier.n_jobs is the engine's"),
        ({"classifier": make_pipeline(FunctionTransformer(np.log1p), SVC())}, "the function log1p"),
        ({"classifier": make_pipeline(StandardScaler())}, "classifier must be a classifier"),
        ({"classifier": Counting()}, r"trust=\['estimators'\]"),
        ({"classifier": {"_target_": "os.system", "command": "true"}}, "must name a class of"),
        ({"classifier": "svn"}, "unknown classifier 'svn'. Did you mean 'svc'"),
        ({"dataset": passengers()}, "a DataFrame must come with its labels"),
        ({"dataset": (passengers(), "fare")}, "the name of a column of X, but got 'fare'"),
        ({"dataset": (X, Y[:-1])}, "as many rows as each other"),
        ({"dataset": (X, X[:, 0])}, "a label must be a whole number"),
        ({"dataset": (X, [None, *Y[1:]])}, "a label must be given"),
        ({"dataset": (np.full_like(X, np.inf), Y)}, "row 0, column 'x0': must be finite"),
        ({"dataset": (X + 1j, Y)}, "must be real"),
        ({"dataset": (X[0], Y)}, r"X must be of shape \(n_samples, n_features\)"),
        ({"dataset": (X, Y[:, None])}, r"y must be of shape \(n_samples,\)"),
        ({"dataset": (pd.DataFrame({"a": [[1], 2]}), [0, 1])}, "a number, a text or"),
        ({"dataset": (pd.DataFrame(X, columns=list("aabc")), Y)}, "'a' occurs twice"),
        ({"dataset": 5}, "a data set must be a name"),
        ({"dataset": {"name": "x", "format": "cache", "digest": "../x"}}, "64 hexadecimal digits"),
        ({"dataset": {"name": "x", "format": "cache", "digest": 64 * "0"}}, "not in the cache"),
    ],
)  # fmt: skip
def test_what_no_yaml_can_name_is_refused_before_anything_starts(
    folder: Path, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises((errors.ConfigurationError, errors.DataError), match=reason):
        sweepmark.evaluate("engine=serial", **({"dataset": "digits"} | settings), **QUIET)
    assert not list(folder.iterdir())


def test_a_class_of_the_program_itself_is_refused(folder: Path) -> None:
    Mine.__module__ = "__main__"
    with pytest.raises(errors.ConfigurationError, match="Put it into a module of its own"):
        on_digits(classifier=Mine())
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("folder")
def test_a_trusted_class_is_taken() -> None:
    assert on_digits("preprocess=none", classifier=Counting(), trust="estimators").keys


@pytest.mark.parametrize(
    "override", [3, {"split": {"size": object()}}, "split.siez=3", {"sweep": "x"}]
)
def test_wrong_overrides_are_refused(folder: Path, override: Any) -> None:
    with pytest.raises(errors.ConfigurationError):
        on_digits(override)
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("folder")
def test_mappings_say_what_strings_say() -> None:
    by_words = on_digits(
        "classifier=svc", "classifier.C=3", "++classifier.class_weight={3:2}", "evaluation=cv",
        "evaluation.n_splits=3", "preprocess=[deskew,scale]", "seed=2",
    )  # fmt: skip
    by_mapping = on_digits(
        {
            "classifier": "svc",
            "classifier.C": 3,
            "classifier.class_weight": {3: 2},
            "evaluation": "cv",
            "evaluation.n_splits": 3,
            "preprocess": ["deskew", "scale"],
            "seed": 2,
        }
    )
    assert by_words.keys == by_mapping.keys
    assert len(by_words.keys) == 3


@pytest.mark.usefixtures("folder")
def test_an_evaluation_that_fails_raises() -> None:
    with pytest.raises(errors.FailedError, match=r"trial 0 of run-.* failed \(error\): "):
        sweepmark.evaluate(
            *SMALL[:2], dataset=(X, Y), classifier=Counting(), trust=["estimators"], **QUIET
        )


@pytest.mark.usefixtures("folder")
def test_it_is_tracked_in_mlflow_as_the_command_does(called: Called, folder: Path) -> None:
    from mlflow import MlflowClient

    card = sweepmark.evaluate(
        "dataset=digits", "engine=serial", "split.size=200", classifier=SVC(C=10), **QUIET
    )
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    (experiment,) = (each for each in client.search_experiments() if each.name == "sweepmark")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert card.metrics["accuracy"] in {run.data.metrics.get("accuracy") for run in runs}
    assert called.run("compare", card.id).out


@pytest.mark.usefixtures("folder")
def test_its_results_are_frames() -> None:
    card = on_digits("classifier=knn")
    assert card.confusion.to_numpy().trace() == round(card.metrics["accuracy"] * card.n_test)
    assert card.confusion.index.name == "actual"
    scores = [f"score_{label}" for label in range(10)]
    assert list(card.predictions.columns) == ["actual", "predicted", *scores]
    assert "accuracy" in card.report
    two = on_digits("task=is_digit", "task.positive=5", "classifier=knn")
    assert two.predictions["score"].between(0, 1).all()
    assert set(two.predictions["predicted"]) == {"5", "not 5"}
