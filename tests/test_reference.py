"""docs/reference.md: every step of the published write-ups has a command, and the command works."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from program import Called
from tables import PASSENGERS

if TYPE_CHECKING:
    from program import Program

HERE = Path(__file__).parent
STEPS = {"E1": 8, "E2": 8, "E3": 4, "E4": 4, "E5": 5}
ROW = re.compile(r"^\| (E\d)\.(\d) \| .+ \| `sweepmark (.+)` \|$", re.MULTILINE)
ROWS = ROW.findall((HERE.parent / "docs" / "reference.md").read_text(encoding="utf-8"))
PRESETS = sorted(path.stem for path in (HERE.parent / "conf" / "experiment").glob("*.yaml"))
ELSEWHERE = ("ui", "data describe openml")
"""A server and a host on the net: they have tests of their own."""

SMALL = {
    "run experiment=softmax_adam_fashion": [
        *("dataset.path=fashion", "split.size=400", "engine=serial", "tracking=none", "--json"),
    ],
    "run experiment": ["split.size=400", "engine=serial", "tracking=none", "--json"],
    "sweep svc_c_gamma": ["split.size=300", "engine=serial", "tracking.artifacts=best"],
    "sweep growing_subsets": [
        "sweep.space.split.size=[400,800]",
        "engine=serial",
        "tracking.artifacts=best",
    ],
}


def smaller(command: str) -> list[str]:
    """Return the words of a command, on a small part of the data where it takes long."""
    words = shlex.split(command)
    extra = next((more for start, more in SMALL.items() if command.startswith(start)), [])
    if any(word.startswith("dataset.path=") for word in words):
        extra = [word for word in extra if not word.startswith("split.size")]
    names = {word.partition("=")[0] for word in extra}
    return [*(word for word in words if word.partition("=")[0] not in names), *extra]


def test_every_step_has_a_command_and_every_preset_is_among_them() -> None:
    steps = {(chapter, int(number)) for chapter, number, _ in ROWS}
    assert steps == {(chapter, n + 1) for chapter, last in STEPS.items() for n in range(last)}
    text = " ".join(command for _, _, command in ROWS)
    assert sorted(set(re.findall(r"experiment=(\w+)", text))) == PRESETS


def test_reference_sweep_runs_every_preset_that_needs_no_file_of_ones_own() -> None:
    sweep = yaml.safe_load((HERE.parent / "sweeps" / "reference.yaml").read_text(encoding="utf-8"))
    assert sorted([*sweep["sweep"]["space"]["experiment"]["option"], "titanic"]) == PRESETS


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize("chapter", STEPS)
def test_commands_do_what_they_say_on_a_small_part(
    mnist_cache: Path, fashion_idx: Path, tmp_path: Path, chapter: str
) -> None:
    """MNIST is the only data that tests fetch; Fashion-MNIST, Kaggle's files are made."""
    called = Called(tmp_path, cache=mnist_cache)
    shutil.copytree(fashion_idx, called.folder / "fashion")
    (called.folder / "titanic.csv").write_text(PASSENGERS)
    called.run("data", "export", "mnist", "--count", "300", "-o", "digits.csv")
    pixels = ",".join(f"pixel{number}" for number in range(784))
    rows = (called.folder / "digits.csv").read_text()
    (called.folder / "kaggle.csv").write_text(f"label,{pixels}\n{rows}")
    for _, _, command in (row for row in ROWS if row[0] == chapter):
        if command.startswith(ELSEWHERE):
            continue
        ran = called.run(*smaller(command))
        if "--json" in smaller(command):
            found = ran.document
            assert found["n_failed"] == 0, command
            if "evaluation=test" not in command:  # most published figures are cross-validated
                assert all(each["ours"] is not None for each in found["published"]), command


@pytest.mark.full
@pytest.mark.mnist
def test_published_figures_are_reached(on_mnist: Program) -> None:
    ran = on_mnist.start("sweep", "reference", "--json").end(seconds=7200)
    assert ran.code == 0, ran.err
    off = [each for each in ran.document["published"] if not each["agrees"]]
    assert off == []


@pytest.mark.full
@pytest.mark.mnist
def test_training_image_48_scores_as_published(mnist_cache: Path, tmp_path: Path) -> None:
    """A 9 that is taken for a 5: no more than a threshold of 0.5 asks for."""
    called = Called(tmp_path, cache=mnist_cache)
    called.run("data", "export", "mnist", "--first", 48, "--count", 1, "-o", "image48.csv")
    for options, label in (((), "5"), (("evaluation.threshold=0.5",), "not 5")):
        called.run(
            *("run", "experiment=detector_logistic", "evaluation=test", "tracking=none"),
            *("engine=serial", *options),
        )
        (answer,) = csv.DictReader(called.run("predict", "latest", "image48.csv").out.splitlines())
        assert answer["label"] == label
        assert float(answer["score_5"]) == pytest.approx(0.224, abs=0.0005)
