"""The model of a run in MLflow's registry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sweepmark.errors import NotFoundError, SweepmarkError
from sweepmark.report.runs import find_run
from sweepmark.tracking import Candidate, register, registered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.report.runs import Run
    from sweepmark.store import Store
    from sweepmark.tracking import Version

__all__ = ["register_again", "register_run"]


def register_run(run: Run, *, name: str, aliases: Sequence[str]) -> Version:
    """Register the model that a run kept.

    Parameters
    ----------
    run : Run
        The run; of a sweep its representative trial.
    name : str
        The name of the model in the registry.
    aliases : sequence of str
        What points to it.

    Raises
    ------
    ConfigurationError
        If it kept none, or MLflow would not take the name or an alias.
    NotFoundError
        If MLflow lacks it.
    """
    candidate = Candidate(
        sweep_id=run.result.sweep_id,
        trial=run.trial.number if run.result.blueprint.is_run else None,
        content=run.kept_model,
    )
    return register(run.store.root, candidate, name=name, aliases=aliases)


def register_again(store: Store, database: Path) -> list[str]:
    """Register the models that were registered in another database of a store.

    Parameters
    ----------
    store : Store
        The store.
    database : Path
        Its database of MLflow from before it was moved.

    Returns
    -------
    list of str
        A line for each version that is not what it was.
    """
    lines = []
    for old in registered(database):
        try:
            run = find_run(old.sweep_id, store)
            if hashlib.sha256(run.kept_model).hexdigest() != old.digest:
                raise NotFoundError(f"{run.title} has another model now.")
            new = register_run(run, name=old.name, aliases=old.aliases)
        except SweepmarkError as error:
            lines.append(f"version {old.number} of {old.name} is not registered any more: {error}")
            continue
        if new.number != old.number:
            lines.append(f"version {old.number} of {old.name} is version {new.number} now.")
    return lines
