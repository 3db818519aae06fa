"""The confusion matrix: whole, readable, in one hue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from picture_cards import card_of, images_of, note_texts
from pixels import is_whole, read_png
from sweepmark.plots.gallery import TRIAL, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = images_of(np.zeros((1, 2, 2)))


def draw_matrix(matrix: Any, names: Sequence[str]) -> bytes:
    actual, predicted = (
        np.repeat(each.ravel(), matrix.ravel()) for each in np.indices(matrix.shape)
    )
    return draw(TRIAL[:1], card_of(actual, predicted, names), DATA)["confusion_matrix.png"]


def make_matrix(n_classes: int, n: int, *, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    shares = np.eye(n_classes) * n_classes + rng.random((n_classes, n_classes))
    return rng.multinomial(n, (shares / shares.sum()).ravel()).reshape(n_classes, n_classes)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 26, 61, 300])
@pytest.mark.parametrize("prefix", ["", "a rather long class "])
def test_is_not_cut_off(n_classes: int, prefix: str) -> None:
    names = [f"{prefix}{i}" for i in range(n_classes)]
    for n in (1, 1_000_000):
        pixels = read_png(draw_matrix(make_matrix(n_classes, n), names))
        assert is_whole(pixels)
        assert max(pixels.shape) <= 1700


def test_has_one_hue_that_darkens_with_the_share() -> None:
    shares = [0, 1, 5, 20, 50, 100]
    matrix = np.zeros((7, 7), dtype=np.int64)
    matrix[:6, 0] = shares
    matrix[:6, 6] = [100 - share for share in shares]
    pixels = read_png(draw_matrix(matrix, list("abcdefg")))
    red, green, blue = pixels.reshape(-1, 3).T
    assert (blue >= green - 1).all()
    assert (green >= red - 1).all()
    # The frame is the longest dark line; a cell is 88 pixels wide.
    is_dark = pixels.sum(axis=2) < 400
    left, top = (
        int(is_dark.sum(axis=0).argmax()),
        int(is_dark[:, : is_dark.shape[1]].sum(axis=1).argmax()),
    )
    left = min(left, *np.flatnonzero(is_dark.sum(axis=0) > 500).tolist())
    top = min(top, *np.flatnonzero(is_dark.sum(axis=1) > 500).tolist())
    light = [int(pixels[top + 88 * row + 8, left + 8].sum()) for row in range(6)]
    assert light[0] > 3 * 245
    assert light == sorted(light, reverse=True)
    assert len(set(light)) == 6


def test_says_how_many_are_correct_and_a_count_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outlined: list[str] = []

    def outline(at: Any, text: str, **options: Any) -> Any:
        outlined.append(text)
        return made(at, text, **options)

    from matplotlib import textpath

    made = textpath.TextPath
    monkeypatch.setattr(textpath, "TextPath", outline)
    written = note_texts(monkeypatch)
    draw_matrix(np.array([[1234, 0], [321, 5432]]), ["no", "yes"])
    assert "6666 of 6987 rows correct (accuracy 95.41 %)" in written
    assert {"no", "yes", "predicted class", "actual class"} <= set(written)
    assert set(outlined) - {"0"} == {"1234", "321", "5432"}


def test_is_the_same_file_whatever_was_drawn_before() -> None:
    names = list("abcdefghij")
    matrix, other = make_matrix(10, 300), make_matrix(10, 300, seed=1)
    first = draw_matrix(matrix, names)
    assert draw_matrix(other, names) != first
    draw_matrix(make_matrix(3, 20), list("abc"))
    assert draw_matrix(matrix, names) == first


@pytest.mark.row(25, "labels in pictures")
@pytest.mark.parametrize(
    "label",
    [
        *("a\nb", "a" + "\u0301" * 1000, "[/x]", "x" * 10_000, "\x1b[2J\u202e", "\udcff"),
        *("<script>", "$x^2", "$\\frac$ and $", "数字", "\U0001f600", "", "   ", "%s {0}", "_"),
    ],
)
def test_any_label_can_be_drawn(label: str) -> None:
    assert is_whole(read_png(draw_matrix(np.eye(2, dtype=np.int64), [label, "b"])))
