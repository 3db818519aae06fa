"""The Ledger: a sweep's trials as an Optuna study, for Optuna's own tools to read.

The study is a projection of the journal. Nothing reads it back to decide anything, and a lost one
is written anew.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sweepmark.database import create_once, database_uri, read_only, translated
from sweepmark.errors import StoreError
from sweepmark.space import Options, Range
from sweepmark.specification import canonical_json
from sweepmark.steps import step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

    from sweepmark.space import Axis, Choice, Space
    from sweepmark.trial import Trial

__all__ = [
    "Ledger",
    "MemoryLedger",
    "OptunaLedger",
    "ledger_database",
    "ledger_schema_problem",
    "study_sizes",
]

_LOCK_TIMEOUT = 20.0
"""Seconds to wait for SQLite's write lock; MLflow waits as long for its own."""


class Ledger(Protocol):
    """The trials of one sweep, in order."""

    @property
    def count(self) -> int:
        """How many trials are in it."""
        ...

    def record(self, trial: Trial, *, value: float | None) -> None:
        """Add a finished trial; one that is there already is left alone.

        Parameters
        ----------
        trial : Trial
            Its number is at most ``count``: trials are added in order, without a gap.
        value : float or None
            The objective; None or NaN counts as failed.

        Raises
        ------
        ValueError
            If a trial before it is missing.
        """
        ...

    def clear(self) -> None:
        """Remove all trials, so that they can be recorded again: finished ones never change."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


def ledger_database(store: Path) -> Path:
    """Return where a store's studies lie."""
    return store.absolute() / "optuna.db"


def study_sizes(store: Path) -> dict[str, int]:
    """Return how many trials each study of a store has, by sweep_id.

    Raises
    ------
    StoreError
        If the database cannot be read.
    """
    query = (
        "SELECT study_name, COUNT(trial_id) FROM studies "
        "LEFT JOIN trials ON trials.study_id = studies.study_id GROUP BY study_name"
    )
    with read_only(ledger_database(store)) as connection:
        return dict(connection.execute(query).fetchall())


def ledger_schema_problem(store: Path) -> str | None:
    """Return why this Optuna cannot use a store's database; None if it can."""
    try:
        with translated(ledger_database(store)):
            _storage(ledger_database(store)).engine.dispose()
    except StoreError as error:
        return str(error)
    return None


class MemoryLedger:
    """Keeps trials for as long as the process lives.

    Attributes
    ----------
    trials : list of (Trial, float or None)
        What was recorded.
    """

    def __init__(self) -> None:
        self.trials: list[tuple[Trial, float | None]] = []

    @property
    def count(self) -> int:
        """See :attr:`Ledger.count`."""
        return len(self.trials)

    def record(self, trial: Trial, *, value: float | None) -> None:
        """See :meth:`Ledger.record`."""
        if _is_next(trial, self.count):
            self.trials.append((trial, value))

    def clear(self) -> None:
        """See :meth:`Ledger.clear`."""
        self.trials.clear()

    def close(self) -> None:
        """See :meth:`Ledger.close`."""


