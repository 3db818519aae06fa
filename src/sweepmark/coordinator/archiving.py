"""Archiving a sweep in one file, and restoring it into a store."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.coordinator.rebuild import rebuild
from sweepmark.data import open_dataset
from sweepmark.errors import (
    ConfigurationError,
    DataError,
    LostError,
    NotFoundError,
    StoreError,
    SweepmarkError,
)
from sweepmark.failpoints import failpoint
from sweepmark.files import (
    check_folder,
    environment_errors,
    give_name,
    read_regular,
    write_file,
)
from sweepmark.report.replay import check_sweep, read_sweep
from sweepmark.search.feasibility import samples
from sweepmark.store import Store, owned, read_journal
from sweepmark.store.archive import open_archive, write_archive
from sweepmark.store.journal import LARGEST_JOURNAL
from sweepmark.store.manifest import MODEL, beside, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweepmark.search.blueprint import Blueprint
    from sweepmark.store import History
    from sweepmark.store.archive import Archive

__all__ = ["DataNote", "Restored", "archive", "restore"]


@dataclass(frozen=True, slots=True)
class DataNote:
    """A data set that a sweep needs and an archive does not have.

    Attributes
    ----------
    name, digest : str
        Its name and its digest.
    can_be_fetched : bool
        Whether ``sweepmark data fetch`` gets it.
    is_here : bool
        Whether it is in the cache.
    """

    name: str
    digest: str
    can_be_fetched: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A sweep that was restored.

    Attributes
    ----------
    sweep_id : str
        Its id.
    n_new, n_kept : int
        Evaluations that were added, and those that the store had.
    data : tuple of DataNote
        Its data sets.
    problem : str or None
        Why MLflow and Optuna do not have it yet; None if they do, or need not.
    """

    sweep_id: str
    n_new: int
    n_kept: int
    data: tuple[DataNote, ...]
    problem: str | None


