"""A sweep over options that open parameters of their own: the same trials on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from program import Called

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = (
    "sweep",
    "which_classifier",
    "dataset=digits",
    "split.size=300",
    "evaluation.n_splits=2",
    "sweep.n_trials=9",
    "tracking=none",
    "grade=none",
    "--json",
)
OPENED = {
    "svc": {"C", "gamma"},
    "random_forest": {"n_estimators", "max_features", "min_samples_leaf"},
    "knn": {"n_neighbors", "weights"},
    "softmax": {"C"},
}


def trials(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(trial["number"], trial["params"], trial["metrics"]) for trial in document["trials"]]


@pytest.mark.parametrize("sampler", ["tpe", "qmc"])
def test_options_open_their_parameters_and_engines_agree(
    tmp_path: Path, digits_cache: Path, sampler: str
) -> None:
    words = [*SWEEP, f"sampler={sampler}"]
    words += ["sampler.n_startup_trials=4"] * (sampler == "tpe")
    documents = []
    for engine in ("engine=serial", "engine.workers=2"):
        called = Called(tmp_path / engine, cache=digits_cache)
        documents.append(called.run(*words, engine).document)
    serial, local = map(trials, documents)
    assert serial == local
    assert len(serial) == 9
    assert documents[0]["best"]["test_metrics"]["accuracy"] > 0.8
    for _, params, _ in serial:
        option = params["classifier"]
        names = {f"classifier.{option}.{name}" for name in OPENED[option]}
        assert set(params) == names | {"classifier"}
    assert len({params["classifier"] for _, params, _ in serial}) > 1
