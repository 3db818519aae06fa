"""The gallery of errors: whole, in order, ink on paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from picture_cards import card_of, images_of, note_texts
from pixels import is_whole, read_png
from sweepmark.plots.gallery import TRIAL, draw
from tiny import digits


def draw_errors(images: Any, y_true: Any, y_pred: Any, **values: Any) -> bytes:
    names = values.pop("names", [str(i) for i in range(12)])
    card = card_of(y_true, y_pred, names, **values)
    return draw(TRIAL[1:2], card, images_of(images))["misclassified.png"]


@pytest.mark.parametrize("n_wrong", [0, 1, 3, 25, 40])
@pytest.mark.parametrize("dtype", ["uint8", "float64", "int64"])
def test_is_whole_for_any_number(n_wrong: int, dtype: str) -> None:
    part = digits().train
    y_pred = part.y.copy()
    y_pred[5 : 5 + n_wrong] = 11
    images = np.asarray(part.X).reshape(-1, 8, 8).astype(dtype)
    assert is_whole(read_png(draw_errors(images, part.y, y_pred)))


def test_shows_the_wrong_image_as_ink_on_paper() -> None:
    images = np.zeros((3, 8, 8), dtype=np.uint8)
    images[1, 2:4, 3] = 16
    images[1, 0, 0] = 8
    pixels = read_png(draw_errors(images, [1, 2, 3], [1, 7, 3]))[:, :, 0]
    # A pixel is a square of 14; the tile's corner is half grey, which no text is over so many.
    is_grey = abs(pixels - 130) < 30
    y, x = next((y, x) for y, x in np.argwhere(is_grey) if is_grey[y : y + 13, x : x + 13].all())
    centres = pixels[y + 6 : y + 112 : 14, x + 6 : x + 112 : 14]
    assert (centres[2:4, 3] < 10).all()
    assert 100 < centres[0, 0] < 160
    assert (np.delete(centres.ravel(), [0, 19, 27]) == 255).all()


def test_shows_the_largest_margins_first_and_says_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = note_texts(monkeypatch)
    n = 143
    scores = np.zeros((n, 3))
    scores[:, 1] = np.arange(n)
    draw_errors(np.ones((n, 4, 4)), np.zeros(n), np.ones(n), scores=scores, names=["a", "b", "c"])
    title = (
        "143 of 143 rows misclassified (accuracy 0.00 %),\nthe 25 with the largest margins shown"
    )
    assert title in written
    rows = [text for text in written if text.startswith("row ")]
    assert rows == [f"row {n - 1 - i}\na → b" for i in range(25)]
    written.clear()
    draw_errors(np.ones((n, 4, 4)), np.zeros(n), np.ones(n))
    assert title.replace("25 with the largest margins", "first 25") in written
    assert "row 0\n0 → 1" in written


def test_long_names_have_lines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    written = note_texts(monkeypatch)
    names = ["Iris-versicolor", "Iris-virginica or $another$ one"]
    content = draw_errors(np.ones((2, 4, 4)), [0, 1], [1, 0], names=names)
    assert is_whole(read_png(content))
    assert "row 0\nIris-versicolor\n→ Iris-virginica o…" in written


@pytest.mark.parametrize("shape", [(200, 300), (28, 28), (1, 1), (97, 3)])
def test_takes_images_of_any_size(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((6, *shape)) - 0.5
    ones = np.ones(6, dtype=np.int64)
    pixels = read_png(draw_errors(images, ones, ones + 1))
    assert is_whole(pixels)
    assert max(pixels.shape) <= 1200
