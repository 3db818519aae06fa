"""Integers and floats are two kinds of number: held against plain scikit-learn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sweepmark.config.values import convert, kinds_of, show
from sweepmark.errors import ConfigurationError, StoreError
from sweepmark.report.leaderboard import csv_text
from sweepmark.report.remedy import lone_command
from sweepmark.report.replay import read_sweep
from sweepmark.report.summary import result_document, result_table
from sweepmark.search import create_search
from sweepmark.search.space import Choice, Range
from sweepmark.specification.components import (
    build,
    parameter_kinds,
    resolve_component,
    settle_numbers,
)
from sweepmark.specification.specify import specify
from sweepmark.specification.split import split_rows
from sweepmark.store import Store, read_journal
from sweepmark.tracking.run_records import configuration_records, short_name
from tiny import blueprint, digits, entries, load_digits, run, seal_lines, write_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.search.blueprint import Blueprint

BAG = "sklearn.ensemble.BaggingClassifier"
BAG_YAML = f"""\
_target_: {BAG}
n_estimators: 10
max_features: 1.0
max_samples: 1.0
random_state: null
"""
SWEEP = """\
# One feature, eight, or all of them
defaults:
  - override /classifier: bag
  - override /preprocess: none
sweep:
  space:
    classifier:
      max_features: [1, 1.0, 8]
"""
RANGE = "sweep.space.classifier.max_features={{low: {}, high: {}}}"
WHOLE = "split.size=null"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's own with a classifier and a sweep over it."""
    path = tmp_path / "mine" / "classifier" / "bag.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(BAG_YAML)
    return write_sweep(tmp_path / "mine", "features", SWEEP)


def bag(folder: Path, *overrides: str) -> Blueprint:
    return blueprint(None, "classifier=bag", "preprocess=none", *overrides, folder=folder)


def accuracy(asked: Blueprint, **values: Any) -> float:
    """Return what plain scikit-learn has on the rows of a run."""
    data = digits()
    (first, *_) = specify(asked.config_at(next(asked.space.cells())), data)
    split = first.split
    train, test = (data.take(rows) for rows in split_rows(split, data))
    model = BaggingClassifier(random_state=asked.config.seed, **values)
    return float(model.fit(train.X, train.y).score(test.X, test.y))


@pytest.mark.parametrize(
    ("override", "values", "stated"),
    [
        ("max_features=1", {"max_features": 1}, 0.4744),
        ("max_features=8", {"max_features": 8}, 0.8753),
        ("max_features=1.0", {"max_features": 1.0}, 0.9220),
        ("max_samples=100", {"max_samples": 100}, 0.8330),
    ],
)
def test_run_means_what_scikit_learn_means(
    mine: Path, tmp_path: Path, override: str, values: dict[str, Any], stated: float
) -> None:
    asked = bag(mine, WHOLE, f"classifier.{override}")
    (trial,) = run(asked, Store(tmp_path / "store")).trials
    assert trial.metrics["accuracy"] == accuracy(asked, **values)
    assert trial.metrics["accuracy"] == pytest.approx(stated, abs=5e-5)


