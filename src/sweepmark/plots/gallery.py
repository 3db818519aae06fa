"""The pictures that there are: file name, drawing function, and what each one needs."""

from __future__ import annotations

import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, ParamSpec

from sweepmark.plots.class_curves import precision_recall, roc
from sweepmark.plots.confusion import confusion_matrix
from sweepmark.plots.curves import epochs, ranked, threshold, training
from sweepmark.plots.misclassified import misclassified
from sweepmark.plots.style import drawing
from sweepmark.plots.swept import Swept, heatmap, sweep_curve
from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.data import Dataset
    from sweepmark.scores.scorecard import Scorecard

__all__ = ["SWEEP", "TRIAL", "Picture", "draw"]

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Picture(Generic[P]):
    """A picture of a trial, or of a sweep.

    Attributes
    ----------
    name : str
        The name of its file.
    draw : callable
        Returns it as a PNG file; called with what it is a picture of.
    when : callable or None
        Tells of the same whether there is such a picture; None: always.
    is_standard : bool
        Whether it is an artifact of every trial, with ``tracking.artifacts=standard``.
    """

    name: str
    draw: Callable[P, bytes]
    when: Callable[P, bool] | None = None
    is_standard: bool = False


TRIAL: tuple[Picture[[Scorecard, Dataset]], ...] = (
    Picture("confusion_matrix.png", confusion_matrix, is_standard=True),
    Picture("misclassified.png", misclassified, lambda _, data: data.image_shape is not None),
    Picture("roc_curve.png", roc, lambda card, _: bool(ranked(card))),
    Picture("precision_recall_curve.png", precision_recall, lambda card, _: bool(ranked(card))),
    Picture("threshold.png", threshold, lambda card, _: bool(card.positive_name and ranked(card))),
    Picture("training_curves.png", training, lambda card, _: bool(epochs(card))),
)
"""Of a Scorecard and the data set whose rows were predicted."""

SWEEP: tuple[Picture[[Swept]], ...] = (
    Picture("sweep_curve.png", sweep_curve, lambda swept: len(swept.axes) == 1),
    Picture("heatmap.png", heatmap, lambda swept: len(swept.axes) == 2),  # noqa: PLR2004 -- a plane
)
"""Of a sweep's metric over parameters that are numbers."""


def draw(pictures: Sequence[Picture[P]], *subject: P.args, **options: P.kwargs) -> dict[str, bytes]:
    """Return those pictures that there are of a subject, by file name.

    A failure does not fail the trial: it is warned of, and the traceback replaces the picture.
    """
    files: dict[str, bytes] = {}
    for picture in pictures:
        try:
            if picture.when is None or picture.when(*subject, **options):
                with drawing():
                    files[picture.name] = picture.draw(*subject, **options)
        except Exception as error:  # noqa: BLE001 -- drawing of arbitrary labels may raise anything
            trace = f"{picture.name}.txt"
            warnings.warn(
                f"{picture.name} could not be drawn ({type(error).__name__}: "
                f"{escape(str(error))}); the artifact {trace} says why",
                RuntimeWarning,
                stacklevel=2,
            )
            files[trace] = traceback.format_exc().encode()
    return files
