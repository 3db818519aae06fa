"""What there is to say of a data set, as one plain document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sweepmark.data.dataset import Dataset, Part

__all__ = ["describe"]


def describe(dataset: Dataset, *, published: str) -> dict[str, Any]:
    """Return counts, label distribution, shape, type, size, source and digests of a data set.

    Parameters
    ----------
    dataset : Dataset
        What is described.
    published : str
        The digest of the published data set of that name.

    Returns
    -------
    dict
        Ready for JSON. ``bytes`` is what X and y occupy in memory once every page is read;
        ``share`` is of the part's rows, in [0, 1].
    """
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "published": dataset.digest == published,
        "source": dataset.source,
        "n_rows": dataset.n_rows,
        "n_features": dataset.n_features,
        "image_shape": list(dataset.image_shape) if dataset.image_shape else None,
        "dtype": dataset.train.X.dtype.name,
        "bytes": sum(_bytes(part) for part in dataset.parts.values()),
        "classes": dataset.classes.tolist(),
        "parts": {name: _describe_part(part) for name, part in dataset.parts.items()},
        "files": dict(dataset.files),
    }


def _describe_part(part: Part) -> dict[str, Any]:
    labels, counts = np.unique(part.y, return_counts=True)
    return {
        "n_rows": part.n_rows,
        "shape": list(part.X.shape),
        "bytes": _bytes(part),
        "labels": [
            {"label": label, "count": count, "share": count / part.n_rows}
            for label, count in zip(labels.tolist(), counts.tolist(), strict=True)
        ],
    }


def _bytes(part: Part) -> int:
    return int(part.X.nbytes + part.y.nbytes)
