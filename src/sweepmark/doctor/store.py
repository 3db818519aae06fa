"""Checks of a store: journals, evaluations, and leftovers of killed processes."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from sweepmark.doctor.finding import note, ok, problem
from sweepmark.errors import StoreError, SweepmarkError
from sweepmark.report.replay import read_sweep
from sweepmark.store import is_owned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweepmark.doctor.finding import Finding
    from sweepmark.store import Store

__all__ = ["examine_store"]

_MOST_NAMED = 10


def examine_store(store: Store, *, full: bool) -> list[Finding]:
    """Check the folder, every journal, every evaluation and leftovers."""
    try:
        store.check()
    except SweepmarkError as error:
        return [problem("store", str(error))]
    if not store.root.is_dir():
        return [note("store", f"{store.root} is made when it is first needed")]
    try:
        return [
            ok("store", f"{store.root} can be written to"),
            *_sweeps(store),
            *_no_journals(store),
            *_evaluations(store, full=full),
            *_left_over(store),
        ]
    except StoreError as error:
        return [problem("store", str(error))]


def _sweeps(store: Store) -> list[Finding]:
    findings: list[Finding] = []
    n_right = 0
    for sweep_id in store.sweep_ids():
        finding = _sweep(store, sweep_id)
        if finding is None:
            n_right += 1
        else:
            findings.append(finding)
    return [*findings, ok("sweeps", f"{n_right} complete")]


def _sweep(store: Store, sweep_id: str) -> Finding | None:
    path = store.journal_path(sweep_id)
    if is_owned(store.lock_path(sweep_id)):
        return note("sweep", f"{sweep_id} is running")
    try:
        history, blueprint = read_sweep(store, sweep_id)
    except SweepmarkError as error:
        return problem("sweep", str(error), "mv", str(path), f"{path}.damaged")
    resume = ("sweepmark", "resume", sweep_id)
    if not history.is_complete:
        kind = "run" if blueprint.is_run else "sweep"
        text = f"{sweep_id} was interrupted after {len(history.outcomes)} trials"
        return problem(kind, f"{text} (or give it up: remove {path})", *resume)
    wanted = history.wanted()
    lacking = [
        key
        for key, with_model in wanted.items()
        if not store.evaluations.holds(key, history.results[key].digest, with_model=with_model)
    ]
    if lacking:
        text = f"{sweep_id} lacks {len(lacking)} of its {len(wanted)} evaluations"
        return problem("sweep", text, *resume)
    return None


def _no_journals(store: Store) -> Iterator[Finding]:
    """Yield findings on links, pipes and devices that have the name of a journal."""
    for path in sorted((store.root / "sweeps").glob("*.jsonl")):
        if not stat.S_ISREG(path.lstat().st_mode):
            yield problem("sweep", f"{path} is no file of its own", "rm", "-r", str(path))


def _evaluations(store: Store, *, full: bool) -> Iterator[Finding]:
    names = store.evaluations.keys()
    damaged = []
    strangers: list[Path] = []
    for name in names:
        try:
            store.evaluations.verify(name, full=full)
            strangers += store.evaluations.strangers(name) if full else []
        except SweepmarkError as error:
            damaged.append((name, str(error)))
    wanted_by = _wanted_by(store) if damaged else {}
    for name, text in damaged[:_MOST_NAMED]:
        sweep_id = wanted_by.get(name.partition(".")[0])
        remove = ("rm", "-r", str(store.root / "evaluations" / name))
        yield problem(
            "evaluation", text, *(("sweepmark", "resume", sweep_id) if sweep_id else remove)
        )
    if len(damaged) > _MOST_NAMED:
        yield problem("evaluation", f"{len(damaged) - _MOST_NAMED} more are damaged")
    if strangers:
        text = f"{len(strangers)} files lie among those of evaluations and are never read"
        yield note("strangers", text, "rm", "-r", *map(str, strangers[:_MOST_NAMED]))
    how = "read whole" if full else "figures read; --full reads all"
    yield ok("evaluations", f"{len(names) - len(damaged)} ({how})")


def _wanted_by(store: Store) -> dict[str, str]:
    """Return, by key, the sweep whose resume computes an evaluation again."""
    found = {}
    for sweep_id in store.sweep_ids():
        try:
            history, _ = read_sweep(store, sweep_id)
        except SweepmarkError:
            continue  # reported already
        found.update(dict.fromkeys(history.wanted(), sweep_id))
    return found


def _left_over(store: Store) -> Iterator[Finding]:
    """Yield findings on leftovers of damage and kills; a running sweep may still need its own."""
    if aside := sorted((store.root / "evaluations").glob(".damaged-*")):
        text = f"{len(aside)} damaged evaluations were set aside and have been replaced"
        yield note("set aside", text, "rm", "-r", *map(str, aside[:_MOST_NAMED]))
    if any(is_owned(store.lock_path(sweep_id)) for sweep_id in store.sweep_ids()):
        return
    left = [
        *(store.root / "evaluations").glob(".tmp-*"),
        *(store.root / "evaluations").glob("[!.]*/.*"),
        *(store.root / "sweeps").glob(".*"),
        *(path for path in store.root.glob(".*.db.new*")),
        *(store.root / "artifacts").glob("*/artifacts/.*.new"),
    ]
    # The target of a link must not be removed.
    left = [path for path in left if not _leads_out(path.parent, store.root)]
    if left:
        text = f"{len(left)} unfinished files that a kill left behind, {_size(left):,} bytes"
        yield note("left over", text, "rm", "-r", *map(str, sorted(left)[:_MOST_NAMED]))


def _leads_out(folder: Path, root: Path) -> bool:
    """Return whether a path to a folder below a store goes through a link."""
    within = (folder, *folder.parents)
    return any(one.is_symlink() for one in within[: within.index(root)])


def _size(paths: list[Path]) -> int:
    found = [file.lstat() for path in paths for file in (path, *path.rglob("*"))]
    return sum(one.st_size for one in found if stat.S_ISREG(one.st_mode))
