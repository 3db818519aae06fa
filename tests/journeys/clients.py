"""What Optuna's and MLflow's own clients find in a store: its folder is the argument."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow
import optuna


def main(folder: str) -> None:
    """Look for two studies of two and three trials, and for their runs."""
    store = Path(folder).absolute()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{store / 'optuna.db'}"
    names = optuna.get_all_study_names(storage)
    assert len(names) == 2, names
    studies = [optuna.load_study(study_name=name, storage=storage) for name in names]
    assert sorted(len(study.trials) for study in studies) == [2, 3]
    assert all(0 < study.best_value <= 1 for study in studies)
    client = mlflow.MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    (experiment,) = [one for one in client.search_experiments() if one.name != "Default"]
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2 + 2 + 3, len(runs)
    assert all(run.info.status == "FINISHED" for run in runs)
    assert all("cv_accuracy" in run.data.metrics for run in runs)


if __name__ == "__main__":
    main(sys.argv[1])
