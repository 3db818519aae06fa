"""A fitted pipeline as an MLflow logged model, in skops format with explicit requirements."""

from __future__ import annotations

import hashlib
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.failpoints import failpoint
from sweepmark.specification.models import trusted_types
from sweepmark.tracking.storage import check_artifacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.models import ModelSignature

    from sweepmark.tracking.records import Model

__all__ = ["DIGEST_TAG", "log_model"]

_FILE = "model.skops"
_CODE = "code"
DIGEST_TAG = "sweepmark.sha256"
"""The tag of a logged model that has the SHA-256 of its skops file."""


def log_model(client: MlflowClient, run: Run, model: Model, *, store: Path) -> str:
    """Log a run's model and return the model id.

    An equal logged model of the run is kept; others, left by a killed process, are removed. Files
    are written only inside the store's artifacts. Types allowed only by ``--trust`` are not added
    to the model's list of trusted types, because a later user has not agreed to them.
    ``mlflow.sklearn.log_model`` is not used: it needs the fluent state, loads the model, and infers
    its requirements in a second process (2.4 s).
    """
    from mlflow.entities import LoggedModelOutput

    digest = hashlib.sha256(model.content).hexdigest()
    experiment_id, run_id = run.info.experiment_id, run.info.run_id
    for known in client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
        if known.tags.get(DIGEST_TAG) == digest and known.status == "READY":
            return str(known.model_id)
        client.delete_logged_model(known.model_id)
    logged = client.create_logged_model(
        experiment_id,
        name=model.name,
        source_run_id=run_id,
        tags={DIGEST_TAG: digest},
        params=dict(run.data.params),
        model_type="classifier",
    )
    check_artifacts(logged.artifact_location, store)
    failpoint("tracker.model.created")
    with tempfile.TemporaryDirectory(prefix="sweepmark-") as folder:
        _save(Path(folder), model, model_id=logged.model_id, run_id=run_id)
        client.log_model_artifacts(logged.model_id, folder)
    failpoint("tracker.model.written")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def _save(folder: Path, model: Model, *, model_id: str, run_id: str) -> None:
    """Write the files of ``mlflow.sklearn.save_model``, from the serialised bytes."""
    import sklearn
    import yaml
    from mlflow.models import Model as MlflowModel

    (folder / _FILE).write_bytes(model.content)
    for name, content in model.code.items():
        path = folder / _CODE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    requirements = list(model.requirements)
    (folder / "requirements.txt").write_text("\n".join(requirements))
    python = platform.python_version()
    environments = {
        "conda.yaml": {
            "name": "mlflow-env",
            "channels": ["conda-forge"],
            "dependencies": [f"python={python}", "pip", {"pip": requirements}],
        },
        "python_env.yaml": {
            "python": python,
            "build_dependencies": ["pip", "setuptools", "wheel"],
            "dependencies": ["-r requirements.txt"],
        },
    }
    for name, environment in environments.items():
        (folder / name).write_text(yaml.safe_dump(environment, sort_keys=False))
    document = MlflowModel(
        run_id=run_id,
        model_uuid=model_id,
        model_id=model_id,
        signature=_signature(model),
        model_size_bytes=len(model.content),
    )
    # As mlflow.pyfunc.add_to_model does; importing that module is slow and issues warnings.
    document.add_flavor(
        "python_function",
        loader_module="mlflow.sklearn",
        model_path=_FILE,
        predict_fn="predict",
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        python_version=python,
        code=_CODE if model.code else None,
    )
    document.add_flavor(
        "sklearn",
        pickled_model=_FILE,
        sklearn_version=sklearn.__version__,
        serialization_format="skops",
        code=_CODE if model.code else None,
        skops_trusted_types=trusted_types(model.content),
    )
    document.save(str(folder / "MLmodel"))


def _signature(model: Model) -> ModelSignature:
    """Return the signature; a column of numbers takes integers and floats.

    A file's column without a fraction or missing value is read as int64, which MLflow does not
    take for a double, and others as float64, which it does not take for a long.
    """
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec
    from mlflow.types.schema import AnyType

    number = AnyType()  # type: ignore[no-untyped-call]
    inputs: list[ColSpec | TensorSpec]
    if model.columns is None:
        inputs = [TensorSpec(np.dtype(model.dtype), (-1, model.n_features))]
    elif model.columns:  # values may be missing, columns may not
        inputs = [
            ColSpec(number if kind == "number" else DataType.string, name)
            for name, kind in model.columns.items()
        ]
    else:
        inputs = [ColSpec(number) for _ in range(model.n_features)]
    return ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema([TensorSpec(np.dtype(model.answers), (-1,))]),
    )
