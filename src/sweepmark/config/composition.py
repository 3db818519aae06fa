"""Composition of a configuration tree from groups, a sweep and overrides, by Hydra.

Overrides are checked before Hydra merges them, so that errors can list the valid names.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sweepmark.config.folders import EXPERIMENT
from sweepmark.config.hydra_state import own_hydra
from sweepmark.config.overrides import (
    GLOBAL_GROUPS,
    changes_kind,
    check_key,
    first_paragraph,
    is_change,
    is_no_choice,
    is_plain,
    parse_overrides,
    written,
)
from sweepmark.config.reading import chosen_groups, overridden_groups, read_document
from sweepmark.config.tree import Tree, as_floats, place, plain
from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from hydra.core.override_parser.types import Override

    from sweepmark.config.folders import Folders

__all__ = ["Composer"]

_CHAIN = "preprocess"
"""The group that takes several options; their steps are applied in the order given."""

_NAME = re.compile(r"[\w.\-]+")

_WRITTEN_OUT = "written_out:"
"""Begins the names of options that an override writes out; no file has such a name."""

_DATASET = {"sample_size": None, "divisor": 256.0}
"""Keys of a data set that interpolations refer to, and its YAML may omit."""

_SWEEP = {
    "objective": None,
    "direction": None,
    "n_trials": None,
    "timeout": None,
    "target": None,
    "allow_large": False,
}
"""Keys that a sweep's YAML may omit; they can still be set on the command line."""


