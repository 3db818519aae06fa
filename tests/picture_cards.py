"""Scorecards and images to draw, and what was written into a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.text import Text

from sweepmark.data.dataset import Dataset, Part
from sweepmark.scores.predictions import Predictions
from sweepmark.scores.scorecard import Scorecard

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from numpy.typing import NDArray


def card_of(y_true: Any, y_pred: Any, names: Sequence[str], **values: Any) -> Scorecard:
    """Return the Scorecard of predictions; rows are numbered from 0."""
    predictions = Predictions(
        rows=np.arange(len(y_true)),
        y_true=np.asarray(y_true, dtype=np.int64),
        y_pred=np.asarray(y_pred, dtype=np.int64),
        scores=values.pop("scores", None),
    )
    return Scorecard(
        metrics=values.pop("metrics", {}),
        classes=tuple(range(len(names))),
        names=tuple(names),
        predictions=predictions,
        n_train=1,
        n_test=len(y_true),
        fit_seconds=0.0,
        predict_seconds=0.0,
        **values,
    )


def images_of(images: NDArray[Any]) -> Dataset:
    """Return images of shape (n, height, width) as a data set."""
    y = np.zeros(len(images), dtype=np.int64)
    part = Part(images.reshape(len(images), -1), y)
    shape = (images.shape[1], images.shape[2])
    return Dataset(
        name="own", digest="", source="", image_shape=shape, files={}, train=part, test=None
    )


def note_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets every text of every picture."""
    written: list[str] = []
    set_text = Text.set_text

    def set_noted(artist: Text, text: Any) -> None:
        written.append(str(text))
        set_text(artist, text)

    monkeypatch.setattr(Text, "set_text", set_noted)
    return written
