"""The classification report, as scikit-learn writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.scores.metric_names import ACCURACY
from sweepmark.scores.metrics import PerClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["report_text", "report_values"]

_HEADERS = ("precision", "recall", "f1-score", "support")


def report_values(
    matrix: NDArray[Any], names: Sequence[object], *, accuracy_name: str = ACCURACY
) -> dict[str, Any]:
    """Return the same mapping as scikit-learn's ``classification_report(output_dict=True)``.

    Parameters
    ----------
    matrix : ndarray of shape (n_classes, n_classes), int64
        The confusion matrix; rows are the actual classes.
    names : sequence of n_classes
        Names of the classes. Those that neither occur nor are predicted are left out, as
        scikit-learn does.
    accuracy_name : str
        Name of the accuracy metric of these rows.
    """
    found = PerClass.of(matrix)
    kept = np.flatnonzero(found.occurs)
    n = int(found.support.sum())
    columns = (found.precisions, found.recalls, found.f1s)

    def row(values: Sequence[float], support: int) -> dict[str, float]:
        return dict(zip(_HEADERS, (*map(float, values), float(support)), strict=True))

    return {
        **{str(names[i]): row([c[i] for c in columns], found.support[i]) for i in kept.tolist()},
        accuracy_name: found.accuracy,
        "macro avg": row([c[kept].mean() for c in columns], n),
        "weighted avg": row([c @ found.shares for c in columns], n),
    }


def report_text(description: Mapping[str, Any]) -> str:
    """Return the same text as scikit-learn's ``classification_report(digits=4)``.

    Parameters
    ----------
    description : mapping
        From :func:`report_values`.
    """
    width = max(len(name) for name in description)
    head = " ".join([" " * width, *(f" {header:>8}" for header in _HEADERS)])
    lines = [head, ""]
    for name, row in description.items():
        if isinstance(row, float):  # the accuracy, of all classes together
            n = description["macro avg"]["support"]
            lines += ["", f"{name:>{width}} {'':>10}{'':>10} {row:>9.4f} {n:>9.0f}"]
        else:
            *shares, support = row.values()
            lines.append(f"{name:>{width}} " + "".join(f" {x:>9.4f}" for x in shares))
            lines[-1] += f" {support:>9.0f}"
    return "\n".join(lines) + "\n"
