"""Estimators, arrays and mappings of a Python program as the overrides of a command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweepmark.config import Folders, dataset_config
from sweepmark.config.reading import overridden_groups, read_document
from sweepmark.config.words import override_word, override_words
from sweepmark.data import Dataset, open_dataset, published_digest
from sweepmark.data.arrays import keep_arrays
from sweepmark.specification.naming import name_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.config.words import Override

__all__ = ["ARRAYS", "object_words"]

ARRAYS = "arrays"
"""What a data set of arrays is called, unless it is given a name."""

_PREPROCESSING = {"preprocess", "experiment"}
"""The groups that choose preprocessing."""


def object_words(  # noqa: PLR0913 -- each may be given or not
    overrides: tuple[Override, ...],
    classifier: Any,
    dataset: Any,
    *,
    sweep: str | None,
    folders: Folders,
    trusted: Sequence[str],
) -> list[str]:
    """Return overrides in Hydra's grammar, those of the objects last.

    Parameters
    ----------
    overrides : tuple of str or mapping
        As :func:`sweepmark.config.words.override_words` takes them.
    classifier : str, mapping, estimator or None
        An option, a component, or an object that is named by its class and parameters.
    dataset : str, mapping, (X, y), Dataset or None
        An option, or rows that are kept in the cache and named by their digest. Arrays are not
        preprocessed unless something else chooses it, for the default is for pixels.
    sweep : str or None
        The sweep, which may choose options.
    folders : Folders
        The options that there are.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Raises
    ------
    ConfigurationError, DataError
        If an object cannot be named; nothing was started.
    """
    words = override_words(overrides)
    chosen = {word.partition("=")[0] for word in words} | _chosen_by(sweep, folders)
    if dataset is not None:
        named = _named_dataset(dataset, folders)
        words.append(override_word("dataset", named))
        is_plain = isinstance(named, str) or hasattr(classifier, "steps")
        if not is_plain and not chosen & _PREPROCESSING and not _is_frame(dataset, named):
            words.append("preprocess=none")
    if isinstance(classifier, str | Mapping):
        words.append(override_word("classifier", classifier))
    elif classifier is not None:
        component, steps = name_recipe(classifier, options=_components(folders), trusted=trusted)
        words.append(override_word("classifier", component))
        if steps is not None:
            words.append(override_word("preprocess", steps or "none"))
    return words


def _named_dataset(source: Any, folders: Folders) -> str | Mapping[str, Any]:
    """Return what a configuration calls a data set: an option, or its digest in the cache."""
    if isinstance(source, str | Mapping):
        return source
    dataset = source if isinstance(source, Dataset) else keep_arrays(source, name=ARRAYS)
    if dataset.name in folders.groups()["dataset"]:
        config = dataset_config(dataset.name, folders=folders)
        if config.format != "cache" and published_digest(config) == dataset.digest:
            return dataset.name
    return {"name": dataset.name, "format": "cache", "digest": dataset.digest}


def _is_frame(source: Any, named: str | Mapping[str, Any]) -> bool:
    """Return whether rows that were given are a mixed table, for which there is a default."""
    if isinstance(source, str | Mapping) or isinstance(named, str):
        return False
    return open_dataset(str(named["digest"])).is_frame


def _chosen_by(sweep: str | None, folders: Folders) -> set[str]:
    """Return the groups that a sweep's YAML chooses options of."""
    path = None if sweep is None else folders.sweeps()[sweep].path
    return set() if path is None else set(overridden_groups(read_document(path)))


def _components(folders: Folders) -> list[dict[str, Any]]:
    """Return the components that the options of classifier and preprocess name."""
    groups = folders.groups()
    classifiers, steps = (
        [read_document(folders.option_path(group, option)) for option in groups[group]]
        for group in ("classifier", "preprocess")
    )
    return [*classifiers, *(step for each in steps for step in each.values())]
