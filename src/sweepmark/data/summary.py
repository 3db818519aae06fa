"""The description of a data set as a plain mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sweepmark.data.dataset import Dataset, Part

__all__ = ["describe"]

_FEW = 10  # maximum number of values listed one by one


def describe(dataset: Dataset, *, published: str | None) -> dict[str, Any]:
    """Return counts, label distribution, shape, type, size, source and digests of a data set.

    Parameters
    ----------
    dataset : Dataset
        The data set to describe.
    published : str or None
        The digest of the published data set of that name, if there is one.

    Returns
    -------
    dict
        Ready for JSON. ``bytes`` is the memory of X and y once all pages are read; ``share`` is of
        the part's rows, in [0, 1]. ``int64_bytes`` is the memory of rows and labels as int64, as
        CSV readers return them; absent for frames. ``columns`` is present for frames only.
    """
    document = {
        "name": dataset.name,
        "digest": dataset.digest,
        "published": None if published is None else dataset.digest == published,
        "source": dataset.source,
        "n_rows": dataset.n_rows,
        "n_features": dataset.n_features,
        "image_shape": list(dataset.image_shape) if dataset.image_shape else None,
        "dtype": dataset.dtype,
        "bytes": sum(_bytes(part) for part in dataset.parts.values()),
        "classes": [dataset.label_text(label) for label in dataset.classes.tolist()]
        if dataset.label_names
        else dataset.classes.tolist(),
        "parts": {name: _describe_part(dataset, part) for name, part in dataset.parts.items()},
        "files": dict(dataset.files),
    }
    if dataset.column_types is not None:
        document["columns"] = [
            _describe_column(dataset, name, kind) for name, kind in dataset.column_types.items()
        ]
    return document


def _describe_part(dataset: Dataset, part: Part) -> dict[str, Any]:
    labels, counts = np.unique(part.y, return_counts=True)
    size = {} if part.is_frame else {"int64_bytes": 8 * part.n_rows * (dataset.n_features + 1)}
    return {
        "n_rows": part.n_rows,
        "shape": [part.n_rows, dataset.n_features],
        "bytes": _bytes(part),
        **size,
        "labels": [
            {
                "label": dataset.label_text(label) if dataset.label_names else label,
                "count": count,
                "share": count / part.n_rows,
            }
            for label, count in zip(labels.tolist(), counts.tolist(), strict=True)
        ],
    }


def _describe_column(dataset: Dataset, name: str, kind: str) -> dict[str, Any]:
    """Return a column's type, its number of values, and the count of each if they are few."""
    import pandas as pd

    frames: list[Any] = [part.X for part in dataset.parts.values()]
    column = pd.concat([frame[name] for frame in frames])
    counts = column.value_counts(sort=True)
    values = [
        {"value": int(value) if _is_whole(value) else value, "count": int(count)}
        for value, count in counts.items()
    ]
    return {
        "name": name,
        "type": kind,
        "n_given": int(column.count()),
        "n_distinct": len(values),
        "values": values if len(values) <= _FEW else None,
    }


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def _bytes(part: Part) -> int:
    X: Any = part.X
    n_bytes = X.memory_usage(index=False, deep=True).sum() if part.is_frame else X.nbytes
    return int(n_bytes + part.y.nbytes)