class Composer:
    """Composes configurations from a set of folders; a context manager.

    Parameters
    ----------
    folders : Folders
        The package's folders and the user's own.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.groups = folders.groups()
        self._stack = ExitStack()
        self._documents: dict[Path, Tree] = {}

    def __enter__(self) -> Self:
        """Initialise Hydra on ``conf/`` and add every sweep as an option of group ``sweep``."""
        with ExitStack() as stack:
            stack.enter_context(own_hydra(str(self.folders.main), {*self.groups, *GLOBAL_GROUPS}))
            self._mount_sweeps()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Restore Hydra's global state."""
        self._stack.close()

    def compose(self, overrides: Sequence[str]) -> Tree:
        """Compose a tree; integers of our own keys become floats if the default is a float.

        Parameters
        ----------
        overrides : sequence of str
            In Hydra's grammar: ``classifier=knn``, ``split.size=2000``, ``+classifier.tol=1e-4``. A
            group may be written out: ``classifier={_target_:sklearn.svm.SVC,C:10}``.

        Raises
        ------
        ConfigurationError
            If a group, option or key does not exist; the message lists those that do.
        """
        parsed = [
            self._mounted(item) for item in parse_overrides(overrides) if not is_no_choice(item)
        ]
        groups = [item for item in parsed if self._is_group(item)]
        values = [item for item in parsed if not self._is_group(item)]
        for item in groups:
            self._check_option(item)
        self._check_parts(groups)
        chosen, options = self._compose(map(written, groups))
        if (chain := self._chain(groups)) is not None:
            self._check_chain(chain)
            options[_CHAIN] = chain
        for item in values:
            check_key(chosen, item)
        # Hydra would do no more than set the value, and composing again is slow.
        placed = values
        if not all(map(is_plain, values)):
            placed = [item for item in values if changes_kind(chosen, item)]
        merged = [item for item in values if item not in placed]
        tree = self._compose(map(written, (*groups, *merged)))[0] if merged else deepcopy(chosen)
        for item in placed:
            place(tree, item.key_or_group, plain(item.value()))
        floated: Tree = as_floats(as_floats(tree, chosen), self._defaults(options))
        return floated

    def completions(self, overrides: Sequence[str], last: str) -> list[str]:
        """Return Hydra's completions of an override, without Hydra's own groups.

        Parameters
        ----------
        overrides : sequence of str
            The preceding overrides, which determine the available keys.
        last : str
            The override to complete.
        """
        from hydra._internal.core_plugins.bash_completion import BashCompletion
        from hydra.core.global_hydra import GlobalHydra
        from hydra.errors import HydraException

        completion = BashCompletion(GlobalHydra.instance().config_loader())
        words = " ".join([*self._search_path(), *overrides, last])
        try:
            found = completion._query(config_name="config", line=words)  # noqa: SLF001
        except HydraException:  # the preceding overrides cannot be composed
            return []
        foreign = {"hydra", "hydra.", "sweep="} | ({EXPERIMENT} - self.groups.keys())
        return [item for item in found if item not in foreign]

    def _search_path(self) -> list[str]:
        """Return the override that adds the user's own folders to Hydra's search path."""
        search = [f'"file://{folder}"' for folder in self.folders.extra]
        return [f"hydra.searchpath=[{','.join(search)}]"] if search else []

    def _compose(self, overrides: Iterable[str]) -> tuple[Tree, dict[str, Any]]:
        """Return the tree and the chosen option of each group."""
        from hydra import compose
        from hydra.errors import HydraException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        everything = [*self._search_path(), *overrides]
        try:
            composed = compose("config", overrides=everything, return_hydra_config=True)
            options = dict(composed.hydra.runtime.choices)
            ours = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
            tree: Tree = plain(OmegaConf.to_container(ours))
            for key, value in _DATASET.items():
                tree["dataset"].setdefault(key, value)
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigurationError(first_paragraph(str(error))) from None
        return tree, options

    def _defaults(self, options: Mapping[str, Any]) -> Tree:
        """Return the groups' own defaults, if a sweep or an experiment is chosen; else nothing."""
        if not any(options.get(group) for group in GLOBAL_GROUPS):
            return {}
        defaults: Tree = {}
        for group in self.groups:
            chosen = options.get(group)
            for option in chosen if isinstance(chosen, list) else [chosen]:
                if group not in GLOBAL_GROUPS and option in self.groups[group]:
                    defaults[group] = defaults.get(group, {}) | self._read_option(group, option)
        return defaults

    def _chain(self, groups: Sequence[Override]) -> list[str] | None:
        """Return the chain that was chosen, by the command line first; Hydra does not report it."""
        chosen = {item.key_or_group: item.value() for item in groups}
        parts = [
            overridden_groups(self._read_option(name, str(chosen[name])))
            for name in GLOBAL_GROUPS
            if name in chosen
        ]
        found = next((part[_CHAIN] for part in (chosen, *parts) if _CHAIN in part), None)
        return [str(option) for option in found] if isinstance(found, list) else None

    def _check_chain(self, chain: Sequence[str]) -> None:
        """Raise if two options have a step of the same name: Hydra would merge them into one."""
        owners: dict[str, str] = {}
        for option in chain:
            for step in self._read_option(_CHAIN, option):
                if step in owners:
                    raise ConfigurationError(
                        f"each step of a chain must stand once, but {owners[step]} and {option} "
                        f"both have a step {step!r}, got {_CHAIN}=[{','.join(chain)}]."
                    )
                owners[step] = option

    def _read(self, path: Path) -> Tree:
        if path not in self._documents:
            self._documents[path] = read_document(path)
        return self._documents[path]

    def _check_parts(self, groups: Sequence[Override]) -> None:
        """Raise if a sweep and an experiment choose for one group: Hydra would drop one."""
        chosen = {item.key_or_group: str(item.value()) for item in groups}
        if not all(group in chosen for group in GLOBAL_GROUPS):
            return
        both = [
            set(overridden_groups(self._read_option(name, chosen[name]))) for name in GLOBAL_GROUPS
        ]
        clash = sorted(set.intersection(*both) - set(chosen))
        if clash:
            raise ConfigurationError(
                f"a group must be chosen once, but sweep={chosen['sweep']} and experiment="
                f"{chosen['experiment']} both choose {', '.join(clash)}. Say which on the command "
                f"line: {clash[0]}=…"
            )

    def _read_option(self, group: str, option: str) -> Tree:
        return self._read(self._path(group, option))

    def _mount_sweeps(self) -> None:
        from hydra.core.config_store import ConfigStore

        for path in self.folders.own_files():
            document = self._read(path)  # refuses files that Hydra would not finish
            self._check_defaults(path, document)
        for name, file in self.folders.sweeps().items():
            if not _NAME.fullmatch(name):
                raise ConfigurationError(
                    f"{file.path} must be called by letters, digits, '_', '-' and '.' only: its "
                    "name becomes part of other names. Rename it."
                )
            node = deepcopy(self._read(file.path))
            sweep = node.get("sweep")
            if not isinstance(sweep, dict) or not isinstance(sweep.get("space"), dict):
                raise ConfigurationError(f"{file.path} must say what is swept in sweep.space.")
            node["sweep"] = _SWEEP | sweep | {"name": name}
            ConfigStore.instance().store(
                group="sweep", name=name, node=node, package="_global_", provider="sweeps/"
            )

    def _mounted(self, item: Override) -> Override:
        """Return an override that writes a group out as one that chooses an option."""
        from hydra.core.config_store import ConfigStore

        group, value = item.key_or_group, item.value()
        is_choice = group in self.groups and group not in GLOBAL_GROUPS and not is_change(item)
        if not is_choice or not isinstance(value, dict):
            return item
        text = json.dumps(plain(value))
        name = f"{_WRITTEN_OUT}{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        ConfigStore.instance().store(group=group, name=name, node=plain(value))
        (chosen,) = parse_overrides([f"{group}={name}"])
        return chosen

    def _check_defaults(self, path: Path, document: Tree) -> None:
        """Raise if a defaults list names files outside the known folders, which are unchecked."""
        for group in chosen_groups(document):
            if group not in {*self.groups, *GLOBAL_GROUPS}:
                known = [*self.groups, *GLOBAL_GROUPS]
                raise ConfigurationError(f"{path}: {unknown_name('group', group, known)}")

    def _path(self, group: str, option: str) -> Path:
        if group == "sweep":
            return self.folders.sweeps()[option].path
        return self.folders.option_path(group, option)

    def _options(self, group: str) -> list[str]:
        return list(self.folders.sweeps() if group == "sweep" else self.groups.get(group, {}))

    def _is_group(self, item: Override) -> bool:
        return item.key_or_group in {*self.groups, *GLOBAL_GROUPS}

    def _check_option(self, item: Override) -> None:
        group, option = item.key_or_group, item.value()
        options = self._options(group)
        if item.is_delete():
            raise ConfigurationError(
                f"group {group} must have an option, but got {written(item)!r}. "
                f"Set {group}=… to one of {', '.join(options)}."
            )
        listed = option if group == _CHAIN and isinstance(option, list) and option else [option]
        for name in listed:
            known = isinstance(name, str) and (name in options or name.startswith(_WRITTEN_OUT))
            if not known:
                raise ConfigurationError(unknown_name(group, str(name), options))
        if item.is_add() and group not in GLOBAL_GROUPS:
            raise ConfigurationError(
                f"group {group} has an option already, so nothing can be added, but got "
                f"{written(item)!r}. Set {group}={option}."
            )