def test_sweep_over_both_kinds_has_a_cell_and_a_key_for_each(mine: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    asked = blueprint("features", folder=mine)
    result = run(asked, store)
    values = [1, 1.0, 8]
    expected = [accuracy(asked, max_features=value) for value in values]
    assert [trial.metrics["accuracy"] for trial in result.trials] == expected
    assert len({trial.keys for trial in result.trials}) == len(values)
    assert {trial.status for trial in result.trials} == {"complete"}

    table = result_table(result)
    shown = {row[table.columns.index("max_features")] for row in table.rows}
    assert shown == {"1", "1.0", "8"}
    name = "classifier.max_features"
    document = json.loads(json.dumps(result_document(result)))
    assert repr([trial["params"][name] for trial in document["trials"]]) == repr(values)
    recorded = [entry["params"][name] for entry in entries(store, result.sweep_id, "trial")]
    assert repr(recorded) == repr(values)
    history, again = read_sweep(store, result.sweep_id)
    assert repr([history.params[number][name] for number in range(3)]) == repr(values)
    assert again.key == asked.key
    for params, value in zip(asked.space.cells(), values, strict=True):
        assert f"sweep.space.{name}=[{value}]" in lone_command(asked, params)
    lines = csv_text(result.trials).decode().splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == ["1", "1.0", "8"]


def test_what_was_run_with_all_features_is_not_reused_for_one(mine: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    results = [run(bag(mine, f"classifier.max_features={each}"), store) for each in ("1.0", "1")]
    assert [result.trials[0].status for result in results] == ["complete", "complete"]


@pytest.mark.parametrize(("low", "high", "forged"), [("1", "8", 2.0), ("0.5", "1.0", 1)])
def test_journal_whose_number_is_of_another_kind_is_refused(
    mine: Path, tmp_path: Path, low: str, high: str, forged: float
) -> None:
    store = Store(tmp_path / "store")
    searched = ("sampler=random", "sweep.n_trials=1", RANGE.format(low, high))
    sweep_id = run(blueprint("features", *searched, folder=mine), store).sweep_id
    path = store.journal_path(sweep_id)
    said = read_journal(path)
    for entry in said:
        if entry["event"] == "trial":
            entry["params"]["classifier.max_features"] = forged
    path.write_bytes(seal_lines(said))
    with pytest.raises(StoreError, match="no point of its space"):
        read_sweep(store, sweep_id)


@pytest.mark.parametrize(
    ("low", "high", "integer"), [("1", "8", True), ("0.1", "1.0", False), ("1", "8.0", False)]
)
@pytest.mark.parametrize("sampler", ["random", "qmc", "tpe"])
def test_range_gives_the_kind_of_its_ends(
    mine: Path,
    sampler: str,
    low: str,
    high: str,
    integer: bool,  # noqa: FBT001
) -> None:
    scored = ("evaluation=cv", "sweep.objective=cv_accuracy", "sweep.n_trials=4")
    asked = blueprint(
        "features", f"sampler={sampler}", *scored, RANGE.format(low, high), folder=mine
    )
    (axis,) = asked.space.axes
    assert isinstance(axis, Range)
    assert axis.integer is integer
    search = create_search(asked.space, asked.config.sampler, asked.sweep, seed=0)
    kinds = {type(search.ask(number)["classifier.max_features"]) for number in range(4)}
    assert kinds == {int if integer else float}


def test_adaptive_search_tells_one_and_one_point_nought_apart(mine: Path) -> None:
    scored = ("evaluation=cv", "sweep.objective=cv_accuracy", "sweep.n_trials=20")
    asked = blueprint("features", "sampler=tpe", "sampler.lag=1", *scored, folder=mine)
    search = create_search(asked.space, asked.config.sampler, asked.sweep, seed=0)
    drawn = []
    for number in range(20):
        value = search.ask(number)["classifier.max_features"]
        drawn.append(value)
        search.tell(number, 0.9 if repr(value) == "1.0" else 0.1)
    assert {repr(value) for value in drawn} == {"1", "1.0", "8"}
    assert [repr(value) for value in drawn[12:]].count("1.0") >= 5


def test_sweep_that_overrides_a_default_keeps_the_integer(mine: Path) -> None:
    text = SWEEP.replace("sweep:", "classifier:\n  max_samples: 100\nsweep:")
    asked = blueprint("fewer", folder=write_sweep(mine, "fewer", text))
    config = asked.config_at({"classifier.max_features": 1})
    values = (config.classifier["max_samples"], config.classifier["max_features"])
    assert repr(values) == "(100, 1)"


def test_options_parameters_are_of_their_own_classes_kinds(mine: Path) -> None:
    text = """\
# Options
sweep:
  space:
    classifier:
      option:
        bag: {max_features: [1, 1.0]}
        svc: {C: [1, 10], degree: [2, 3]}
"""
    asked = blueprint("options", folder=write_sweep(mine, "options", text))
    values = {
        axis.name: repr(axis.values) for axis in asked.space.all_axes() if isinstance(axis, Choice)
    }
    assert values == {
        "classifier.bag.max_features": "(1, 1.0)",
        "classifier.svc.C": "(1.0, 10.0)",
        "classifier.svc.degree": "(2, 3)",
    }


def test_equal_numbers_are_one_evaluation_where_no_integer_is_taken() -> None:
    asked = [blueprint(None, "classifier=svc", f"classifier.C={each}") for each in ("1", "1.0")]
    first, second = ([each.key for each in specify(one.config_at({}), digits())] for one in asked)
    assert first == second
    assert repr(asked[0].shown_tree["classifier"]["C"]) == "1.0"
    assert repr(asked[0].config.classifier["C"]) == "1.0"
    with pytest.raises(ConfigurationError, match=r"must list each value once"):
        blueprint("svc_c_gamma", "sweep.space.classifier.C=[1, 1.0]")


def test_float_where_only_integers_are_taken_is_refused_as_scikit_learn_does() -> None:
    asked = blueprint(None, "classifier=random_forest", "classifier.n_estimators=10.0")
    with pytest.raises(ConfigurationError, match=r"n_estimators.*must be an int.*Got 10\.0"):
        asked.check(load_digits)


def test_nested_components_and_steps_are_of_their_classes_kinds(mine: Path) -> None:
    inner = "{_target_: sklearn.tree.DecisionTreeClassifier, max_features: 1, ccp_alpha: 0}"
    tree = bag(mine, f"+classifier.estimator={inner}").shown_tree["classifier"]["estimator"]
    assert repr((tree["max_features"], tree["ccp_alpha"])) == "(1, 0.0)"
    chain = ("preprocess=pca", "preprocess.scale.divisor=16")
    steps = blueprint(None, *chain, "preprocess.pca.n_components=1").shown_tree["preprocess"]
    assert repr((steps["scale"]["divisor"], steps["pca"]["n_components"])) == "(16.0, 1)"


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001", "1E-3"])
def test_exponents_are_numbers_in_every_file_and_on_the_command_line(mine: Path, text: str) -> None:
    path = mine / "classifier" / "mine.yaml"
    path.write_text(f"_target_: sklearn.svm.SVC\nC: {text}\ngamma: scale\nrandom_state: null\n")
    sweep = (
        "# C\ndefaults:\n  - override /classifier: mine\nsweep:\n  space:\n    classifier:\n"
        f"      C: [{text}, 1e2]\n"
    )
    write_sweep(mine, "exponents", sweep)
    asked = blueprint("exponents", folder=mine)
    (axis,) = asked.space.axes
    assert isinstance(axis, Choice)
    assert repr(axis.values) == "(0.001, 100.0)"
    assert repr(asked.config.classifier["C"]) == "0.001"
    typed = blueprint(None, "classifier=mine", f"classifier.C={text}", folder=mine)
    assert repr(typed.config.classifier["C"]) == "0.001"


@pytest.mark.parametrize("value", ["inf", "nan", str(2**63 + 1), str(10**400)])
def test_number_that_is_none_of_ours_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"classifier\.C"):
        blueprint(None, "classifier=svc", f"classifier.C={value}").check(load_digits)


def test_integer_beyond_the_exact_floats_is_kept() -> None:
    (kinds,) = {kinds_of(SVC, "C")}
    assert repr(convert(2**53, kinds)) == "9007199254740992.0"
    assert convert(2**53 + 1, kinds) == 2**53 + 1
    assert isinstance(convert(2**53 + 1, kinds), int)
    assert isinstance(convert(10**400, kinds), int)


@pytest.mark.parametrize(
    ("cls", "parameter", "expected"),
    [
        (SVC, "C", {float}),
        (SVC, "gamma", {float}),
        (SVC, "degree", {int}),
        (SVC, "kernel", None),
        (SVC, "nothing", None),
        (BaggingClassifier, "max_samples", {int, float}),
        (IsolationForest, "max_features", {int, float}),
        (HistGradientBoostingClassifier, "max_features", {float}),
        (RandomForestClassifier, "min_samples_split", {int, float}),
        (MLPClassifier, "n_iter_no_change", {int, float}),
        (LogisticRegression, "random_state", {int}),
        (dict, "C", None),
    ],
)
def test_kinds_are_read_from_the_constraints(
    cls: type, parameter: str, expected: set[type] | None
) -> None:
    assert kinds_of(cls, parameter) == expected


def _is_taken(cls: Any, parameter: str, value: object) -> bool:
    from sklearn.utils._param_validation import (
        InvalidParameterError,
        validate_parameter_constraints,
    )

    rules = {parameter: cls._parameter_constraints[parameter]}
    try:
        validate_parameter_constraints(rules, {parameter: value}, cls.__name__)
    except InvalidParameterError:
        return False
    return True


@pytest.mark.parametrize("value", [1, 2, 8])
def test_whatever_was_converted_is_taken_by_scikit_learn(value: int) -> None:
    from sklearn.utils import all_estimators

    for _, cls in all_estimators(type_filter="classifier"):
        for parameter in getattr(cls, "_parameter_constraints", {}):
            settled = convert(value, kinds_of(cls, parameter))
            assert settled == value
            if _is_taken(cls, parameter, value):
                assert _is_taken(cls, parameter, settled), (cls, parameter)


def test_what_a_trusted_class_takes_is_left_as_it_was_typed() -> None:
    component = {"_target_": "estimators.SlowSVC", "C": 1}
    assert repr(settle_numbers({"classifier": component})["classifier"]["C"]) == "1"
    assert parameter_kinds("estimators.SlowSVC", "C") is None
    resolved = resolve_component(component, where="classifier", seed=0, trusted=["estimators"])
    assert repr(resolved["C"]) == "1"
    assert repr(build(resolved, trusted=["estimators"]).C) == "1"


def test_unknown_class_is_left_to_whatever_builds_it() -> None:
    component = {"_target_": "sklearn.nothing.Here", "C": 1}
    assert settle_numbers(component) == component


def test_float_is_shown_as_one_wherever_a_parameter_stands() -> None:
    assert [show(value) for value in (1, 1.0, -2.0, True, None)] == [
        "1",
        "1.0",
        "-2.0",
        "true",
        "null",
    ]
    assert short_name({"a.x": 1, "a.y": 1.0, "a.z": True}, "run") == "x=1 y=1.0 z=true"
    records = configuration_records({"a": {"x": 1, "y": 1.0}})
    assert [str(getattr(record, "value", "")) for record in records] == ["1", "1.0"]
