"""Plots of a sweep: whole, and for every shape a sweep can have."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from pixels import is_whole, read_png
from sweepmark.plots.heatmap import heatmap_png
from sweepmark.plots.sweep_curve import curve_png
from sweepmark.report.grade import wilson_interval

VERMILION = (0xD5, 0x5E, 0x00)


def n_of_colour(pixels: Any, colour: tuple[int, int, int]) -> int:
    return int((pixels == colour).all(axis=2).sum())


def n_dark(pixels: Any) -> int:
    return int((pixels < 128).all(axis=2).sum())


def curve(x: list[float], y: list[float], **options: Any) -> bytes:
    return curve_png(x, y, x_label="size (rows)", y_label="accuracy", title="a title", **options)


def heatmap(grid: Any, **options: Any) -> bytes:
    n_y, n_x = grid.shape
    labels: dict[str, Any] = {"x_label": "gamma", "y_label": "C", "value_label": "cv_accuracy"}
    return heatmap_png(
        [10.0**i for i in range(n_x)],
        [f"choice {i}" for i in range(n_y)],
        grid,
        title="t",
        **labels,
        **options,
    )


def test_curve_is_whole_and_shows_the_target() -> None:
    sizes, figures = [30_000.0, 10_000.0, 20_000.0], [0.957, 0.934, 0.94]
    bars = [
        wilson_interval(value, int(size) // 4) for size, value in zip(sizes, figures, strict=True)
    ]
    with_target = read_png(curve(sizes, figures, intervals=[*bars[:2], None], target=0.96))
    assert is_whole(with_target)
    assert n_of_colour(with_target, VERMILION) > 200
    assert n_of_colour(read_png(curve(sizes, figures)), VERMILION) == 0


@pytest.mark.parametrize(
    ("x", "y", "log_x"),
    [
        ([1e-4, 1e-2, 1.0], [0.1, math.nan, 0.9], True),
        ([1.0], [0.5], False),
        ([], [], False),
        ([float(i) for i in range(40)], [0.5] * 40, False),
    ],
)
def test_curve_takes_what_sweeps_yield(x: list[float], y: list[float], *, log_x: bool) -> None:
    assert is_whole(read_png(curve(x, y, log_x=log_x)))


def test_order_of_trials_does_not_change_the_curve() -> None:
    assert curve([1.0, 2.0, 3.0], [0.1, 0.2, 0.4]) == curve([3.0, 1.0, 2.0], [0.4, 0.1, 0.2])


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (2, 9), (13, 3), (20, 25)])
@pytest.mark.parametrize("n_missing", [0, 1])
def test_heatmap_is_whole_with_cells_missing(shape: tuple[int, int], n_missing: int) -> None:
    grid = np.random.default_rng(0).random(shape)
    grid.flat[:n_missing] = np.nan
    assert is_whole(read_png(heatmap(grid)))


@pytest.mark.parametrize("maximize", [True, False])
def test_heatmap_frames_the_best_cell(*, maximize: bool) -> None:
    grid = np.array([[0.9, 0.5], [0.5, 0.1]])
    pixels = read_png(heatmap(grid, maximize=maximize))
    framed = np.argwhere((pixels == VERMILION).all(axis=2))
    assert len(framed) > 100
    middle = framed.mean(axis=0) / pixels.shape[:2]
    # The first row is drawn at the bottom.
    assert bool(middle[0] > 0.5) is maximize
    assert bool(middle[1] < 0.45) is maximize


def test_long_names_below_the_heatmap_are_whole() -> None:
    names = ["StandardScaler", "MinMaxScaler", "a choice with a very long name"]
    content = heatmap_png(
        names,
        [1],
        np.array([[0.1, 0.2, 0.3]]),
        x_label="preprocess",
        y_label="max_depth",
        value_label="log_loss",
        title="t",
    )
    assert is_whole(read_png(content))


def test_names_of_long_parameters_beside_one_cell_are_whole() -> None:
    labels = [f"classifier.{'very_' * 6}long_{axis}" for axis in ("x", "y", "value")]

    def draw(x_label: str, y_label: str, value_label: str) -> Any:
        grid = np.array([[0.5]])
        return read_png(
            heatmap_png(
                *([1], [1], grid),
                title="t",
                x_label=x_label,
                y_label=y_label,
                value_label=value_label,
            )
        )

    pixels = draw(*labels)
    assert is_whole(pixels)
    alone = [draw(*(label if i == j else "" for j, label in enumerate(labels))) for i in range(3)]
    inks = [n_dark(image) - n_dark(draw("", "", "")) for image in alone]
    assert min(inks) > 500
    assert n_dark(pixels) - n_dark(draw("", "", "")) == sum(inks)  # so none lies over another


def test_drawing_needs_no_pyplot_and_importing_no_matplotlib() -> None:
    code = """
import sys
import sweepmark.plots.heatmap, sweepmark.plots.pictures, sweepmark.plots.sweep_curve
assert "matplotlib" not in sys.modules
sweepmark.plots.sweep_curve.curve_png([1], [1], x_label="", y_label="", title="")
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
