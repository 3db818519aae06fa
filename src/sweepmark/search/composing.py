"""The configurations of a sweep: one for each combination of the options that it sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.commands import command_line
from sweepmark.config import lookup, place, resolve
from sweepmark.config.folders import EXPERIMENT
from sweepmark.errors import ConfigurationError
from sweepmark.scores.directions import direction
from sweepmark.search.deduction import Deduced, deduce
from sweepmark.search.parsing import combinations
from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config import Composer, Tree

__all__ = ["OF_DATA", "compose_trees"]

OF_DATA = frozenset({"dataset", EXPERIMENT})
"""The groups whose options say which data set it is."""


def compose_trees(
    composer: Composer, sweep: str | None, overrides: Sequence[str]
) -> tuple[dict[str, Tree], tuple[str, ...]]:
    """Return the trees of a command line, and what is to be said of its data.

    Parameters
    ----------
    composer : Composer
        An open one.
    sweep : str or None
        The name of a sweep; None for a single run.
    overrides : sequence of str
        As typed.

    Returns
    -------
    trees : dict of str to tree
        By canonical JSON of each combination of options; ``{}`` is the configuration as a whole.
    notes : tuple of str
        What was found out of the data.

    Raises
    ------
    SweepmarkError
        If an override or the data are wrong.
    """
    for override in overrides:
        if _key(override) == "sweep":
            name = override.partition("=")[2]
            others = [word for word in overrides if word != override]
            words = [name, *others] if name in composer.folders.sweeps() else ["--list"]
            command = command_line("sweep", *words, config_dirs=composer.folders.extra)
            raise ConfigurationError(
                f"a sweep is named where it is started, but got {override!r}. Take `{command}`."
            )
    typed = [*([] if sweep is None else [f"sweep={sweep}"]), *overrides]
    base, deduced = _compose(composer, sweep, typed)
    trees, notes = {canonical_json({}): base}, dict.fromkeys(deduced.notes)
    if sweep is None:
        return trees, deduced.notes
    groups, chosen = combinations(base)
    for override in overrides:
        if (group := _key(override)) in groups:
            raise ConfigurationError(
                f"{sweep} sweeps the options of {group}, so {override!r} would be lost. "
                f"Set sweep.space.{group}.option=[…] instead."
            )
    for combination in chosen:
        options = [*typed, *(f"{group}={option}" for group, option in combination.items())]
        if OF_DATA & set(combination):
            tree, found = _compose(composer, sweep, options)
            notes |= dict.fromkeys(found.notes)
        else:
            tree = composer.compose([*options, *deduced.words])
        trees[canonical_json(combination)] = tree
    for tree in trees.values():
        _settle_direction(tree)
    return trees, tuple(notes)


def _compose(
    composer: Composer, sweep: str | None, overrides: Sequence[str]
) -> tuple[Tree, Deduced]:
    """Return the tree of overrides and of what its data decide."""
    tree = composer.compose(overrides)
    deduced = deduce(tree, overrides, sweep=sweep, folders=composer.folders)
    return (composer.compose([*overrides, *deduced.words]) if deduced.words else tree), deduced


def _key(override: str) -> str:
    """Return the group or path that an override sets."""
    return override.partition("=")[0].strip("+~").partition("@")[0]


def _settle_direction(tree: Tree) -> None:
    """Fill in the objective's own direction if none is given.

    So the configuration shown, the journal and the sweep's key include the direction. A metric
    without one is rejected later.
    """
    objective = lookup(resolve(tree), "sweep.objective")
    if isinstance(objective, str) and lookup(tree, "sweep.direction") is None:
        place(tree, "sweep.direction", direction(objective))
