"""The command that sweeps over what was given to a single evaluation as several values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.config.folders import EXPERIMENT
from sweepmark.config.overrides import written
from sweepmark.config.reading import read_document
from sweepmark.config.tree import lookup
from sweepmark.errors import ConfigurationError, command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hydra.core.override_parser.types import Override

    from sweepmark.config.folders import Folders

__all__ = ["check_single", "sweep_command"]

_ANY = "classifiers"
"""The sweep whose space is replaced where none was named."""

_OF_EXPERIMENTS = "reference"
"""That over published experiments."""

_SWEEP = "sweep="


def check_single(parsed: Sequence[Override], folders: Folders) -> None:
    """Raise if an override gives several values, such as ``classifier=knn,svc``.

    Raises
    ------
    ConfigurationError
        With the command that sweeps over them.
    """
    for item in parsed:
        if item.is_sweep_override():
            command = sweep_command(parsed, folders)
            advice = f": `{command}`" if command else f", in sweep.space.{item.key_or_group}"
            raise ConfigurationError(
                f"an override must give one value, but got {written(item)!r}. To try several, "
                f"sweep over them{advice}."
            )


def sweep_command(parsed: Sequence[Override], folders: Folders) -> str | None:
    """Return the command for overrides of which some give several values, such as ``C=1,2``.

    None where these are no list (an interval, a pattern of options), or where options and their
    parameters are both several, which a space has in another form.

    Parameters
    ----------
    parsed : sequence of Override
        All of a command line; a sweep is named by ``sweep=NAME``.
    folders : Folders
        Where sweeps and groups are.
    """
    several = [item for item in parsed if item.is_sweep_override()]
    keys = [item.key_or_group for item in several]
    if any(key.partition(".")[0] in keys for key in keys if "." in key):
        return None
    if not all(item.is_discrete_sweep() and "glob(" not in written(item) for item in several):
        return None
    others = [written(item) for item in parsed if item not in several]
    named = [word.removeprefix(_SWEEP) for word in others if word.startswith(_SWEEP)]
    name = named[0] if named else _OF_EXPERIMENTS if EXPERIMENT in keys else _ANY
    if name not in folders.sweeps():
        return None
    space = lookup(read_document(folders.sweeps()[name].path), "sweep.space", {})
    words = [word for word in others if not word.startswith(_SWEEP)]
    asked = {item.key_or_group.partition(".")[0] for item in several}
    if not named:
        words += [f"~sweep.space.{group}" for group in space if group not in asked]
        words += ["sweep.objective=null"] if "evaluation=test" in words else []
    for item in several:
        is_group = item.key_or_group in folders.groups()
        if (group := _clash(item, space, is_group=is_group)) is not None:
            place = f"sweep.space.{group}"
            words = [word for word in words if not word.lstrip("+~").startswith(f"{place}.")]
            words.append(f"~{place}")
            space = {name: node for name, node in space.items() if name != group}
        words += _axis(item, space, is_group=is_group)
    return command_line("sweep", name, *words, config_dirs=folders.extra)


def _clash(item: Override, space: Mapping[str, Any], *, is_group: bool) -> str | None:
    """Return the group of an override if a space has options of it, or else its parameters."""
    group = str(item.key_or_group).partition(".")[0]
    present = space.get(group)
    return group if isinstance(present, dict) and is_group != ("option" in present) else None


def _axis(item: Override, space: Mapping[str, Any], *, is_group: bool) -> Iterator[str]:
    """Yield the override that makes several values an axis of a space, which needs a default."""
    from hydra.core.override_parser.types import Transformer

    key = item.key_or_group
    values = [str(value) for value in item.sweep_iterator(transformer=Transformer.encode)]
    path = f"{key}.option" if is_group else key
    if item.is_add() or item.is_force_add():
        yield f"++{key}={values[0]}"
    is_new = lookup(dict(space), path) is None
    yield f"{'+' if is_new else ''}sweep.space.{path}=[{','.join(values)}]"