def archive(
    store: Store, sweep_id: str, target: Path, *, replace: bool = False
) -> tuple[DataNote, ...]:
    """Write a sweep into one file, and return the data sets, which are not in it.

    A sweep that is running is archived as far as it has come.

    Raises
    ------
    ConfigurationError
        If the file exists and is not to be replaced, or cannot be there.
    StoreError
        If the sweep lacks an evaluation, or the file cannot be written.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise ConfigurationError(
            f"an archive must be a file in a folder that exists, not {target}."
        )
    if os.path.lexists(target) and not replace:
        raise ConfigurationError(f"{target} exists already. Name another file, or add --force.")
    path = store.journal_path(sweep_id)
    entries = read_journal(path)
    history, blueprint = check_sweep(path, entries)
    notes = _data(blueprint, history)
    wanted = history.wanted()
    results = {
        key: result.digest
        for key, result in history.results.items()
        if key in wanted or store.evaluations.holds(key, result.digest)
    }
    try:
        write_archive(
            target,
            store,
            sweep_id,
            n_entries=len(entries),
            results=results,
            data={note.name: note.digest for note in notes},
        )
    except LostError as error:
        command = command_line("resume", sweep_id, store=store.root)
        raise StoreError(f"{error}. Have it computed again: `{command}`.") from None
    return notes


def restore(store: Store, source: Path, *, say: Callable[[str], None]) -> Restored:
    """Add the sweep of an archive to a store, and to its MLflow and Optuna.

    An archive may come from elsewhere: it is read, as a store of somebody else is, beside the store
    before anything of it is added. The journal is added last, so that a killed call is done again.

    Parameters
    ----------
    store : Store
        The store; created if it does not exist.
    source : Path
        The archive.
    say : callable
        Called with a line for each step of fetching data.

    Raises
    ------
    NotFoundError, DataError
        If it is no valid archive, or the store has another sweep of the same id.
    OwnedError
        If that sweep is running.
    StoreError
        If the store cannot be written, or has an equal evaluation that is damaged.
    """
    store.check()
    with open_archive(source) as opened:
        sweep_id = opened.sweep_id
        lock = store.lock_path(sweep_id)
        with owned(lock):
            unpacked = Store(store.root / f".restoring-{sweep_id}")
            try:
                _clear(unpacked.root)
                history, blueprint = _read(opened, unpacked, source)
                failpoint("restore.unpacked")
                n_new, n_kept = _add(unpacked, store, sweep_id, history)
            finally:
                _clear(unpacked.root)
                if not store.journal_path(sweep_id).exists():
                    lock.unlink(missing_ok=True)
    problem = None
    try:
        rebuild(sweep_id, store=store, say=say)
    except SweepmarkError as error:
        problem = str(error)
    return Restored(sweep_id, n_new, n_kept, _data(blueprint, history), problem)


def _clear(folder: Path) -> None:
    """Remove what was unpacked, also by a call that was killed."""
    check_folder(folder)
    with environment_errors(folder):
        if folder.exists():
            shutil.rmtree(folder)


def _read(opened: Archive, unpacked: Store, source: Path) -> tuple[History, Blueprint]:
    """Unpack an archive and read the sweep in it with all the checks of a store."""
    opened.unpack(unpacked.root)
    try:
        history, blueprint = read_sweep(unpacked, opened.sweep_id)
        for key in unpacked.evaluations.keys():  # noqa: SIM118 -- of a store
            unpacked.evaluations.verify(key)
            if key not in history.results:
                raise DataError(f"no line of its journal has the evaluation {key}")
        for key, with_model in history.wanted().items():
            digest = history.results[key].digest
            if not unpacked.evaluations.holds(key, digest, with_model=with_model):
                raise DataError(f"it lacks the evaluation {key} as its journal has it")
    except SweepmarkError as error:
        reason = str(error).replace(f"{unpacked.root}/", "")
        raise DataError(f"{source} cannot be restored: {reason}") from None
    return history, blueprint


def _add(unpacked: Store, store: Store, sweep_id: str, history: History) -> tuple[int, int]:
    """Add evaluations and journal; return how many evaluations were added, and were there."""
    journal = unpacked.journal_path(sweep_id).read_bytes()
    target = store.journal_path(sweep_id)
    is_there = os.path.lexists(target)
    with environment_errors(target):
        if is_there and read_regular(target, limit=LARGEST_JOURNAL) != journal:
            command = command_line("forget", sweep_id, store=store.root)
            raise DataError(
                f"{store.root} has another journal of {sweep_id}. Forget that one first, "
                f"`{command}`, or restore into another store: --store PATH."
            )
    n_new = n_kept = 0
    folder = store.root / "evaluations"
    check_folder(folder)
    with environment_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for key in unpacked.evaluations.keys():  # noqa: SIM118 -- of a store
        source = unpacked.root / "evaluations" / key
        with_model = MODEL in read_manifest(source, key).files
        result = history.results[key].digest
        if store.evaluations.find(key, result, with_model=with_model) is not None:
            n_kept += 1
            continue
        name = beside(key, result, with_model=with_model)
        with environment_errors(folder):
            if not give_name(source, folder / key, is_durable=True):
                give_name(source, folder / name, is_durable=True)
        failpoint("restore.evaluation")
        n_new += 1
    if not is_there:
        with environment_errors(target):
            write_file(target, journal)
        failpoint("restore.journal")
    return n_new, n_kept


def _data(blueprint: Blueprint, history: History) -> tuple[DataNote, ...]:
    """Return the data sets of a sweep."""
    configs = [blueprint.config_at(params) for params in samples(blueprint.space)]
    found = {config.data_identity: config.dataset for config in configs}
    digests = history.opened["data"]
    return tuple(
        DataNote(
            name=config.name,
            digest=digests[identity],
            can_be_fetched=config.path is None and bool(config.sources),
            is_here=_is_here(digests[identity]),
        )
        for identity, config in found.items()
        if identity in digests
    )


def _is_here(digest: str) -> bool:
    with suppress(DataError, NotFoundError):
        open_dataset(digest)
        return True
    return False
