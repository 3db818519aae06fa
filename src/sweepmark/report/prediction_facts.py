"""What a report says of one trial's predictions: per label, confusions, pictures of errors."""

from __future__ import annotations

import base64
import warnings
from typing import TYPE_CHECKING, Any

from sweepmark.plots.gallery import TRIAL, draw
from sweepmark.report.comparison import look_document
from sweepmark.report.figures import confusion_figure
from sweepmark.report.trial_table import TextTable

if TYPE_CHECKING:
    from sweepmark.report.figure import Figure
    from sweepmark.report.runs import Run

__all__ = ["prediction_facts"]

_PICTURE = "misclassified.png"
_MOST_CLASSES = 100  # a larger matrix is no picture any more


def prediction_facts(run: Run, missing: list[str]) -> tuple[dict[str, Any], Figure | None]:
    """Return what is said of a run's predictions, and its confusion matrix.

    Parameters
    ----------
    run : Run
        The run.
    missing : list of str
        Receives a sentence for each part that there is not.

    Raises
    ------
    StoreError
        If its evaluations are lost.
    """
    document = look_document(run)
    name = document["metric"]
    folds = ", out of fold" if document["out_of_fold"] else ""
    positive = f" The positive class is {document['positive']}." if document["positive"] else ""
    facts = {
        "text": f"{document['n_right']:,} of {document['n_rows']:,} rows are right{folds}: "
        f"{name} {document['accuracy']:.4f}.{positive}",
        "caption": f"{name} per label",
        "labels": TextTable(
            columns=("label", name, "right", "rows"),
            rows=tuple(
                (
                    each["label"],
                    _share(each["accuracy"]),
                    f"{each['n_right']:,}",
                    f"{each['n_rows']:,}",
                )
                for each in document["labels"]
            ),
        ),
        "confusions": TextTable(
            columns=("actual", "predicted", "rows"),
            rows=tuple(
                (each["label"], each["prediction"], f"{each['n_rows']:,}")
                for each in document["confusions"]
            ),
        ),
        "picture": _picture(run, missing) if document["confusions"] else None,
    }
    if len(run.card.classes) > _MOST_CLASSES:
        missing.append(f"the confusion matrix: more than {_MOST_CLASSES} classes")
        return facts, None
    return facts, confusion_figure(run.card)


def _picture(run: Run, missing: list[str]) -> str | None:
    """Return the gallery of errors in base64; None of data that are no images."""
    dataset = run.dataset
    if dataset is None:
        missing.append(
            f"the pictures of errors: {run.config.dataset.name} is not in the cache any more. "
            f"{run.fetching}"
        )
        return None
    pictures = [picture for picture in TRIAL if picture.name == _PICTURE]
    with warnings.catch_warnings():  # what went wrong is said in the page
        warnings.simplefilter("ignore", RuntimeWarning)
        files = draw(pictures, run.card, dataset)
    if (content := files.get(_PICTURE)) is not None:
        return base64.b64encode(content).decode()
    if files:
        reason = next(iter(files.values())).decode(errors="replace").strip().splitlines()[-1]
        missing.append(f"the pictures of errors: they could not be drawn ({reason})")
    return None


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
