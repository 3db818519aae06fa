"""Progress of a sweep: a bar on a terminal or in a notebook, plain lines otherwise."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from sweepmark.report.leaderboard import best
from sweepmark.scores.metric_names import ACCURACY, CV_ACCURACY, VALIDATION_ACCURACY
from sweepmark.terminal import console, cut, escape
from sweepmark.tracking.run_records import short_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.trial import Trial

__all__ = ["Progress", "create_progress"]

_LONGEST_BEST = 60  # characters beside the bar
_LONGEST_NAME = 300


def create_progress(announce: Callable[[str], None], *, shown: bool = True) -> Progress:
    """Return the progress display that suits a notebook's cell or standard error, if ``shown``."""
    if not shown:
        return Progress(announce)
    if "IPython" in sys.modules and console().is_jupyter:
        return _Cell(announce)
    return _Bar(announce) if sys.stderr.isatty() else _Lines(announce)


def _metric_text(trial: Trial, metric: str) -> str:
    """Return a trial's metric as text; trials of another evaluation method may lack it."""
    shown = (metric, CV_ACCURACY, VALIDATION_ACCURACY, ACCURACY)
    name = next((name for name in shown if name in trial.metrics), None)
    return "" if name is None else f"{name} {trial.metrics[name]:.4f}"


class Progress:
    """Displays the progress of a sweep; this one shows nothing.

    Parameters
    ----------
    announce : callable
        Called with the sweep's id as soon as there is something to resume.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce

    def say(self, line: str) -> None:
        """Show a line."""

    def opened(self, sweep_id: str, blueprint: Blueprint, n_trials: int) -> None:
        """Show that a sweep starts or is resumed."""
        del blueprint, n_trials
        self._announce(sweep_id)

    def settled(self, trial: Trial) -> None:
        """Show a settled trial."""

    def close(self) -> None:
        """Restore the terminal."""


class _Lines(Progress):
    """Progress as one line per trial."""

    _n_trials = 0
    _n_done = 0
    _metric = ""

    def say(self, line: str) -> None:
        sys.stderr.write(f"{escape(line)}\n")
        sys.stderr.flush()

    def opened(self, sweep_id: str, blueprint: Blueprint, n_trials: int) -> None:
        super().opened(sweep_id, blueprint, n_trials)
        self._n_trials, self._metric = n_trials, blueprint.metric
        trials = "1 trial" if n_trials == 1 else f"{n_trials} trials"
        self.say(f"{sweep_id}: {trials}")

    def settled(self, trial: Trial) -> None:
        self._n_done += 1
        name = cut(short_name(trial.params, "run"), _LONGEST_NAME)
        outcome = _metric_text(trial, self._metric)
        if trial.status == "failed":
            outcome = f"failed ({trial.reason}): {trial.message}"
        elif trial.status != "complete":
            outcome += f" ({trial.status})"
        self.say(f"[{self._n_done}/{self._n_trials}] {name}: {outcome}")


class _Bar(Progress):
    """Progress as a bar: trials done and in total, the best so far, time left."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        super().__init__(announce)
        self._bar: Any = None
        self._task: Any = None
        self._blueprint: Blueprint | None = None
        self._trials: list[Trial] = []

    def say(self, line: str) -> None:
        from rich.text import Text

        target = console(stderr=True) if self._bar is None else self._bar.console
        target.print(Text(escape(line)), soft_wrap=True)

    def opened(self, sweep_id: str, blueprint: Blueprint, n_trials: int) -> None:
        from rich import progress as rich

        super().opened(sweep_id, blueprint, n_trials)
        self._blueprint = blueprint
        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[best]}", markup=False),
            rich.TimeElapsedColumn(),
            rich.TextColumn("left"),
            rich.TimeRemainingColumn(elapsed_when_finished=True),
            console=console(stderr=True),
        )
        self._task = self._bar.add_task(escape(sweep_id), total=n_trials, best="")
        self._start()

    def _start(self) -> None:
        self._bar.start()

    def settled(self, trial: Trial) -> None:
        if self._bar is None or self._blueprint is None:
            return
        self._trials.append(trial)
        if trial.status == "failed":
            self.say(f"trial {trial.number} failed ({trial.reason}): {trial.message}")
        metric = self._blueprint.metric
        leader = best(self._trials, metric, self._blueprint.direction)
        text = "" if leader is None else f"best {metric} {leader.metrics[metric]:.4f}"
        self._bar.update(self._task, advance=1, best=cut(text, _LONGEST_BEST))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


class _Cell(_Bar):
    """The bar in a notebook's cell, drawn anew for each trial.

    rich would redraw it by ipywidgets, which need not be installed; IPython's own display does it.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        super().__init__(announce)
        self._handle: Any = None

    def say(self, line: str) -> None:
        sys.stdout.write(f"{escape(line)}\n")

    def _start(self) -> None:
        show: Any = importlib.import_module("IPython.display").display  # there in a notebook
        self._handle = show(self._table(), display_id=True)

    def settled(self, trial: Trial) -> None:
        super().settled(trial)
        self.close()

    def close(self) -> None:
        if self._handle is not None:
            self._handle.update(self._table())

    def _table(self) -> Any:
        return self._bar.make_tasks_table(self._bar.tasks)
