"""MLflow's environment variables, which other programs of the user go by."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sweepmark.tracking.environment import is_of_mlflow, own_environment
from sweepmark.tracking.storage import open_client

if TYPE_CHECKING:
    import pytest

    from program import Called

RUN = ("run", "dataset=digits", "split.size=200", "classifier=dummy", "engine=serial")
PLACES = {
    "MLFLOW_TRACKING_URI": "http://me:secret@elsewhere.invalid",
    "MLFLOW_REGISTRY_URI": "http://elsewhere.invalid",
    "MLFLOW_EXPERIMENT_NAME": "theirs",
    "MLFLOW_EXPERIMENT_ID": "77",
    "MLFLOW_RUN_ID": "0" * 32,
}
OTHERS = {
    "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    "MLFLOW_ENABLE_WORKSPACES": "true",
    "MLFLOW_WORKSPACE": "theirs",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "QueuePool",
    "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH": "1",
}


def test_variables_have_no_effect_and_the_user_is_told(called: Called, store: object) -> None:
    """On what is logged, and where; said in one line, without the values."""
    del store
    database = called.store / "mlflow.db"
    run = called.run(*RUN, code=0, **PLACES, **OTHERS)
    told = [line for line in run.err.splitlines() if "not used" in line]
    assert told == [f"{', '.join(PLACES)}: not used; runs go to {database}"]
    client = open_client(database)
    assert {found.name for found in client.search_experiments()} == {"sweepmark", "Default"}
    (experiment,) = client.search_experiments(filter_string="name = 'sweepmark'")
    (logged,) = client.search_runs([experiment.experiment_id])
    assert logged.info.status == "FINISHED"
    assert "accuracy" in logged.data.metrics
    assert called.left() == ["mlruns"]
    found = called.run("compare", logged.info.run_id, code=0, **PLACES, **OTHERS)
    assert "accuracy" in found.out
    quiet = called.run(*RUN, "tracking=none", code=0, **PLACES)
    assert "not used" not in quiet.err


def test_programs_keep_their_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLACES.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with own_environment():
        assert not any(map(is_of_mlflow, os.environ))
        assert not PLACES.keys() & os.environ.keys()
    assert dict(os.environ) == before
