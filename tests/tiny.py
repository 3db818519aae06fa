"""Tiny sweeps on the digits, composed and launched as the command does it, but in this process."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from sweepmark.config import Composer, Folders, place, resolve, validate
from sweepmark.config import dataset_config as compose_dataset
from sweepmark.coordinator import LaunchOptions, Progress, launch, resume
from sweepmark.data import load
from sweepmark.report.summary import result_document
from sweepmark.search.blueprint import Blueprint
from sweepmark.store import read_journal
from sweepmark.store.journal import seal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sweepmark.config import Tree
    from sweepmark.config.dataset import DatasetConfig
    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial
    from sweepmark.store import Entry, Store

SMALL = ("dataset=digits", "split.size=300", "engine=serial", "tracking=none", "grade=none")
"""What keeps an evaluation at milliseconds, and in this process."""


@cache
def dataset_config(name: str) -> DatasetConfig:
    """Return the configuration of a data set; Hydra is asked once for each."""
    return compose_dataset(name)


@cache
def digits() -> Dataset:
    return load(dataset_config("digits"))


def load_digits(config: Config) -> Dataset:
    """Stand where a coordinator loads a configuration's data set."""
    assert config.dataset.name == "digits"
    return digits()


def tree(*overrides: str, folder: Path | None = None) -> Tree:
    """Compose a tree; Hydra takes its time, so it is asked once for the same."""
    return deepcopy(_tree(overrides, folder))


@cache
def _tree(overrides: tuple[str, ...], folder: Path | None) -> Tree:
    with Composer(Folders.of([folder] if folder else [])) as composer:
        return composer.compose(overrides)


def config(*groups: str, **values: Any) -> Config:
    """Return the configuration of a small evaluation; dots are written as double underscores."""
    document = tree(*SMALL, *groups)
    for name, value in values.items():
        place(document, name.replace("__", "."), value)
    return validate(resolve(document))


@cache
def blueprint(sweep: str | None, *overrides: str, folder: Path | None = None) -> Blueprint:
    with Composer(Folders.of([folder] if folder else [])) as composer:
        return Blueprint.compose(composer, sweep, [*SMALL, *overrides])


def changed(asked: Blueprint, **values: Any) -> Blueprint:
    """Return a blueprint with other values, without asking Hydra again."""
    document = deepcopy(asked.document())
    for composed in document["trees"].values():
        for name, value in values.items():
            place(composed, name.replace("__", "."), value)
    return Blueprint.from_document(document)


def write_sweep(folder: Path, name: str, text: str) -> Path:
    """Write a sweep into a folder for ``--config-dir``, and return that folder."""
    path = folder / "sweeps" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


@dataclass
class Listener(Progress):
    """A Progress that remembers what it was told."""

    lines: list[str] = field(default_factory=list)
    settled_trials: list[Trial] = field(default_factory=list)
    n_trials: int = 0
    is_closed: bool = False

    def say(self, line: str) -> None:
        self.lines.append(line)

    def opened(self, sweep_id: str, blueprint: Blueprint, n_trials: int) -> None:
        del sweep_id, blueprint
        self.n_trials = n_trials

    def settled(self, trial: Trial) -> None:
        self.settled_trials.append(trial)

    def close(self) -> None:
        self.is_closed = True


def grid(**values: Any) -> Blueprint:
    """Return a sweep of four trials of two folds each, on ninety rows."""
    space = {"classifier": {"C": [1.0, 10.0], "gamma": [0.01, 0.1]}}
    small: dict[str, Any] = {"split__size": 120, "evaluation__n_splits": 2, "sweep__space": space}
    return changed(blueprint("svc_c_gamma"), **small | values)


def flaky(obstacle: Path, **values: Any) -> Blueprint:
    """Return a sweep whose first and best trial fails while a file is there; trusts ``flaky``."""
    component = {"_target_": "flaky.Flaky", "n_neighbors": 5, "obstacle": str(obstacle)}
    space = {"classifier": {"n_neighbors": [1, 10, 30]}}
    return grid(**{"classifier": component, "sweep__space": space} | values)


def unsteady(dice: Path, **values: Any) -> Blueprint:
    """Return a sweep that comes out differently with each number in a file; trusts ``flaky``."""
    component = {"_target_": "flaky.Unsteady", "n_neighbors": 5, "dice": str(dice)}
    space = {"classifier": {"n_neighbors": [1, 3, 9, 27]}}
    return grid(**{"classifier": component, "sweep__space": space} | values)


def run(blueprint: Blueprint, store: Store, **options: Any) -> SweepResult:
    return launch(blueprint, store=store, options=LaunchOptions(**options), progress=Listener())


def go_on(sweep_id: str, store: Store, **options: Any) -> SweepResult:
    return resume(sweep_id, store=store, options=LaunchOptions(**options), progress=Listener())


def lines(store: Store, sweep_id: str) -> list[str]:
    """Return a sweep's journal as it is."""
    return store.journal_path(sweep_id).read_text().splitlines()


def seal_lines(entries: Iterable[Entry]) -> bytes:
    """Return the journal that says what these entries say, as whoever forges one would write it."""
    content, digest = b"", ""
    for entry in entries:
        line, digest = seal(entry, digest)
        content += line + b"\n"
    return content


def entries(store: Store, sweep_id: str, event: str) -> list[Entry]:
    """Return the entries of one kind in a sweep's journal."""
    journal = read_journal(store.journal_path(sweep_id))
    return [entry for entry in journal if entry["event"] == event]


def figures(result: SweepResult) -> dict[str, Any]:
    """Return a result's document without what differs between two runs of the same."""
    document = result_document(result)
    for trial in document["trials"]:
        for name in ("fit_seconds", "predict_seconds", "run_id"):
            trial.pop(name, None)
            trial["metrics"].pop(name, None)
    best = document["best"] or {}
    for name in ("fit_seconds", "predict_seconds", "run_id"):
        best.pop(name, None)
        best.get("metrics", {}).pop(name, None)
    return document
