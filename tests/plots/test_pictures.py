"""Pictures of a trial: whole, readable, in one hue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pixels import is_whole, read_png
from sweepmark.plots.pictures import confusion_matrix_png, misclassified_png


def make_matrix(n_classes: int, n: int, *, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    shares = np.eye(n_classes) * n_classes + rng.random((n_classes, n_classes))
    return rng.multinomial(n, (shares / shares.sum()).ravel()).reshape(n_classes, n_classes)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 10, 26])
@pytest.mark.parametrize("n", [1, 500, 5_000_000])
@pytest.mark.parametrize("prefix", ["", "a rather long class "])
def test_confusion_matrix_is_not_cut_off(n_classes: int, n: int, prefix: str) -> None:
    labels = [f"{prefix}{i}" for i in range(n_classes)]
    pixels = read_png(confusion_matrix_png(make_matrix(n_classes, n), labels))
    assert is_whole(pixels)
    assert max(pixels.shape) <= 1400


def test_confusion_matrix_has_one_hue_that_darkens_with_the_share() -> None:
    shares = [0, 1, 5, 20, 50, 100]
    matrix = np.zeros((7, 7), dtype=np.int64)
    matrix[:6, 0] = shares
    matrix[:6, 6] = [100 - share for share in shares]
    pixels = read_png(confusion_matrix_png(matrix, range(7)))
    red, green, blue = pixels.reshape(-1, 3).T
    assert (blue >= green - 1).all()
    assert (green >= red - 1).all()
    # The first column's cells, near their corners where no text is.
    lines = np.flatnonzero((pixels[:, :, 0] < 245).mean(axis=1) > 0.6)
    tops = [line for line in lines if line + 1 not in lines][:6]
    left = int(np.flatnonzero((pixels[:, :, 0] < 245).mean(axis=0) > 0.6)[0])
    light = [int(pixels[top + 4, left + 4].sum()) for top in tops]
    assert light[0] == 3 * 255
    assert light == sorted(light, reverse=True)
    assert len(set(light)) == 6


def test_confusion_matrix_of_no_rows_is_drawn() -> None:
    assert is_whole(read_png(confusion_matrix_png(np.zeros((2, 2), dtype=np.int64), ["no", "yes"])))


def test_equal_counts_are_equal_files() -> None:
    matrix = make_matrix(10, 300)
    assert confusion_matrix_png(matrix, range(10)) == confusion_matrix_png(matrix, range(10))


@pytest.mark.parametrize("n_wrong", [0, 1, 3, 25, 40])
@pytest.mark.parametrize("dtype", ["uint8", "float64", "int64"])
def test_gallery_is_whole_for_any_number(n_wrong: int, dtype: str) -> None:
    digits = load_digits()
    y_pred = digits.target.copy()
    y_pred[5 : 5 + n_wrong] = 11
    rows = np.arange(len(y_pred)) + 60_000
    content = misclassified_png(digits.images.astype(dtype), digits.target, y_pred, rows)
    assert is_whole(read_png(content))


def test_gallery_shows_the_wrong_image_as_ink_on_paper() -> None:
    images = np.zeros((3, 8, 8), dtype=np.uint8)
    images[1, 2:4, 3] = 16
    images[1, 0, 0] = 8
    content = misclassified_png(images, np.array([1, 2, 3]), np.array([1, 7, 3]), np.arange(3))
    pixels = read_png(content)[:, :, 0]
    # The tile's corner is half grey, which no text is over twelve pixels.
    y, x = next(
        (y, x) for y, x in np.argwhere(pixels == 127) if (pixels[y, x : x + 12] == 127).all()
    )
    tile = pixels[y : y + 96, x : x + 96].reshape(8, 12, 8, 12)
    assert (tile == tile[:, :1, :, :1]).all()
    ink = 255 - tile[:, 0, :, 0]
    assert (ink == np.rint(images[1] * (255 / 16))).all()


def test_gallery_of_some_says_how_many_there_are() -> None:
    images, labels = np.eye(8)[None].repeat(2, axis=0), np.array([1, 2])
    some = misclassified_png(images, labels, labels + 1, labels, n_wrong=143, n_scored=2500)
    all_of_them = misclassified_png(images, labels, labels + 1, labels)
    assert read_png(some).shape[1] > read_png(all_of_them).shape[1]


@pytest.mark.parametrize("shape", [(200, 300), (28, 28), (1, 1), (97, 3)])
def test_gallery_takes_images_of_any_size(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).random((6, *shape))
    ones = np.ones(6, dtype=np.int64)
    pixels = read_png(misclassified_png(images, ones, ones + 1, np.arange(6)))
    assert is_whole(pixels)
    assert max(pixels.shape) <= 700


@pytest.mark.row(25, "labels in pictures")
@pytest.mark.parametrize(
    "label",
    ["a\nb", "a" + "\u0301" * 1000, "[/x]", "x" * 10_000, "\x1b[2J\u202e", "\udcff", "<script>"],
)
def test_any_label_can_be_drawn(label: str) -> None:
    assert confusion_matrix_png(np.eye(2, dtype=np.int64), [label, "b"]).startswith(b"\x89PNG")
