"""ROC and precision-recall curves: every line has a name, and the corner is enlarged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from picture_cards import card_of, images_of, note_texts
from sweepmark.plots.gallery import TRIAL, draw

if TYPE_CHECKING:
    from sweepmark.scores.scorecard import Scorecard

PICTURES = [each for each in TRIAL if each.name in {"roc_curve.png", "precision_recall_curve.png"}]
DATA = images_of(np.zeros((1, 2, 2)))


def scored(n_classes: int, *, noise: float) -> Scorecard:
    """The card of a classifier whose scores are right but for noise; class i has 10 + i rows."""
    y = np.repeat(np.arange(n_classes), 10 + np.arange(n_classes))
    scores = np.eye(n_classes)[y] + noise * np.random.default_rng(0).random((len(y), n_classes))
    names = [f"class {i}" for i in range(n_classes)]
    if n_classes == 2:
        scores = scores[:, 1] - scores[:, 0]
        return card_of(y, scores > 0, names, scores=scores)
    return card_of(y, scores.argmax(axis=1), names, scores=scores)


def written_of(card: Scorecard, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    written = note_texts(monkeypatch)
    assert draw(PICTURES, card, DATA).keys() == {each.name for each in PICTURES}
    return written


def test_every_class_is_named_with_its_area(monkeypatch: pytest.MonkeyPatch) -> None:
    written = written_of(scored(5, noise=1.5), monkeypatch)
    for place in range(5):
        assert sum(text.startswith(f"class {place}: 0.") for text in written) >= 2
    assert any("mean: roc_auc 0." in text for text in written)
    assert any(text.endswith("(16.7% of rows)") for text in written), "class 0 has 10 of 60"


def test_of_very_many_the_smallest_areas_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    written = written_of(scored(30, noise=2.5), monkeypatch)
    named = {text.partition(":")[0] for text in written if text.startswith("class ")}
    assert len(named) <= 24, "twelve in each picture"
    assert "18 classes with larger areas" in written


@pytest.mark.parametrize(("noise", "is_enlarged"), [(1.05, True), (6.0, False)])
def test_corner_is_enlarged_where_the_curves_are_in_it(
    monkeypatch: pytest.MonkeyPatch,
    noise: float,
    is_enlarged: bool,  # noqa: FBT001 -- a case
) -> None:
    written = written_of(scored(5, noise=noise), monkeypatch)
    assert ("the corner, enlarged" in written) == is_enlarged


@pytest.mark.parametrize("n_classes", [2, 5])
def test_precision_is_held_against_the_prevalence(
    monkeypatch: pytest.MonkeyPatch, n_classes: int
) -> None:
    written = written_of(scored(n_classes, noise=1.5), monkeypatch)
    expected: dict[int, Any] = {
        2: "by chance: prevalence 52.4%",
        5: "by chance: mean prevalence 20.0%",
    }
    assert expected[n_classes] in written
