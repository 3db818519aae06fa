"""Sweeps and stores, read when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from sweepmark.api.datasets import listed
from sweepmark.api.scorecards import Scorecard
from sweepmark.config import Folders, grade_config
from sweepmark.config.places import given_path
from sweepmark.errors import FailedError, NotFoundError
from sweepmark.report import page
from sweepmark.report.frames import trials_frame
from sweepmark.report.grading import grade_result
from sweepmark.report.results import read_result
from sweepmark.report.runs import Run, find_result, find_run
from sweepmark.search.blueprint import RUN
from sweepmark.search.feasibility import check_grade
from sweepmark.store import Store as Folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pandas import DataFrame

    from sweepmark.report.cautions import Caution
    from sweepmark.report.grade import Grade
    from sweepmark.report.results import SweepResult
    from sweepmark.search.trial import Trial

__all__ = ["STORE", "Shelf", "Store", "Sweep", "open", "open_folder"]

STORE = "mlruns"
"""The default store, in the current folder."""

_KEY_LENGTH = 64

T = TypeVar("T")


class Sweep:
    """A sweep, complete or not, with its trials.

    Attributes
    ----------
    id : str
        Its id, by which commands know it.
    """

    def __init__(self, sweep_id: str, folder: Folder, result: SweepResult | None = None) -> None:
        self.id = sweep_id
        self._folder = folder
        self._found = result

    @cached_property
    def result(self) -> SweepResult:
        """All that is known of it, read when it is first needed."""
        return self._found or read_result(self._folder, self.id)

    @property
    def state(self) -> str:
        """``complete`` or ``interrupted``; what is still running counts as interrupted."""
        return self.result.state

    @cached_property
    def trials(self) -> DataFrame:
        """A row for each finished trial, by its number.

        Columns are ``status`` and ``reason``, the swept parameters by their full names
        (``classifier.C``), ``n_train`` and ``n_test``, the metrics, ``fit_seconds``,
        ``predict_seconds``, ``attempts``, MLflow's ``run_id`` and ``reused_from``.
        """
        return trials_frame(self.result.trials)

    @property
    def best(self) -> Trial | None:
        """The trial chosen by the objective: ``number``, ``params``, ``metrics``; None without."""
        return self.result.chosen

    @property
    def test_metrics(self) -> Mapping[str, float]:
        """The metrics on the test part, scored once for the trial that stands for the sweep.

        Empty if it was not: it is unfinished, failed, or has no objective and held rows out.
        """
        test = self.result.test
        return MappingProxyType({} if test is None else dict(test.metrics))

    @property
    def warnings(self) -> tuple[Caution, ...]:
        """What has to be known of the figures, such as a best cell on the edge of the grid."""
        return self.result.cautions

    def grade(self, rule: str | None = None, *, config_dir: Sequence[str | Path] = ()) -> Grade:
        """Return the points for its test metrics.

        Parameters
        ----------
        rule : str, optional
            An option of group ``grade``; None is the configuration's own.
        config_dir : sequence of path, optional
            Folders with rules of your own.

        Raises
        ------
        sweepmark.errors.ConfigurationError
            If there is nothing to grade; the message says why.
        """
        found = self.result.blueprint.config.grade
        if rule is not None:
            found = grade_config(rule, Folders.of(listed(config_dir)))
            check_grade(found)
        return grade_result(self.result, found, self._folder)

    def scorecard(self, trial: int | None = None) -> Scorecard:
        """Return the Scorecard of a trial.

        Parameters
        ----------
        trial : int, optional
            Its number; None is the one that stands for the sweep, on the test part if it was
            scored there.

        Raises
        ------
        sweepmark.errors.FailedError, sweepmark.errors.NotFoundError
            If it failed, or there is no such trial.
        """
        result = self.result
        stands = result.test or result.headline if trial is None else None
        known = [each for each in result.trials if trial in {None, each.number}]
        found = stands or next(iter(known), None)
        if found is None:
            raise NotFoundError(f"{self.id} has no finished trial {'' if trial is None else trial}")
        if found.status == "failed":
            raise FailedError(
                f"trial {found.number} of {self.id} failed ({found.reason}): {found.message}"
            )
        run = Run(self.id, self._folder, result, found, is_final=found is result.test)
        return Scorecard(run.card, keys=found.keys, run=run)

    def __repr__(self) -> str:
        return "\n".join(page.result_lines(self.result))

    def _repr_html_(self) -> str:
        return page.result_page(self.result)


class Shelf(Mapping[str, T]):
    """What a store has, by its id, oldest first; each is read when it is taken out."""

    def __init__(self, names: Sequence[str], read: Callable[[str], T]) -> None:
        self._names = dict.fromkeys(names)
        self._read = read

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return "\n".join([f"{len(self)} in the store", *(f"  {name}" for name in self._names)])


class Store:
    """The sweeps, single runs and evaluations in a folder, which is only read.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, folder: Folder) -> None:
        self.path = folder.root
        self._folder = folder

    def sweeps(self) -> Mapping[str, Sweep]:
        """Return the sweeps by their ids, oldest first."""
        names = [name for name in self._folder.sweep_ids() if not _is_run(name)]
        return Shelf(names, lambda name: Sweep(name, self._folder))

    def runs(self) -> Mapping[str, Scorecard]:
        """Return the Scorecards of single runs by the runs' ids, oldest first."""
        names = [name for name in self._folder.sweep_ids() if _is_run(name)]
        return Shelf(names, lambda name: Sweep(name, self._folder).scorecard())

    def evaluations(self) -> Mapping[str, Scorecard]:
        """Return the Scorecards of all evaluations by their keys."""
        kept = self._folder.evaluations
        names = [name for name in [*kept.keys()] if len(name) == _KEY_LENGTH]
        return Shelf(names, lambda key: Scorecard(kept.scorecard(key), keys=(key,)))

    def sweep(self, name: str = "latest") -> Sweep:
        """Return a sweep or run by its id, the beginning of it, MLflow's run id, or ``latest``."""
        result, _ = find_result(name, self._folder)
        return Sweep(result.sweep_id, self._folder, result)

    def scorecard(self, name: str = "latest") -> Scorecard:
        """Return the Scorecard of a run named as for :meth:`sweep`, or of ``SWEEP/TRIAL``."""
        run = find_run(name, self._folder)
        return Scorecard(run.card, keys=run.trial.keys, run=run)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"


def open_folder(path: str | Path) -> Folder:
    """Return the store in a folder, which need not exist yet."""
    return Folder(given_path(path, what="store").absolute())


def open(path: str | Path = STORE) -> Store:  # noqa: A001 -- sweepmark.open
    """Open a store to read it.

    Parameters
    ----------
    path : path, optional
        ``mlruns`` of the current folder, or what ``store=`` said.

    Raises
    ------
    sweepmark.errors.NotFoundError
        If there is no such folder.

    Examples
    --------
    >>> import sweepmark
    >>> card = sweepmark.evaluate("dataset=digits", "tracking=none", progress=False)
    >>> store = sweepmark.open("mlruns")
    >>> store.runs()[card.id].metrics == card.metrics
    True
    """
    folder = open_folder(path)
    if not folder.root.is_dir():
        raise NotFoundError(
            f"there is no store at {folder.root}. sweepmark.evaluate and sweepmark.sweep make one."
        )
    return Store(folder)


def _is_run(sweep_id: str) -> bool:
    return sweep_id.rsplit("-", 3)[0] == RUN
