"""Hydra's fence: composing a configuration tree from groups, a sweep and overrides.

Overrides are checked against what there is before Hydra merges them, so that a wrong name is
answered with the names there are.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from hydra.core.override_parser.types import Override

    from sweepmark.config.folders import Folders

__all__ = ["Composer", "Tree", "lookup", "place", "resolve"]

Tree = dict[str, Any]
"""A configuration as plain values; interpolations still stand as text."""


_PLAIN_POINTER = re.compile(r"\$\{[A-Za-z_][\w.]*\}")
_NOWHERE = object()


class Composer:
    """Composes configurations from a set of folders; a context manager.

    Parameters
    ----------
    folders : Folders
        Ours and the user's own.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.groups = folders.groups()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start Hydra on our folder and mount every sweep as an option of group ``sweep``."""
        from hydra import initialize_config_dir

        self._mount_sweeps()
        main = str(self.folders.main)
        self._stack.enter_context(initialize_config_dir(main, version_base="1.3"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave Hydra as it was."""
        self._stack.close()

    def compose(self, overrides: Sequence[str]) -> Tree:
        """Compose a tree; integers become floats where the default is a float.

        Parameters
        ----------
        overrides : sequence of str
            In Hydra's grammar: ``classifier=knn``, ``split.size=2000``, ``+classifier.tol=1e-4``.

        Raises
        ------
        ConfigurationError
            If a group, option or key does not exist, with those that do.
        """
        parsed = _parse(overrides)
        groups = [item for item in parsed if self._is_group(item)]
        values = [item for item in parsed if not self._is_group(item)]
        for item in groups:
            self._check_option(item)
        defaults = self._compose([_text(item) for item in groups])
        if not values:
            return defaults
        for item in values:
            _check_key(defaults, item)
        replaced = [item for item in values if _replaces_a_list(defaults, item)]
        tree = self._compose([_text(item) for item in (*groups, *values) if item not in replaced])
        for item in replaced:
            place(tree, item.key_or_group, item.value())
        floated: Tree = _as_floats(tree, defaults)
        return floated

    def completions(self, words: Sequence[str]) -> list[str]:
        """Return what the last of some overrides can become, as Hydra completes it."""
        from hydra._internal.core_plugins.bash_completion import BashCompletion
        from hydra.core.global_hydra import GlobalHydra

        completion = BashCompletion(GlobalHydra.instance().config_loader())
        return list(completion._query(config_name="config", line=" ".join(words)))  # noqa: SLF001

    def _compose(self, overrides: list[str]) -> Tree:
        from hydra import compose
        from hydra.errors import HydraException
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        search = [f'"file://{folder}"' for folder in self.folders.extra]
        if search:
            overrides = [f"hydra.searchpath=[{','.join(search)}]", *overrides]
        try:
            tree = OmegaConf.to_container(compose("config", overrides=overrides))
        except (HydraException, OmegaConfBaseException) as error:
            raise ConfigurationError(_first_paragraph(str(error))) from None
        if not isinstance(tree, dict):
            raise ConfigurationError("a configuration must be a mapping.")
        return {str(key): value for key, value in tree.items() if key != "experiment"}

    def _mount_sweeps(self) -> None:
        from hydra.core.config_store import ConfigStore

        for name, file in self.folders.sweeps().items():
            node = _read_yaml(file.path.read_text(encoding="utf-8"), str(file.path))
            sweep = node.setdefault("sweep", {})
            if not isinstance(sweep, dict) or not sweep.get("space"):
                raise ConfigurationError(f"{file.path} must say what is swept in sweep.space.")
            sweep["name"] = name
            ConfigStore.instance().store(
                group="sweep", name=name, node=node, package="_global_", provider="sweeps/"
            )

    def _is_group(self, item: Override) -> bool:
        return item.key_or_group in {*self.groups, "sweep", "experiment"}

    def _check_option(self, item: Override) -> None:
        group, option = item.key_or_group, item.value()
        options = list(self.folders.sweeps() if group == "sweep" else self.groups.get(group, {}))
        if item.is_delete() or not isinstance(option, str) or option not in options:
            if option is None and group == "experiment":
                return
            raise ConfigurationError(unknown_name(group, str(option), options))


def lookup(tree: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """Return the value at a dotted path, or the default if nothing stands there.

    Examples
    --------
    >>> lookup({"split": {"size": 10}}, "split.size")
    10
    """
    node: Any = tree
    for part in path.split("."):
        if not isinstance(node, dict) or part not in node:
            return default
        node = node[part]
    return node


def place(tree: Tree, path: str, value: Any) -> None:
    """Put a value at a dotted path, in place; what stood there is replaced, not merged."""
    *parents, last = path.split(".")
    node = tree
    for part in parents:
        node = node.setdefault(part, {})
    node[last] = deepcopy(value)


def resolve(tree: Tree) -> Tree:
    """Return the tree with its interpolations replaced by what they point at.

    Raises
    ------
    ConfigurationError
        If an interpolation points nowhere.
    """
    resolved: Tree = deepcopy(tree)
    pointers = list(_pointers(resolved))
    if all(_PLAIN_POINTER.fullmatch(text) for _, text in pointers):
        # Nearly every tree: OmegaConf would build a node of its own for each of its values.
        targets = [lookup(resolved, text[2:-1], _NOWHERE) for _, text in pointers]
        if all(_is_final(target) for target in targets):
            for (path, _), target in zip(pointers, targets, strict=True):
                place(resolved, path, target)
            return resolved
    return _resolve_by_omegaconf(tree)


def _pointers(node: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of every value that is, or contains, an interpolation."""
    if isinstance(node, str):
        if "${" in node:
            yield prefix[:-1], node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _pointers(value, f"{prefix}{key}.")
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from _pointers(value, f"{prefix}{position}.")


def _is_final(target: Any) -> bool:
    return target is None or (isinstance(target, str | int | float) and "${" not in str(target))


def _resolve_by_omegaconf(tree: Tree) -> Tree:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        resolved = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigurationError(_first_paragraph(str(error))) from None
    return {str(key): value for key, value in dict(resolved).items()}  # type: ignore[arg-type]


def _parse(overrides: Sequence[str]) -> list[Override]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    parsed = []
    for text in overrides:
        try:
            item = parser.parse_override(text)
        except HydraException as error:
            raise ConfigurationError(
                f"an override must read key=value, but got {text!r}: {_first_paragraph(str(error))}"
            ) from None
        if item.is_sweep_override():
            raise ConfigurationError(
                f"an override must give one value, but got {text!r}. To try several, sweep over "
                f"them: `sweepmark sweep NAME sweep.space.{item.key_or_group}=[…]`."
            )
        if item.key_or_group.partition(".")[0] == "hydra":
            raise ConfigurationError(
                f"Hydra itself is not configured here, but got {text!r}. "
                "Folders of your own come in by --config-dir."
            )
        parsed.append(item)
    return parsed


def _text(item: Override) -> str:
    return str(item.input_line)


def _check_key(tree: Tree, item: Override) -> None:
    """Refuse a key that does not exist, unless the override says that it is to be added."""
    if item.is_add() or item.is_force_add():
        return
    path = item.key_or_group.split(".")
    node: Any = tree
    for depth, part in enumerate(path):
        if not isinstance(node, dict):
            parent = ".".join(path[:depth])
            raise ConfigurationError(
                f"{parent} has no keys below it, but got {_text(item)!r}. Set {parent}=…"
            )
        if part not in node:
            here = ".".join(path[:depth])
            prefix = f"{here}." if here else ""
            raise ConfigurationError(unknown_name("key", prefix + part, [prefix + k for k in node]))
        node = node[part]


def _replaces_a_list(tree: Tree, item: Override) -> bool:
    """Tell whether an override puts a range where a list stands, which Hydra cannot merge."""
    if item.is_delete() or not isinstance(item.value(), dict):
        return False
    return isinstance(lookup(tree, item.key_or_group), list)


def _as_floats(value: Any, default: Any) -> Any:
    if isinstance(value, dict) and isinstance(default, dict):
        return {key: _as_floats(item, default.get(key)) for key, item in value.items()}
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _read_yaml(text: str, where: str) -> dict[str, Any]:
    import yaml

    try:
        node = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{where} must be YAML: {error}") from None
    if not isinstance(node, dict):
        raise ConfigurationError(f"{where} must be a mapping, but is a {type(node).__name__}.")
    return node


def _first_paragraph(text: str) -> str:
    return text.split("\n\n", maxsplit=1)[0].strip()
