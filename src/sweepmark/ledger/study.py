"""The Ledger as an Optuna study."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweepmark.failpoints import failpoint
from sweepmark.ledger.interface import is_next
from sweepmark.ledger.storage import create_database, ledger_database, open_storage
from sweepmark.search.space import Options, Range
from sweepmark.specification.specification import canonical_json
from sweepmark.store.database import LOCK_TIMEOUT, await_write_lock, translated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

    from sweepmark.scores.metrics import Direction
    from sweepmark.search.space import Axis, Choice, Space
    from sweepmark.search.trial import Trial

__all__ = ["OptunaLedger", "frozen_trial"]


class OptunaLedger:
    """A study in ``optuna.db`` of a store, named by the sweep_id; created when first needed.

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
    """

    def __init__(
        self,
        store: Path,
        *,
        sweep_id: str,
        space: Space,
        direction: Direction = "maximize",
    ) -> None:
        self._database = ledger_database(store)
        self._sweep_id = sweep_id
        self._direction = direction
        self._axes = {axis.name: axis for axis in space.all_axes()}
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
        if is_next(trial, self._count):
            failpoint("ledger.trial")
            template = frozen_trial(trial, value, self._axes)
            with translated(self._database):
                # Optuna would retry five times, which delays a sweep by two minutes.
                await_write_lock(self._database, seconds=LOCK_TIMEOUT)
                storage.create_new_trial(study_id, template_trial=template)
            failpoint("ledger.trial.done")
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
            create_database(self._database)
            with translated(self._database):
                storage = open_storage(self._database)
                optuna.create_study(
                    study_name=self._sweep_id,
                    storage=storage,
                    direction=self._direction,
                    load_if_exists=True,
                )
                failpoint("ledger.study")
                study_id = storage.get_study_id_from_name(self._sweep_id)
                self._count = storage.get_n_trials(study_id)
            self._study = storage, study_id
        return self._study


def frozen_trial(trial: Trial, value: float | None, axes: Mapping[str, Axis]) -> FrozenTrial:
    """Return a finished trial as Optuna's.

    Parameters
    ----------
    trial : Trial
        The trial.
    value : float or None
        The objective; None or NaN counts as failed.
    axes : mapping of str to Axis
        The axes that become its parameters, by name; others are left out.
    """
    from optuna.trial import FrozenTrial, TrialState

    failed = trial.status == "failed" or value is None or math.isnan(value)
    state = TrialState.FAIL if failed else TrialState.COMPLETE
    if trial.status == "pruned":
        state = TrialState.PRUNED
    names = [name for name in trial.params if name in axes]
    attributes: dict[str, Any] = {"status": trial.status, "keys": list(trial.keys)}
    optional = {"run_id": trial.run_id, "reason": trial.reason, "reused_from": trial.reused_from}
    attributes |= {name: text for name, text in optional.items() if text}
    return FrozenTrial(
        number=-1,  # the storage numbers the trials
        trial_id=-1,
        state=state,
        value=value if state is TrialState.COMPLETE else None,
        datetime_start=datetime.fromtimestamp(trial.started),  # noqa: DTZ006 -- as Optuna does
        datetime_complete=datetime.fromtimestamp(trial.ended),  # noqa: DTZ006
        params={name: _categorical(axes[name], trial.params[name]) for name in names},
        distributions={name: _distribution(axes[name]) for name in names},
        user_attrs=attributes,
        system_attrs={},
        intermediate_values={},
    )


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
    """Whether Optuna can store and distinguish the values (1, 1.0 and True are equal to it)."""
    if not all(value is None or isinstance(value, int | float | str) for value in axis.values):
        return False
    return len(set(axis.values)) == len(axis.values)
