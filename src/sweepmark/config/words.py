"""Overrides given as Python values: nested mappings, and groups written out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sweepmark.config.tree import TARGET
from sweepmark.errors import ConfigurationError

__all__ = ["Override", "override_word", "override_words", "quote"]

Override = str | Mapping[str, Any]
"""``"split.size=2000"`` or ``{"split": {"size": 2000}}``."""

_BARE = re.compile(r"[A-Za-z_][\w/.\-]*", re.ASCII)
_KEY = re.compile(r"[\w /\-+.$%*@?|]+", re.ASCII)
_BEFORE_QUOTE = re.compile(r"(\\*)('|$)")
_VALUES = {"true", "false", "null", "none", "nan", "inf"}
_SPACE = "sweep.space"


def override_words(overrides: tuple[Override, ...]) -> list[str]:
    """Return overrides in Hydra's grammar, as the command line takes them.

    A mapping stands for an override for each of its values. Whole values are lists, mappings below
    a group's key (such as class weights), ranges in ``sweep.space``, and groups with a
    ``_target_``.

    Parameters
    ----------
    overrides : tuple of str or mapping
        Strings are taken as they are.

    Raises
    ------
    ConfigurationError
        If one is neither, or has a value that a YAML cannot name.

    Examples
    --------
    >>> override_words(("classifier=knn", {"split": {"size": 2000, "seed": 1}, "seed": 3}))
    ['classifier=knn', 'split.size=2000', 'split.seed=1', 'seed=3']
    >>> override_words(({"sweep": {"space": {"classifier": {"C": [0.1, 10]}}}},))
    ['++sweep.space.classifier.C=[0.1,10]']
    """
    words: list[str] = []
    for override in overrides:
        if isinstance(override, str):
            words.append(override)
        elif isinstance(override, Mapping):
            words += _flattened(override, "")
        else:
            raise ConfigurationError(
                f"an override must be text such as 'split.size=2000' or a mapping such as "
                f"{{'split': {{'size': 2000}}}}, but got {override!r}."
            )
    return words


def override_word(key: str, value: Any) -> str:
    r"""Return the override that sets a key to a value.

    Examples
    --------
    >>> override_word("classifier", {"_target_": "sklearn.svm.SVC", "C": 1e-05, "gamma": "it's"})
    "classifier={_target_:sklearn.svm.SVC,C:1e-05,gamma:'it\\'s'}"
    """
    return f"{key}={_written(value, key)}"


def _flattened(node: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if not isinstance(value, Mapping) or _is_whole_group(path, value):
            is_space = path.startswith(f"{_SPACE}.")
            yield override_word(f"++{path}" if is_space else path, value)
        elif "." not in path or _is_inside_space(path, value):
            yield from _flattened(value, f"{path}.")
        else:
            yield override_word(path if path[0] in "+~" else f"++{path}", value)


def _is_whole_group(path: str, value: Mapping[str, Any]) -> bool:
    """Return whether a mapping is a component, or steps of preprocessing that are."""
    below = [value, *value.values()]
    return "." not in path and any(isinstance(each, Mapping) and TARGET in each for each in below)


def _is_inside_space(path: str, value: Mapping[str, Any]) -> bool:
    is_range = "low" in value or "high" in value
    return f"{path}.".startswith(f"{_SPACE}.") and not is_range


def _written(value: Any, key: str) -> str:
    """Return a value in Hydra's grammar (https://hydra.cc/docs/advanced/override_grammar/basic)."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()  # a number of NumPy's
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and value.lower() not in _VALUES else quote(value)
    if isinstance(value, Mapping):
        pairs = (f"{_key(each, key)}:{_written(item, key)}" for each, item in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_written(item, key) for item in value)}]"
    raise ConfigurationError(
        f"{key} must be a number, text, list, mapping or None, but is of type "
        f"{type(value).__name__}. Estimators are given by classifier=, arrays by dataset=."
    )


def quote(text: str) -> str:
    """Quote a text; a backslash counts only before a quote, or at the end."""
    escaped = _BEFORE_QUOTE.sub(lambda found: found[1] * 2 + found[2].replace("'", r"\'"), text)
    return f"'{escaped}'"


def _key(key: Any, place: str) -> str:
    text = str(key)
    if not _KEY.fullmatch(text):
        raise ConfigurationError(
            f"{place}: a key must be of letters, digits, spaces and -+.$%*@?|/, but got {text!r}. "
            "Write it in a YAML and give its folder: config_dir=."
        )
    return text.replace(" ", r"\ ")
