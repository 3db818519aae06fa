"""Logged models, where there is MLflow and scikit-learn, but no sweepmark."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.evaluation.evaluate import evaluate
from sweepmark.specification.specify import specify
from sweepmark.tracking import MlflowTracker, mlflow_database
from sweepmark.tracking.run_records import model_record
from sweepmark.tracking.storage import open_client
from tiny import SMALL, config, digits, tree

if TYPE_CHECKING:
    from sweepmark.tracking.records import Model

pytestmark = pytest.mark.slow

CONF = Path(__file__).parents[2] / "conf"
CLASSIFIERS = sorted(path.stem for path in (CONF / "classifier").glob("*.yaml"))
STEPS = sorted({path.stem for path in (CONF / "preprocess").glob("*.yaml")} - {"titanic", "mixed"})
PAIRS = [f"{steps} {classifier}" for classifier in CLASSIFIERS for steps in STEPS]
QUICK: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"classifier__max_iter": 2},
    "logistic": {"classifier__max_iter": 10},
    "mlp": {"classifier__max_iter": 3},
    "mlp_logistic": {"classifier__epochs": 1},
    "never": {"task__name": "is_digit", "task__positive": 5},
    "random_forest": {"classifier__n_estimators": 5},
    "softmax": {"classifier__max_iter": 10},
    "softmax_adam": {"classifier__max_iter": 3},
}
FITTING: dict[str, dict[str, Any]] = {
    "hog": {"preprocess__hog__pixels_per_cell": [2, 2]},
    "pca": {"preprocess__pca__n_components": 10},
    "shift": {"preprocess__shift__right": 1},
}
OWN_STEPS, OWN_CLASSIFIERS = {"deskew", "hog", "shift"}, {"mlp_logistic"}

ELSEWHERE = """
import importlib.util, json, sys, warnings
sys.path += sys.argv[1:2]
assert importlib.util.find_spec("sweepmark.cli") is None
import mlflow.pyfunc, mlflow.sklearn
import numpy as np
X = np.load(sys.argv[2])
answers = {}
for name, (model, has_code) in json.load(sys.stdin).items():
    assert has_code or "sweepmark.estimators" not in sys.modules
    plain = mlflow.sklearn.load_model(model)
    answers[name] = [
        plain.predict(X).tolist(),
        mlflow.pyfunc.load_model(model).predict(X).tolist(),
        type(plain.steps[-1][1]).__module__,
    ]
print(json.dumps(answers))
"""
"""Predicts with models in a process that finds MLflow and no sweepmark."""


@dataclass(frozen=True)
class Portable:
    """What became of a model: what it is, and what was predicted here and elsewhere."""

    model: Model
    here: list[Any]
    elsewhere: list[Any]


def predicted_elsewhere(models: dict[str, tuple[str, bool]], X: Path) -> dict[str, Any]:
    packages = sysconfig.get_path("purelib")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", "-c", ELSEWHERE, packages, X],
        input=json.dumps(models),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def fitted(steps: str, classifier: str) -> tuple[Model, list[Any], Any]:
    """Return the model of a small evaluation, what it predicted, and the rows."""
    composed = {
        "preprocess": tree(*SMALL, f"preprocess={steps}")["preprocess"],
        "classifier": tree(*SMALL, f"classifier={classifier}")["classifier"],
    }
    values = composed | QUICK.get(classifier, {}) | FITTING.get(steps, {})
    asked = config(split__size=150, **values)
    (one,) = specify(asked, digits())
    card = evaluate(one, keep_model=True)
    assert card.model is not None
    predictions = card.predictions
    labels = [card.names[card.classes.index(code)] for code in predictions.y_pred.tolist()]
    return model_record(card.model, digits(), asked), labels, predictions.rows


@pytest.fixture(scope="module")
def portable(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Portable]:
    root = tmp_path_factory.mktemp("portable")
    store = Path(shutil.copytree(migrated_store, root / "mlruns"))
    tracker = MlflowTracker(store, experiment="sweepmark")
    client = open_client(mlflow_database(store))
    models, here, places = {}, {}, {}
    for number, pair in enumerate(PAIRS):
        models[pair], here[pair], rows = fitted(*pair.split())
        run_id = tracker.log_trial(
            sweep_id="s1",
            number=number,
            name=pair,
            parent=None,
            records=[models[pair]],
            started=1.0,
            ended=2.0,
            failed=False,
        )
        outputs = client.get_run(run_id).outputs
        assert outputs is not None
        (output,) = outputs.model_outputs
        places[pair] = client.get_logged_model(output.model_id).artifact_location
    np.save(root / "X.npy", digits().train.X[rows])
    asked = {pair: (places[pair], bool(models[pair].code)) for pair in PAIRS}
    in_order = dict(sorted(asked.items(), key=lambda item: item[1][1]))  # those with code last
    found = predicted_elsewhere(in_order, root / "X.npy")
    return {pair: Portable(models[pair], here[pair], found[pair]) for pair in PAIRS}


@pytest.mark.parametrize("pair", PAIRS)
def test_logged_model_predicts_without_sweepmark(portable: dict[str, Portable], pair: str) -> None:
    steps, classifier = pair.split()
    found = portable[pair]
    plain, served, module = found.elsewhere
    names = {False: "not 5", True: "5"} if classifier == "never" else {}
    assert [names.get(label, str(label)) for label in plain] == found.here
    assert served == plain
    assert bool(found.model.code) == (steps in OWN_STEPS or classifier in OWN_CLASSIFIERS)
    assert module.startswith("sweepmark." if classifier in OWN_CLASSIFIERS else "sklearn.")
