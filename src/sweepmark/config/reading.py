"""YAML files as plain values, read as Hydra reads them and bounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["LARGEST_DOCUMENT", "overridden_groups", "read_document"]

LARGEST_DOCUMENT = 100_000
"""Values that one file may stand for: aliases of aliases multiply."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; interpolations stay text.

    Raises
    ------
    ConfigurationError
        If it is no YAML, no mapping, or stands for too many values.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} must be YAML in UTF-8: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} must be a mapping, but is a {type(document).__name__}.")
    if _count(document, {}) > LARGEST_DOCUMENT:
        raise ConfigurationError(
            f"{path} must stand for at most {LARGEST_DOCUMENT:,} values, but its aliases multiply "
            "to more. Write them out."
        )
    try:  # Hydra's YAML knows 1e-3 as a number and no key twice
        container = OmegaConf.to_container(OmegaConf.create(text))
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    return {str(key): value for key, value in dict(container).items()}  # type: ignore[arg-type]


def overridden_groups(document: Mapping[str, Any]) -> set[str]:
    """Return the config groups whose option a sweep or an experiment chooses.

    Examples
    --------
    >>> sorted(overridden_groups({"defaults": [{"override /classifier": "svc"}, "_self_"]}))
    ['classifier']
    """
    entries = document.get("defaults") or []
    keys = [str(key) for entry in entries if isinstance(entry, dict) for key in entry]
    return {key.removeprefix("override ").strip(" /") for key in keys if key.startswith("override")}


def _count(node: Any, known: dict[int, float]) -> float:
    """Return how many values a node stands for, without going through the same node twice."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf  # what contains itself
        items = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_count(item, known) for item in items)
    return known[id(node)]