class OptunaLedger:
    """A study of ``optuna.db`` in a store, named by the sweep_id; made when first needed.

    Parameters
    ----------
    store : Path
        The store's folder.
    sweep_id : str
        The study's name.
    space : Space
        Its axes become Optuna's distributions.
    direction : {"maximize", "minimize"}
        Of the objective.
    attributes : mapping
        Plain values that are kept with the study.
    """

    def __init__(
        self,
        store: Path,
        *,
        sweep_id: str,
        space: Space,
        direction: Literal["maximize", "minimize"] = "maximize",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self._database = ledger_database(store)
        self._sweep_id = sweep_id
        self._direction = direction
        self._attributes = dict(attributes or {})
        self._axes = {axis.name: axis for axis in space.all_axes()}
        self._distributions: dict[str, BaseDistribution] = {}
        self._study: tuple[RDBStorage, int] | None = None
        self._count = 0

    @property
    def count(self) -> int:
        """See :attr:`Ledger.count`."""
        self._open()
        return self._count

    def record(self, trial: Trial, *, value: float | None) -> None:
        """See :meth:`Ledger.record`."""
        storage, study_id = self._open()
        if _is_next(trial, self._count):
            step("ledger.trial")
            with translated(self._database):
                _await_lock(self._database)
                storage.create_new_trial(study_id, template_trial=self._frozen(trial, value))
            step("ledger.trial.done")
            self._count += 1

    def clear(self) -> None:
        """See :meth:`Ledger.clear`."""
        storage, study_id = self._open()
        with translated(self._database):
            storage.delete_study(study_id)
        self.close()

    def close(self) -> None:
        """See :meth:`Ledger.close`."""
        if self._study is not None:
            self._study[0].remove_session()
            self._study[0].engine.dispose()
            self._study = None

    def _open(self) -> tuple[RDBStorage, int]:
        if self._study is None:
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            create_once(self._database, _create)
            with translated(self._database):
                storage = _storage(self._database)
                study = optuna.create_study(
                    study_name=self._sweep_id,
                    storage=storage,
                    direction=self._direction,
                    load_if_exists=True,
                )
                step("ledger.study")
                for name, value in self._attributes.items():
                    study.set_user_attr(name, value)
                study_id = storage.get_study_id_from_name(self._sweep_id)
                self._count = storage.get_n_trials(study_id)
            self._study = storage, study_id
        return self._study

    def _frozen(self, trial: Trial, value: float | None) -> FrozenTrial:
        from optuna.trial import FrozenTrial, TrialState

        failed = trial.status == "failed" or value is None or math.isnan(value)
        state = TrialState.FAIL if failed else TrialState.COMPLETE
        if trial.status == "pruned":
            state = TrialState.PRUNED
        names = [name for name in trial.params if name in self._axes]
        distributions = {name: self._distribution(name) for name in names}
        attributes: dict[str, Any] = {"status": trial.status, "keys": list(trial.keys)}
        optional = {
            "run_id": trial.run_id,
            "reason": trial.reason,
            "reused_from": trial.reused_from,
        }
        attributes |= {name: text for name, text in optional.items() if text}
        return FrozenTrial(
            number=-1,  # the storage counts
            trial_id=-1,
            state=state,
            value=value if state is TrialState.COMPLETE else None,
            datetime_start=datetime.fromtimestamp(trial.started),  # noqa: DTZ006 -- as Optuna does
            datetime_complete=datetime.fromtimestamp(trial.ended),  # noqa: DTZ006
            params={
                name: _categorical(axis, trial.params[name])
                for name, axis in ((name, self._axes[name]) for name in names)
            },
            distributions=distributions,
            user_attrs=attributes,
            system_attrs={},
            intermediate_values={},
        )

    def _distribution(self, name: str) -> BaseDistribution:
        if name not in self._distributions:
            self._distributions[name] = _distribution(self._axes[name])
        return self._distributions[name]


def _is_next(trial: Trial, count: int) -> bool:
    if trial.number > count:
        raise ValueError(
            f"trials must be recorded in order, but trial {trial.number} came after {count - 1}."
        )
    return trial.number == count


def _create(path: Path) -> None:
    _storage(path).engine.dispose()


def _await_lock(path: Path) -> None:
    """Wait for the write lock as long as for every other write; then it is free to be taken.

    Optuna tries to create a trial five times over: it would keep a sweep for two minutes.
    """
    with closing(sqlite3.connect(path, timeout=_LOCK_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _storage(path: Path) -> RDBStorage:
    from optuna.storages import RDBStorage

    try:
        return RDBStorage(
            database_uri(path), engine_kwargs={"connect_args": {"timeout": _LOCK_TIMEOUT}}
        )
    except RuntimeError as error:
        raise StoreError(
            f"{path} is of another Optuna version: {error} Move it away: "
            "`sweepmark doctor --rebuild` makes it anew."
        ) from error


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(axis, Range):
        if axis.integer:
            return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
        return FloatDistribution(axis.low, axis.high, log=axis.log)
    if isinstance(axis, Options):
        return CategoricalDistribution(tuple(axis.options))
    return CategoricalDistribution([_categorical(axis, value) for value in axis.values])


def _categorical(axis: Axis, value: Any) -> Any:
    """Return a value as Optuna's categories can hold it: JSON text unless all are plain."""
    if isinstance(axis, Range | Options) or _is_plain(axis):
        return value
    return canonical_json(value)


def _is_plain(axis: Choice) -> bool:
    """Whether Optuna can keep the values and tell them apart (1, 1.0 and True are equal to it)."""
    if not all(value is None or isinstance(value, int | float | str) for value in axis.values):
        return False
    return len(set(axis.values)) == len(axis.values)
