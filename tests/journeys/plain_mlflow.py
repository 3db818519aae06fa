"""Predicts by MLflow's registry and scikit-learn alone: SITE_PACKAGES STORE NEW_ROWS LABELS."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def main(packages: str, store: str, new: str, labels: str) -> None:
    """Compare the answers of the registered model with those that sweepmark wrote."""
    sys.path.append(packages)  # without the .pth files in it: sweepmark is not found
    assert importlib.util.find_spec("sweepmark.cli") is None
    import mlflow
    import pandas as pd

    mlflow.set_tracking_uri(f"sqlite:///{Path(store).absolute() / 'mlflow.db'}")
    model = mlflow.sklearn.load_model("models:/churn@champion")
    rows = pd.read_csv(new, sep=";", decimal=",").drop(columns="customer")
    expected = pd.read_csv(labels)["label"].tolist()
    assert model.predict(rows).tolist() == expected
    pyfunc = mlflow.pyfunc.load_model("models:/churn@champion")
    assert pyfunc.predict(rows).tolist() == expected
    assert set(model.classes_) == {"yes", "no"}
    assert "sweepmark.cli" not in sys.modules


if __name__ == "__main__":
    main(*sys.argv[1:])
