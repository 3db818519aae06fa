"""What holds for every picture: one table, one style, no trace in the rest of the program."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pytest

from picture_cards import card_of, images_of
from pixels import is_whole, read_png
from sweepmark.plots.gallery import SWEEP, TRIAL, Picture, draw
from sweepmark.plots.swept import Swept

if TYPE_CHECKING:
    from pathlib import Path

EVERY: tuple[Picture[...], ...] = (*TRIAL, *SWEEP)
DATA = images_of(np.random.default_rng(0).random((200, 4, 4)))


def card(n: int = 200) -> Any:
    y = np.arange(n) % 2
    scores = np.random.default_rng(1).standard_normal(n) + y
    curves = {"train_loss": (2.0, 1.0), "validation_accuracy": (0.5, 0.75)}
    return card_of(y, scores > 0.5, ["no", "yes"], scores=scores, curves=curves)


def swept(n_axes: int) -> Swept:
    axes = {"a": [1, 2], "b": [1, 2]} if n_axes == 2 else {"a": [1, 2]}
    points = [(x,) * n_axes for x in (1, 2)]
    return Swept(title="t", metric="accuracy", axes=axes, points=points, figures=[0.5, 0.75])


def test_files_have_names_of_their_own_and_every_trial_has_some() -> None:
    names = [picture.name for picture in EVERY]
    assert len(set(names)) == len(names)
    assert all(name.endswith(".png") for name in names)
    assert [picture.name for picture in TRIAL if picture.is_standard] == ["confusion_matrix.png"]


def test_all_are_whole_and_equal_files_of_equal_content() -> None:
    first, second = (draw(TRIAL, card(), DATA) for _ in range(2))
    assert set(first) == {picture.name for picture in TRIAL}
    assert first == second
    for n_axes in (1, 2):
        first |= draw(SWEEP, swept(n_axes))
    assert set(first) == {picture.name for picture in EVERY}
    assert all(is_whole(read_png(content)) for content in first.values())
    assert b"matplotlib" not in b"".join(first.values())


def test_settings_of_the_user_neither_count_nor_change() -> None:
    expected = draw(TRIAL, card(), DATA)
    own: Any = {"font.size": 30, "axes.facecolor": "red", "text.usetex": True, "savefig.dpi": 10}
    with mpl.rc_context(own):
        assert draw(TRIAL, card(), DATA) == expected
        assert {name: mpl.rcParams[name] for name in own} == own


def test_threads_draw_the_same() -> None:
    expected, found = draw(TRIAL, card(), DATA), []
    threads = [
        threading.Thread(target=lambda: found.append(draw(TRIAL, card(), DATA))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [expected] * 4


def test_a_picture_that_fails_costs_a_warning_and_no_other_picture() -> None:
    def fail(*_: object) -> bytes:
        raise OSError("raqm_layout() failed\x1b[2J")

    pictures: list[Picture[...]] = [
        Picture("lost.png", fail),
        TRIAL[0],
        Picture("none.png", fail, lambda *_: False),
    ]
    with pytest.warns(RuntimeWarning, match=r"lost\.png could not be drawn.*\\x1b"):
        files = draw(pictures, card(), DATA)
    assert set(files) == {"lost.png.txt", "confusion_matrix.png"}
    assert b"raqm_layout" in files["lost.png.txt"]


def test_is_the_only_import_of_matplotlib_and_without_pyplot() -> None:
    code = """
import sys
import sweepmark.tracking.trial_artifacts, sweepmark.report.sweep_pictures
assert "matplotlib" not in sys.modules
from sweepmark.plots.gallery import SWEEP, draw
from sweepmark.plots.swept import Swept
swept = Swept(title="", metric="", axes={"a": [1]}, points=[(1,)], figures=[1])
assert list(draw(SWEEP, swept)) == ["sweep_curve.png"]
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.row(26, "matplotlib's folders not writable")
def test_folders_of_matplotlib_that_cannot_be_written_to_are_no_news(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    code = """
from sweepmark.plots.gallery import SWEEP, draw
from sweepmark.plots.swept import Swept
swept = Swept(title="", metric="", axes={"a": [1]}, points=[(1,)], figures=[1])
assert list(draw(SWEEP, swept)) == ["sweep_curve.png"]
"""
    environment = {"MPLCONFIGDIR": str(blocked / "below"), "HOME": str(blocked), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout + done.stderr == ""


def test_what_matplotlib_logs_is_heard_again_after_drawing() -> None:
    logger = logging.getLogger("matplotlib")
    before = logger.level
    draw(TRIAL[:1], card(), DATA)
    assert logger.level == before
