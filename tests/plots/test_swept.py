"""Plots of a sweep: whole, and for every shape a sweep can have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from picture_cards import note_texts
from pixels import is_whole, read_png
from sweepmark.plots.gallery import SWEEP, draw
from sweepmark.plots.swept import Swept
from sweepmark.report.grade import wilson_interval

VERMILION = (0xD5, 0x5E, 0x00)


def n_of_colour(pixels: Any, colour: tuple[int, int, int]) -> int:
    return int((abs(pixels - colour) < 48).all(axis=2).sum())


def curve(x: list[float], y: list[float], **options: Any) -> bytes:
    options = {"title": "a title", "axes": {"size (rows)": x}} | options
    points = [(each,) for each in x]
    swept = Swept(metric="accuracy", points=points, figures=y, **options)
    return draw(SWEEP, swept)["sweep_curve.png"]


def heatmap(
    grid: Any, *, names: tuple[str, str, str] = ("C", "gamma", "m"), **options: Any
) -> bytes:
    n_y, n_x = grid.shape
    rows, columns = [f"choice {i}" for i in range(n_y)], [10.0**i for i in range(n_x)]
    axes = options.pop("axes", {names[0]: rows, names[1]: columns})
    rows, columns = axes.values()
    swept = Swept(
        title="t",
        metric=names[2],
        axes=axes,
        points=[(row, column) for row in rows for column in columns],
        figures=grid.ravel().tolist(),
        **options,
    )
    return draw(SWEEP, swept)["heatmap.png"]


def test_curve_is_whole_and_shows_the_target() -> None:
    sizes, figures = [30_000.0, 10_000.0, 20_000.0], [0.957, 0.934, 0.94]
    bars = [
        wilson_interval(value, int(size) // 4) for size, value in zip(sizes, figures, strict=True)
    ]
    with_target = read_png(curve(sizes, figures, intervals=bars, target=0.96))
    assert is_whole(with_target)
    assert n_of_colour(with_target, VERMILION) > 200
    assert n_of_colour(read_png(curve(sizes, figures)), VERMILION) == 0


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1e-4, 1e-2, 1.0], [0.1, math.nan, 0.9]),
        ([1.0], [0.5]),
        ([1.0, 2.0], [math.nan, math.inf]),
        ([1.0, 1.0, 2.0], [1e308, -1e308, 0.5]),
        ([0.0, 1e20], [1e20, 1e20 * (1 + 1e-15)]),
        ([float(i) for i in range(40)], [0.5] * 40),
        ([10.0**i for i in range(-4, 16)], [0.5] * 20),
    ],
)
def test_curve_takes_what_sweeps_yield(x: list[float], y: list[float]) -> None:
    assert is_whole(read_png(curve(x, y)))


def test_curve_names_the_tried_values_of_a_logarithmic_axis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = note_texts(monkeypatch)
    curve([0.0001, 0.01, 1.0], [0.1, 0.2, 0.3], target=0.25)
    assert {"0.0001", "0.01", "1", "target 0.25", "size (rows)", "a title"} <= set(written)
    assert not [text for text in written if "$" in text]
    written.clear()
    curve([10.0**i for i in range(-10, 10)], [0.5] * 20)
    assert "0.01" in written
    assert not [text for text in written if "$" in text]


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


def test_equal_looking_values_are_one_column() -> None:
    grid = np.array([[0.1, 0.2], [0.3, 0.4]])
    assert is_whole(read_png(heatmap(grid, axes={"a": [1, 2], "b": [1, 1.0]})))


@pytest.mark.parametrize("value", [1e308, -1e308, math.inf, math.nan, 1e20, 0.0, 1e-300])
def test_heatmap_of_extreme_figures_is_drawn(value: float) -> None:
    assert is_whole(read_png(heatmap(np.array([[value, 0.5], [value, value]]))))
    assert is_whole(read_png(heatmap(np.full((2, 2), value))))


def test_long_names_at_the_heatmap_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written = note_texts(monkeypatch)
    long = ["StandardScaler", "MinMaxScaler", "a choice with a very long name, $really$"]
    names = tuple(f"classifier.{'very_' * 6}long_{axis}" for axis in "xyz")
    assert is_whole(
        read_png(
            heatmap(
                np.array([[0.1, 0.2, 0.3]]),
                names=(names[0], names[1], names[2]),
                axes={names[0]: [1], names[1]: long},
            )
        )
    )
    assert {*long[:2], "a choice with a very long nam…"} <= set(written)
    assert [text for text in written if text.startswith("classifier.very")]
