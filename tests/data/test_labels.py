"""Labels as the file has them, and the positive one of two; right values are scikit-learn's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import (
    auc,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from sweepmark import data
from sweepmark.data import Labels
from sweepmark.data.labels import LabelError, encode_labels
from sweepmark.errors import ConfigurationError
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.plots.curves import ranked
from sweepmark.scores import metric_names, metrics, mistakes
from sweepmark.scores.merging import merge
from sweepmark.specification import models
from sweepmark.specification.specify import specify, specify_test
from sweepmark.specification.split import split_rows
from tables import write
from tiny import config, dataset_config, digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from program import Called
    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

KINDS: dict[str, tuple[Any, ...]] = {
    "signs": (-1, 1),
    "churn": ("churned", "stayed"),
    "flags": (False, True),
    "digits": (0, 1, 2),
    "colours": ("blue", "green", "red"),
}
PAIRS = [(kind, label) for kind in ("signs", "churn", "flags") for label in KINDS[kind]]
DETECTOR: tuple[str, ...] = ("preprocess=none", "classifier=logistic")


class Made:
    """A table of 240 rows whose last label is the most frequent one."""

    def __init__(self, folder: Path, kind: str) -> None:
        generator = np.random.default_rng(3)
        X = generator.normal(size=(240, 3)).round(3)
        score = X[:, 0] + 0.5 * X[:, 1] + generator.normal(size=240)
        names = np.array(KINDS[kind])
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        cuts = [-0.7] if len(names) == 2 else [-1.0, -0.3]
        frame.insert(0, "label", names[np.digitize(score, cuts)])
        self.path = folder / f"{kind}.csv"
        frame.to_csv(self.path, index=False)
        self.frame = pd.read_csv(self.path)
        self.X = self.frame[["a", "b", "c"]].to_numpy()
        self.y: Any = self.frame["label"].to_numpy()
        if kind in {"churn", "colours"}:
            self.y = self.y.astype(str)
        self.words = ("dataset=csv", f"dataset.path={self.path}", "dataset.label=label")

    @property
    def dataset(self) -> Dataset:
        return data.load(replace(dataset_config("csv"), path=str(self.path), label="label"))

    def asked(self, *groups: str, **values: Any) -> Config:
        place = {"dataset__path": str(self.path), "dataset__label": "label", "split__size": None}
        return config("dataset=csv", *groups, **place | values)

    def evaluated(self, *groups: str, **values: Any) -> Scorecard:
        (one,) = specify(self.asked(*groups, **values), self.dataset)
        return evaluate(one, keep_model=True)

    def parts(self, *groups: str) -> tuple[Any, Any, Any, Any]:
        """Return rows to fit on and their labels, rows to score and theirs."""
        specification = specify_test(self.asked(*groups), self.dataset)
        train, test = split_rows(specification.split, self.dataset)
        return self.X[train], self.y[train], self.X[test], self.y[test]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    folder = tmp_path_factory.mktemp("tables")
    tables = {kind: Made(folder, kind) for kind in KINDS}
    return tables.__getitem__


CLASSIFIERS: dict[str, Any] = {
    "logistic": LogisticRegression(random_state=0, max_iter=1000),
    "svc": SVC(random_state=0),
    "knn": KNeighborsClassifier(),
    "random_forest": RandomForestClassifier(random_state=0, n_estimators=5),
}


VALUES = {
    "logistic": {"classifier__max_iter": 1000},
    "random_forest": {"classifier__n_estimators": 5},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_model_answers_as_the_file_does(made: Callable[[str], Made], kind: str, name: str) -> None:
    table = made(kind)
    values: dict[str, Any] = VALUES.get(name, {})
    card = table.evaluated("preprocess=none", f"classifier={name}", **values)
    X, y, X_test, y_test = table.parts("preprocess=none", f"classifier={name}")
    built = CLASSIFIERS[name]
    right = built.set_params(**_params(table, name, values)).fit(X, y)
    assert card.model is not None
    model = models.load(card.model)
    assert model.classes_.tolist() == right.classes_.tolist() == list(KINDS[kind])
    answer = model.predict(X_test)
    assert answer.dtype.kind == y.dtype.kind
    np.testing.assert_array_equal(answer, right.predict(X_test))
    assert card.metrics["accuracy"] == right.score(X_test, y_test)
    names = np.array(card.names)
    assert card.names == tuple(map(str, KINDS[kind]))
    places = np.searchsorted(card.classes, card.predictions.y_pred)
    np.testing.assert_array_equal(names[places], answer.astype(str))


def _params(table: Made, name: str, values: dict[str, Any]) -> dict[str, Any]:
    component = specify_test(
        table.asked("preprocess=none", f"classifier={name}", **values), table.dataset
    ).classifier
    return {key: value for key, value in component.items() if key != "_target_"}


@pytest.mark.parametrize(("kind", "positive"), PAIRS)
@pytest.mark.parametrize("name", ["logistic", "knn"])
def test_figures_of_two_classes_are_the_positive_ones(
    made: Callable[[str], Made], kind: str, positive: Any, name: str
) -> None:
    table = made(kind)
    groups = ("preprocess=none", f"classifier={name}")
    card = table.evaluated(*groups, task__positive=positive)
    X, y, X_test, y_test = table.parts(*groups)
    right = CLASSIFIERS[name].set_params(**_params(table, name, {})).fit(X, y)
    y_pred = right.predict(X_test)
    place = list(right.classes_).index(positive)
    if hasattr(right, "decision_function"):
        scores = right.decision_function(X_test) * (1 if place else -1)
    else:
        scores = right.predict_proba(X_test)[:, place]
    assert card.positive_name == str(positive)
    assert {key: card.metrics[key] for key in (*metrics.POSITIVE_NAMES, "roc_auc")} == (
        pytest.approx(
            {
                "precision": precision_score(y_test, y_pred, pos_label=positive),
                "recall": recall_score(y_test, y_pred, pos_label=positive),
                "f1": f1_score(y_test, y_pred, pos_label=positive),
                "roc_auc": roc_auc_score(y_test == positive, scores),
            },
            abs=1e-12,
        )
    )
    right_precision = average_precision_score(y_test, scores, pos_label=positive)
    assert card.metrics["average_precision"] == pytest.approx(right_precision, abs=1e-12)
    assert card.predictions.scores is not None
    np.testing.assert_allclose(card.predictions.scores, scores, atol=1e-9)
    for label in KINDS[kind]:
        of_one = recall_score(y_test, y_pred, pos_label=label)
        assert card.metrics[f"recall_{label}"] == pytest.approx(of_one)
    assert card.n_positive == int((y == positive).sum())


@pytest.mark.parametrize("positive", KINDS["churn"])
def test_curves_and_thresholds_are_of_the_positive_class(
    made: Callable[[str], Made], positive: str
) -> None:
    table = made("churn")
    card = table.evaluated(*DETECTOR, task__positive=positive)
    ((name, ranking),) = ranked(card).items()
    assert name == positive
    _, _, _, y_test = table.parts(*DETECTOR)
    scores = card.predictions.scores
    assert scores is not None
    prevalence = (y_test == positive).mean()
    assert ranking.precision[-1] == pytest.approx(prevalence)  # where all rows are positive
    area = auc(np.append(0, ranking.false_positive_rate), np.append(0, ranking.recall))
    assert area == pytest.approx(card.metrics["roc_auc"])
    top, _ = mistakes.ranking(card, 1)
    assert top[0].score == scores.max()


def test_folds_are_scored_and_pooled_for_the_positive_class(made: Callable[[str], Made]) -> None:
    table = made("churn")
    asked = table.asked(*DETECTOR, "evaluation=cv", task__positive="churned")
    card = merge([evaluate(one) for one in specify(asked, table.dataset)])
    X, y, _, _ = table.parts(*DETECTOR)
    right = LogisticRegression(**_params(table, "logistic", {}))
    folds = StratifiedKFold(5)
    scorer = "f1"
    is_churned = (y == "churned").astype(int)
    f1s = cross_val_score(right, X, is_churned, cv=folds, scoring=scorer)
    assert card.metrics["cv_f1"] == pytest.approx(f1s.mean())
    predicted = cross_val_predict(right, X, y, cv=folds)
    assert card.metrics["pooled_f1"] == pytest.approx(f1_score(y, predicted, pos_label="churned"))
    recalls = cross_val_score(right, X, is_churned, cv=folds, scoring="recall")
    assert card.metrics["cv_recall_churned"] == pytest.approx(recalls.mean())


@pytest.mark.parametrize(("kind", "positive"), PAIRS)
@pytest.mark.parametrize("name", ["logistic", "knn"])
def test_threshold_is_of_the_positive_class_in_figures_and_in_the_model(
    made: Callable[[str], Made], kind: str, positive: Any, name: str
) -> None:
    table = made(kind)
    groups = ("preprocess=none", f"classifier={name}")
    cut = 0.4
    card = table.evaluated(*groups, task__positive=positive, evaluation__threshold=cut)
    X, y, X_test, y_test = table.parts(*groups)
    method = "decision_function" if name == "logistic" else "predict_proba"
    right = FixedThresholdClassifier(
        type(CLASSIFIERS[name])(**_params(table, name, {})),
        threshold=cut,
        pos_label=positive,
        response_method=method,
    ).fit(X, y)
    y_pred = right.predict(X_test)
    assert card.metrics["recall"] == pytest.approx(recall_score(y_test, y_pred, pos_label=positive))
    assert card.model is not None
    np.testing.assert_array_equal(models.load(card.model).predict(X_test), y_pred)


@pytest.mark.parametrize("positive", KINDS["churn"])
def test_rule_chooses_a_threshold_for_the_positive_class(
    made: Callable[[str], Made], positive: str
) -> None:
    table = made("churn")
    card = table.evaluated(*DETECTOR, task__positive=positive, evaluation__threshold="recall>=0.9")
    X, y, _, _ = table.parts(*DETECTOR)
    right = LogisticRegression(**_params(table, "logistic", {}))
    scores = cross_val_predict(right, X, y, cv=StratifiedKFold(5), method="decision_function")
    scores *= 1 if positive == "stayed" else -1
    of_positive = np.sort(scores[y == positive])[::-1]
    enough = of_positive[int(np.ceil(0.9 * len(of_positive))) - 1]
    assert card.metrics["threshold"] == pytest.approx(enough)


def test_key_knows_the_positive_class_and_not_who_chose_it(made: Callable[[str], Made]) -> None:
    table = made("churn")
    keys = {
        positive: specify_test(table.asked(*DETECTOR, task__positive=positive), table.dataset).key
        for positive in (None, "stayed", "churned")
    }
    assert keys[None] == keys["stayed"] != keys["churned"]


@pytest.mark.parametrize("kind", KINDS)
def test_class_weights_are_by_label(made: Callable[[str], Made], kind: str) -> None:
    table = made(kind)
    first, *others = KINDS[kind]
    weights = {first: 9, **dict.fromkeys(others, 1)}
    card = table.evaluated(*DETECTOR, classifier__class_weight=weights)
    X, y, X_test, _ = table.parts(*DETECTOR)
    right = LogisticRegression(**_params(table, "logistic", {}) | {"class_weight": weights})
    assert card.model is not None
    model = models.load(card.model)
    np.testing.assert_array_equal(model.predict(X_test), right.fit(X, y).predict(X_test))
    np.testing.assert_allclose(model[-1].coef_, right.coef_)
    assert model[-1].class_weight == weights


LOGISTIC = "sklearn.linear_model.LogisticRegression"


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ("sklearn.ensemble.BaggingClassifier", BaggingClassifier),
        ("sklearn.multiclass.OneVsRestClassifier", OneVsRestClassifier),
    ],
)
def test_nested_weights_are_by_label_though_scikit_learn_numbers_the_classes_there(
    made: Callable[[str], Made], target: str, plain: Any
) -> None:
    table = made("churn")
    nested = {"_target_": LOGISTIC, "class_weight": {"churned": 9, "stayed": 1}}
    component = {"_target_": target, "estimator": nested}
    card = table.evaluated("preprocess=none", classifier=component)
    X, y, X_test, _ = table.parts(*DETECTOR)
    right = plain(LogisticRegression(class_weight={0: 9, 1: 1}, random_state=0))
    if "random_state" in right.get_params():
        right.set_params(random_state=0)
    assert card.model is not None
    answer = models.load(card.model).predict(X_test)
    np.testing.assert_array_equal(answer, right.fit(X, y).predict(X_test))


@pytest.mark.parametrize(
    ("kind", "values", "part"),
    [
        ("signs", {"classifier__class_weight": {"2": 1}}, "'2'.*Options: -1, 1"),
        ("churn", {"classifier__class_weight": {"0": 1, "1": 9}}, "Options: churned, stayed"),
        ("flags", {"classifier__class_weight": {"yes": 1}}, "Options: False, True"),
        ("churn", {"task__positive": "left"}, "'left'.*Options: churned, stayed"),
        ("digits", {"task__positive": 1}, "Set task=is_digit"),
        (
            "colours",
            {
                "classifier": {
                    "_target_": "sklearn.multiclass.OneVsRestClassifier",
                    "estimator": {"_target_": LOGISTIC, "class_weight": {"red": 9}},
                }
            },
            "one against the rest",
        ),
        (
            "colours",
            {"classifier": {"_target_": "sklearn.dummy.DummyClassifier", "strategy": "constant"}},
            "to one of blue, green, red",
        ),
    ],
)
def test_label_that_there_is_not_is_refused_before_anything_starts(
    made: Callable[[str], Made], kind: str, values: dict[str, Any], part: str
) -> None:
    table = made(kind)
    with pytest.raises(ConfigurationError, match=part):
        specify(table.asked(*DETECTOR, **values), table.dataset)


@pytest.mark.parametrize(("kind", "positive"), PAIRS)
def test_never_says_the_label_that_is_not_positive(
    made: Callable[[str], Made], kind: str, positive: Any
) -> None:
    table = made(kind)
    card = table.evaluated("preprocess=none", "classifier=never", task__positive=positive)
    (negative,) = set(KINDS[kind]) - {positive}
    assert card.model is not None
    assert set(models.load(card.model).predict(table.X).tolist()) == {negative}


def test_constant_is_a_label(made: Callable[[str], Made]) -> None:
    table = made("colours")
    card = table.evaluated(*DETECTOR[:1], "classifier=never", classifier__constant="green")
    _, _, X_test, y_test = table.parts(*DETECTOR)
    right = DummyClassifier(strategy="constant", constant="green").fit(table.X, table.y)
    assert card.metrics["accuracy"] == right.score(X_test, y_test)


@pytest.mark.parametrize("kind", KINDS)
def test_classifier_that_counts_classes_from_0_is_given_what_it_knows(
    made: Callable[[str], Made], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweepmark.specification.recipe._COUNTING", {"estimators"})
    table = made(kind)
    asked = table.asked("preprocess=none", classifier={"_target_": "estimators.Counting"})
    one = specify_test(asked, table.dataset, trusted=["estimators"])
    card = evaluate(one, keep_model=True)
    X, y, X_test, _ = table.parts(*DETECTOR)
    right = KNeighborsClassifier().fit(X, y).predict(X_test)
    assert card.model is not None
    answer = models.load(card.model, packages=["estimators"]).predict(X_test)
    np.testing.assert_array_equal(answer, right)


@pytest.mark.parametrize("weights", [{"5": 9, "not 5": 1}, {"true": 9, "false": 1}])
def test_one_label_against_the_rest_is_weighted_by_name_or_by_what_the_model_answers(
    weights: dict[str, int],
) -> None:
    groups = ("task=is_digit", "preprocess=scale", "classifier=logistic")
    asked = config(*groups, task__positive=5, classifier__class_weight=weights)
    one = specify_test(asked, digits())
    assert one.classifier["class_weight"] == {"5": 9, "not 5": 1}
    card = evaluate(one, keep_model=True)
    assert card.model is not None
    train, test = split_rows(one.split, digits())
    X, y = digits().train.X / 16, digits().y == 5
    parameters = dict(one.classifier) | {"class_weight": {False: 1, True: 9}}
    del parameters["_target_"]
    right = LogisticRegression(**parameters).fit(X[train], y[train])
    answer = models.load(card.model).predict(digits().train.X[test])
    assert answer.dtype == bool
    np.testing.assert_array_equal(answer, right.predict(X[test]))
    assert card.metrics["recall_not 5"] == recall_score(~y[test], ~answer)


@pytest.mark.parametrize("positive", KINDS["churn"])
def test_epochs_are_watched_whatever_the_labels_are(
    made: Callable[[str], Made], positive: str
) -> None:
    table = made("churn")
    values = {"evaluation__epochs": 3, "task__positive": positive}
    card = table.evaluated("preprocess=none", "classifier=sgd", **values)
    X, y, _, _ = table.parts(*DETECTOR)
    shuffled = _params(table, "sgd", {}) | {"random_state": np.random.RandomState(0)}
    right = SGDClassifier(**shuffled)
    accuracies = [right.partial_fit(X, y, classes=np.unique(y)).score(X, y) for _ in range(3)]
    assert card.curves["train_accuracy"] == tuple(accuracies)


def test_digits_before_a_number_stay_where_the_label_is_said_to_be_text(
    tmp_path: Path, called: Called
) -> None:
    rows = "".join(f"{'007' if n % 3 else '42'},{n % 3 + n / 100}\n" for n in range(60))
    path = write(tmp_path / "agents.csv", f"agent,a\n{rows}")
    groups = ("preprocess=none", "classifier=knn")
    place = {"dataset__path": str(path), "dataset__label": "agent", "split__size": None}
    asked = config("dataset=csv", *groups, **place, dataset__types={"agent": "text"})
    dataset = data.load(asked.dataset)
    assert dataset.label_names == ("007", "42")
    card = evaluate(specify_test(asked, dataset), keep_model=True)
    assert card.model is not None
    assert models.load(card.model).classes_.tolist() == ["007", "42"]
    assert data.load(replace(asked.dataset, types={})).classes.tolist() == [7, 42]

    words = ("dataset=csv", f"dataset.path={path}", "++dataset.types={agent:text}", *groups)
    called.run("run", *words, "engine=serial", "tracking=none", "grade=none")
    predicted = called.run("predict", "latest", path, "--json").document
    assert predicted["accuracy"] == 1.0
    assert {row["actual"] for row in predicted["predictions"]} == {"007", "42"}


class TestNames:
    """Names of recalls."""

    LABELS = (
        *("stayed", "-1", "macro", "weighted", ":6d:acro", "a/b", "a:2f:b", "50 %", "..", "ä"),
        *("x\ny", "e\u0301" * 1000, "e\u0301" * 999, "long " * 60, "long " * 61, "True"),
    )

    def test_mlflow_takes_each_and_no_two_are_one(self) -> None:
        from mlflow.utils.validation import _validate_metric_name

        names = [metric_names.validation(metric_names.recall(label)) for label in self.LABELS]
        for name in names:
            _validate_metric_name(name)  # type: ignore[no-untyped-call]
            assert len(name) <= 250
        assert len(set(names)) == len(names)
        assert all(metric_names.is_recall(metric_names.recall(label)) for label in self.LABELS)
        assert not {metric_names.recall(label) for label in self.LABELS} & set(metrics.TEST_NAMES)


def test_labels_are_found_as_they_are_written() -> None:
    flags = Labels.of_names(("FALSE", "TRUE"))
    assert [flags.find(word) for word in ("true", True, "FALSE", "0")] == [1, 1, 0, None]
    assert Labels.of_names(("007", "7")).find(7) == 1
    one = Labels.of_one("1")
    assert [one.find(word) for word in (1, "not 1", True, 0)] == [1, 0, 1, None]


@pytest.mark.parametrize(("n_values", "part"), [(5, "below 2^53"), (50, "regression")])
def test_many_numbers_that_are_not_whole_are_quantities(n_values: int, part: str) -> None:
    cells = [str(number + 0.5) for number in range(n_values)] * 2
    with pytest.raises(LabelError) as error:
        encode_labels(cells)
    assert error.value.row == 0
    assert error.value.rule.startswith("a label must be a whole number")
    assert part in error.value.rule
    assert encode_labels(cells, is_text=True)[1] is not None
