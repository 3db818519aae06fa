"""``run.name``: what it names, and that no result depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweepmark.errors import ConfigurationError
from sweepmark.specification.specify import specify
from sweepmark.store.database import database_uri
from tiny import blueprint, config, digits

if TYPE_CHECKING:
    from program import Called


@pytest.mark.parametrize("name", ["anna", "김 안나", "Anna-Maria_2"])
def test_name_enters_no_evaluation(name: str) -> None:
    named, other = config(run__name=name), config()
    assert named.run.name == name
    assert [each.key for each in specify(named, digits())] == [
        each.key for each in specify(other, digits())
    ]


def test_sweeps_of_two_names_are_two() -> None:
    keys = {blueprint(None, *own).key for own in ((), ("run.name=anna",), ("run.name=ben",))}
    assert len(keys) == 3


@pytest.mark.parametrize("name", ["", "a/b", "a:b", ".hidden", " a", "a ", "a\nb", "x" * 81])
def test_what_mlflow_takes_for_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"run\.name must be a name of 1 to 80"):
        config(run__name=name)


def test_name_is_part_of_those_of_run_and_model(called: Called) -> None:
    from mlflow import MlflowClient

    words = ("dataset=digits", "split.size=200", "classifier=knn", "engine=serial", "run.name=anna")
    called.run("run", *words)
    space = ("sweep.space.classifier.C=[1]", "sweep.space.classifier.gamma=[0.01]")
    folds = ("evaluation.n_splits=2", "classifier=svc")
    found = called.run("sweep", "svc_c_gamma", *words, *space, *folds, "--json").document
    client = MlflowClient(database_uri(called.store / "mlflow.db"))
    (experiment,) = [e for e in client.search_experiments() if e.name == "sweepmark"]
    names = {run.info.run_name for run in client.search_runs([experiment.experiment_id])}
    assert names == {"anna", f"anna {found['sweep_id']}", "C=1.0 gamma=0.01"}
    models = client.search_logged_models([experiment.experiment_id])
    assert {model.name for model in models} == {"anna"}
