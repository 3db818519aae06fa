"""Validation: what is of the wrong type or out of range is named, all of it at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweepmark.config import Tree, place, resolve, validate
from sweepmark.config.schema import Config
from sweepmark.errors import ConfigurationError
from tiny import SMALL, tree


def changed(**values: Any) -> Tree:
    """Return a valid tree with other values; dots are written as double underscores."""
    document = resolve(tree(*SMALL, "evaluation=cv"))
    for name, value in values.items():
        place(document, name.replace("__", "."), value)
    return document


def test_default_configuration_is_valid_and_typed() -> None:
    config = validate(changed())
    assert isinstance(config, Config)
    assert config.split.train_ratio == 0.75
    assert config.evaluation.n_splits == 5


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("split__size", "many", ["split.size must be a valid integer", "'many'", "split.size=…"]),
        ("split__size", 1.5, ["split.size must be a valid integer", "1.5"]),
        ("split__size", [1], ["split.size must be a valid integer", "[1]"]),
        ("split__size", True, ["split.size must be a valid integer", "true"]),
        ("split__size", 0, ["split.size must be greater than 0", "0"]),
        ("split__train_ratio", 1.0, ["split.train_ratio must be less than 1", "1.0"]),
        ("split__train_ratio", 0, ["split.train_ratio must be greater than 0", "0"]),
        ("split__source", "head", ["split.source must be 'auto', 'official'", "'head'"]),
        ("split__size", 1e3, ["split.size must be a valid integer", "1000.0"]),
        ("split__size", "100", ["split.size must be a valid integer", "'100'"]),
        ("split__seed", 2**63, ["split.seed must be less than 9223372036854775808"]),
        ("grade__bands", 5, ["grade.bands must be a list", "5"]),
        ("grade__bands", [{"minimum": 1}], ["grade.bands.0.points must be given"]),
        (
            "grade__bands",
            [{"minimum": True, "points": 1}],
            ["bands.0.minimum must", "grade.bands=…"],
        ),
        ("evaluation__threshold", True, ["evaluation.threshold must be a valid number", "true"]),
        ("task__positive", 1.5, ["task.positive must be a valid integer", "task.positive=…"]),
        ("seed", -1, ["seed must be greater than or equal to 0", "-1"]),
        ("seed", 2**32, ["seed must be less than 4294967296"]),
        ("seed", False, ["seed must be a valid integer", "false"]),
        ("evaluation__n_splits", 1, ["evaluation.n_splits must be greater than or equal to 2"]),
        ("evaluation__shuffle", "maybe", ["evaluation.shuffle must be a valid boolean", "maybe"]),
        ("evaluation__folds", 3, ["unknown key 'evaluation.folds'", "evaluation.n_splits"]),
        ("engine__threads", 0, ["engine.threads must be greater than 0"]),
        ("tracking__experiment", "a", ["unknown key 'tracking.experiment'", "tracking.artifacts"]),
        ("engine__name", "locl", ["unknown engine 'locl'", "Did you mean 'local'?"]),
        ("engine", "local", ["engine must be a mapping with a name", "'local'"]),
        ("classifer", {}, ["unknown key 'classifer'", "Did you mean 'classifier'?"]),
        ("classifier", "svc", ["classifier must be a mapping", "'svc'"]),
        ("classifier__C", float("nan"), ["classifier.C must be finite", "nan", "classifier.C=…"]),
        (
            "classifier__C",
            [1.0, float("inf")],
            ["classifier.C.1 must be finite", "inf", "classifier.C=…"],
        ),
        ("grade__target", float("-inf"), ["grade.target must be a finite number", "-inf"]),
    ],
)
def test_wrong_value_is_refused_with_key_rule_and_value(
    path: str, value: object, parts: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        validate(changed(**{path: value}))
    for part in parts:
        assert part in str(error.value)


NPM = {"package": "a", "version": "1.2.6", "folder": "package/data"}
APT = {"package": "dataset-fashion-mnist", "folder": "usr"}
FILE = {"name": "a", "size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("files", {"train_table": FILE | {"name": "../a"}}, "must be a plain file name"),
        ("files", {"train_table": FILE | {"sha256": "g" * 64}}, "must be 64 hexadecimal digits"),
        ("files", {"train_table": FILE | {"sha256": "0" * 65}}, "must be 64 hexadecimal digits"),
        ("sources", {"npm": NPM | {"package": "../a"}}, "must name a package of the registry"),
        ("sources", {"npm": NPM | {"version": "latest"}}, "must be an exact version"),
        ("sources", {"apt": APT | {"package": "a.deb"}}, "must name a package of Debian's archive"),
        ("sources", {"apt": APT | {"package": "-y"}}, "must name a package of Debian's archive"),
        ("sources", {"mirror": {"urls": ["file:///etc/"]}}, "must be an http or https address"),
        ("sources", {"index_page": {"urls": ["https://a", "ftp://a"]}}, "must be an http or https"),
    ],
)
def test_name_that_would_lead_elsewhere_is_refused(path: str, value: object, says: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"dataset\.{path}[\w.]* {says}.*, but got "):
        validate(changed(**{f"dataset__{path}": value}))


def test_names_that_there_are_are_taken() -> None:
    sources = {"npm": NPM | {"package": "@a/b-c"}, "apt": APT, "mirror": None}
    config = validate(changed(dataset__files={"a": FILE}, dataset__sources=sources, seed=0))
    assert config.dataset.files["a"].name == "a"
    assert [*config.dataset.sources] == ["npm", "apt", "mirror"]
    assert config.dataset.sources["npm"].package == "@a/b-c"
    assert config.dataset.sources["mirror"] is None


def test_kinds_of_number_are_kept() -> None:
    config = validate(changed(split__train_ratio=0.5, evaluation__threshold=1, task__positive=True))
    assert config.evaluation.threshold == 1.0
    assert isinstance(config.evaluation.threshold, float)
    assert config.task.positive is True
    assert validate(changed(task__positive=1)).task.positive is not True
    assert repr(validate(changed(classifier__C=1)).classifier["C"]) == "1"


@pytest.mark.parametrize("value", [b"a", {1, 2}, object()])
def test_value_that_is_not_plain_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="must be a text, a number"):
        validate(changed(classifier__C=value))


def test_missing_key_is_named() -> None:
    document = changed()
    del document["split"]["size"]
    with pytest.raises(ConfigurationError, match=r"split\.size must be given"):
        validate(document)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        validate(changed(seed=-1, split__size="many", nonsense=1))
    assert len(str(error.value).splitlines()) == 3


@settings(max_examples=30)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_whatever_stands_there_is_valid_or_refused(value: object) -> None:
    for path in ("seed", "split__size", "evaluation", "grade__bands", "classifier__C", "sweep"):
        with suppress(ConfigurationError):  # and nothing else is raised
            validate(changed(**{path: value}))


@pytest.mark.row(25, "names that MLflow refuses")
@pytest.mark.parametrize("name", ["", "x" * 501, "a\nb", "\x1b[2J", "\u202e"])
def test_experiment_that_mlflow_refuses_or_hides(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"tracking\.experiment must"):
        validate(changed(tracking={"name": "mlflow", "experiment": name}))
