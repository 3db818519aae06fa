"""Records as MLflow's entities, within MLflow's limits."""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import posixpath
import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sweepmark.specification.specification import canonical_json
from sweepmark.tracking.interface import LEFT_OUT_TAG
from sweepmark.tracking.records import DataInput, Metric, Param, Record, Tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlflow import entities

__all__ = [
    "USER_TAG",
    "batches",
    "dataset_inputs",
    "finite_metrics",
    "milliseconds",
    "param_texts",
    "standard_tags",
    "tag_texts",
]

USER_TAG = "mlflow.user"

# mlflow/utils/validation.py; 100 parameters, 100 tags and 1000 entities are the most in one batch.
_MAX_PARAMS = _MAX_TAGS = 100
_MAX_METRICS = 800
_MAX_NAME = 250
_N_DIGITS = 12  # of the digest of a name that MLflow does not take as it is
_MAX_PARAM_TEXT = 6000
_MAX_TAG_TEXT = 8000
_MAX_DIGEST = 36
_NOT_IN_A_NAME = re.compile(r"[^/\w.\- :]")


def milliseconds(seconds: float) -> int:
    """Convert seconds to MLflow's milliseconds."""
    return round(seconds * 1000)


def standard_tags() -> dict[str, str]:
    """Return the tags for user and source in MLflow's UI."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        user = "unknown"
    return {"mlflow.source.name": "sweepmark", "mlflow.source.type": "LOCAL", USER_TAG: user}


def tag_texts(records: Sequence[Record]) -> dict[str, str]:
    """Return the tags by name; one tag lists the non-finite metrics."""
    tags = {_name(r.name): _cut(r.value, _MAX_TAG_TEXT) for r in records if isinstance(r, Tag)}
    left_out = [r.name for r in records if isinstance(r, Metric) and not math.isfinite(r.value)]
    if left_out:
        tags[LEFT_OUT_TAG] = _cut(", ".join(dict.fromkeys(left_out)), _MAX_TAG_TEXT)
    return tags


def param_texts(records: Sequence[Record]) -> dict[str, str]:
    """Return the parameters by name, as text."""
    return {_name(r.name): _text(r.value) for r in records if isinstance(r, Param)}


def finite_metrics(records: Sequence[Record]) -> list[tuple[str, float, int]]:
    """Return name, value and step of the finite metrics, which MLflow can show."""
    return [
        (_name(r.name), float(r.value), r.step)
        for r in records
        if isinstance(r, Metric) and math.isfinite(r.value)
    ]


def batches(
    records: Sequence[Record],
    *,
    tags: Mapping[str, str],
    timestamp: int,
    without: frozenset[str] = frozenset(),
    model_id: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the arguments of ``log_batch`` calls; usually a single one.

    Parameters
    ----------
    records : sequence of Record
        The records; their parameters and metrics are used.
    tags : mapping of str to str
        The tags to set.
    timestamp : int
        Milliseconds; the same at every delivery, so that MLflow recognises repeated metrics.
    without : frozenset of str
        Parameters that the run has already, which MLflow does not allow to be changed.
    model_id : str or None
        The logged model to which the metrics also belong.
    """
    from mlflow import entities

    pending_params = [
        entities.Param(name, text)
        for name, text in param_texts(records).items()
        if name not in without
    ]
    pending_metrics = [
        entities.Metric(name, value, timestamp, step, model_id=model_id)
        for name, value, step in finite_metrics(records)
    ]
    pending_tags = [entities.RunTag(name, text) for name, text in tags.items()]
    chunks: zip_longest[tuple[list[Any], ...]] = zip_longest(
        _chunks(pending_params, _MAX_PARAMS),
        _chunks(pending_metrics, _MAX_METRICS),
        _chunks(pending_tags, _MAX_TAGS),
        fillvalue=[],
    )
    for chunk in chunks:
        yield dict(zip(("params", "metrics", "tags"), chunk, strict=True))


def dataset_inputs(records: Sequence[Record]) -> list[entities.DatasetInput]:
    """Return the dataset inputs of a run: what it was fitted and scored on.

    MLflow stores one data set per name and digest in an experiment, with the first profile. So the
    digest passed to MLflow includes the part and the number of rows.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    return [
        DatasetInput(
            Dataset(
                name=record.name,
                digest=f"{record.digest[:16]}-{record.context}-{record.n_rows}"[:_MAX_DIGEST],
                source_type="http" if record.source.startswith("http") else "local",
                source=json.dumps(_source(record.source)),
                profile=json.dumps(
                    {
                        "num_rows": record.n_rows,
                        "num_features": record.n_features,
                        "sha256": record.digest,
                    }
                ),
            ),
            [InputTag(MLFLOW_DATASET_CONTEXT, record.context)],
        )
        for record in records
        if isinstance(record, DataInput)
    ]


def _source(source: str) -> dict[str, str]:
    return {"url" if source.startswith("http") else "uri": source}


def _name(name: str) -> str:
    """Return a name that MLflow takes: a path that has one spelling and leads nowhere up.

    One that is changed ends in digits of its digest, so that two names remain two.
    """
    leads_on = posixpath.normpath(name) == name and not name.startswith(("/", ".."))
    text = _NOT_IN_A_NAME.sub("_", name if leads_on else name.replace("/", "_").lstrip("."))
    if leads_on and text == name and len(name) <= _MAX_NAME and name != ".":
        return name
    digits = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_N_DIGITS]
    return f"{text[: _MAX_NAME - _N_DIGITS - 1]}-{digits}"


def _text(value: object) -> str:
    if isinstance(value, Mapping | list | tuple):
        return _cut(canonical_json(value), _MAX_PARAM_TEXT)
    return _cut(str(value), _MAX_PARAM_TEXT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
