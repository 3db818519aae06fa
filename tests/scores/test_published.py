"""Published figures beside ours: for one experiment, and for a sweep over several."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.config.schema import ExperimentConfig
from sweepmark.data.folder import STANDARD_NAMES
from sweepmark.scores.published import compare

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

PRESET = """# @package _global_
# {text}
defaults:
  - override /dataset: digits
  - override /preprocess: none
  - override /classifier: {classifier}
{more}
experiment:
  name: {name}
  source: "a test"
  published: {published}
"""
SWEEP = """# Both presets
defaults:
  - override /grade: none
sweep:
  space:
    experiment:
      option: [always_same, neighbours]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Two presets: a baseline on the test part, neighbours cross-validated."""
    folder = tmp_path / "own"
    presets: dict[str, dict[str, Any]] = {
        "always_same": {
            "classifier": "dummy",
            "published": "{accuracy: 0.1, recall_0: 0.5}",
            "more": "",
        },
        "neighbours": {
            "classifier": "knn",
            "published": "{cv_accuracy: 0.98}\n  within: {cv_accuracy: 0.02}",
            "more": "  - override /evaluation: cv",
        },
    }
    (folder / "experiment").mkdir(parents=True)
    for name, parts in presets.items():
        text = PRESET.format(name=name, text=f"About {name}", **parts)
        (folder / "experiment" / f"{name}.yaml").write_text(text)
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "both.yaml").write_text(SWEEP)
    return folder


@pytest.mark.parametrize(
    ("ours", "agrees"), [(0.9243, True), (0.92434, True), (0.9244, False), (None, False)]
)
def test_four_digits_count_unless_a_preset_says_otherwise(
    ours: float | None, *, agrees: bool
) -> None:
    experiment = ExperimentConfig(name="e", source="s", published={"accuracy": 0.9243})
    metrics = {} if ours is None else {"accuracy": ours}
    (comparison,) = compare(experiment, metrics)
    assert comparison.agrees is agrees


def test_distance_that_a_preset_allows_is_inclusive() -> None:
    experiment = ExperimentConfig(
        name="e", source="s", published={"accuracy": 0.3}, within={"accuracy": 0.1}
    )
    assert compare(experiment, {"accuracy": 0.1 + 0.1})[0].agrees
    assert not compare(experiment, {"accuracy": 0.1999})[0].agrees


@pytest.mark.slow
def test_run_shows_the_published_figure_beside_ours(called: Called, own: Path) -> None:
    from mlflow import MlflowClient

    words = ("run", "experiment=always_same", "--config-dir", own)
    ran = called.run(*words)
    assert "published figures" in ran.out
    document = called.run(*words, "--json").document
    assert "experiment" not in {warning["kind"] for warning in document["warnings"]}
    changed = called.run(*words, "split.size=300", "tracking=none", "--json").document
    (caution,) = [each for each in changed["warnings"] if each["kind"] == "experiment"]
    assert "not as published (split.size=300)" in caution["message"]
    accuracy, recall = document["published"]
    assert accuracy["ours"] == document["trials"][0]["metrics"]["accuracy"]
    assert accuracy["difference"] == accuracy["ours"] - 0.1
    assert (recall["metric"], recall["published"], recall["agrees"]) == ("recall_0", 0.5, False)
    client = MlflowClient(f"sqlite:///{called.store / 'mlflow.db'}")
    run = client.get_run(document["trials"][0]["run_id"])
    client._tracking_client.store.engine.dispose()  # noqa: SLF001 -- its connections stay open
    assert run.data.metrics["published.accuracy"] == 0.1
    assert run.data.metrics["difference.accuracy"] == accuracy["difference"]
    assert run.data.params["experiment.source"] == "a test"


@pytest.mark.slow
def test_experiments_are_swept_like_any_other_group(called: Called, own: Path) -> None:
    ran = called.run("sweep", "both", "--config-dir", own, "tracking=none", "--json")
    document = ran.document
    assert [trial["params"] for trial in document["trials"]] == [
        {"experiment": "always_same"},
        {"experiment": "neighbours"},
    ]
    names = {(each["trial"], each["metric"]): each["agrees"] for each in document["published"]}
    assert names == {(0, "accuracy"): False, (0, "recall_0"): False, (1, "cv_accuracy"): True}
    assert document["n_failed"] == 0


DATASET = """# The published {format}
name: published
format: {format}
path: null
label: {label}
image_shape: null
files: {files}
sources: {{}}
"""


@pytest.mark.parametrize("format_", ["idx", "csv"])
def test_published_data_are_known_wherever_they_lie(
    called: Called, own: Path, digits_idx: Path, tmp_path: Path, format_: str
) -> None:
    """By their content: a file of the same name with other content is another."""
    place = tmp_path / "place"
    if format_ == "idx":
        shutil.copytree(digits_idx, place)
        roles = {role: place / name for role, name in STANDARD_NAMES.items()}
    else:
        place.write_text("".join(f"{n % 2},{n},{n % 3}\n" for n in range(300)))
        roles = {"train_table": place}
    files = {
        role: {
            "name": path.name,
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for role, path in roles.items()
    }
    (own / "dataset").mkdir()
    text = DATASET.format(format=format_, files=json.dumps(files), label="null")
    (own / "dataset" / "published_data.yaml").write_text(text)
    preset = own / "experiment" / "always_same.yaml"
    preset.write_text(preset.read_text().replace("dataset: digits", "dataset: published_data"))
    words = ("run", "experiment=always_same", "--config-dir", own, "tracking=none", "engine=serial")
    path = f"dataset.path={place}"
    known = called.run(*words, path, "--json").document
    assert "experiment" not in {warning["kind"] for warning in known["warnings"]}
    changed = called.run(*words, path, "split.size=100", "--json").document
    (caution,) = [each for each in changed["warnings"] if each["kind"] == "experiment"]
    assert "not as published (split.size=100)" in caution["message"]
    last = list(roles.values())[-1]
    content = bytearray(last.read_bytes())
    content[-2 if format_ == "csv" else -1] ^= 1
    last.write_bytes(content)
    other = called.run(*words, path, "--json").document
    (caution,) = [each for each in other["warnings"] if each["kind"] == "experiment"]
    assert f"not as published ({path})" in caution["message"]
