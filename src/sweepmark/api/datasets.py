"""Data sets by name, and arrays or frames as data sets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweepmark.config import Folders, dataset_config
from sweepmark.config.words import override_words
from sweepmark.data import Dataset, load, published_digest
from sweepmark.data.arrays import keep_arrays
from sweepmark.errors import ConfigurationError
from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.config.words import Override

__all__ = ["listed", "load_dataset", "named_dataset"]


def load_dataset(
    source: Any,
    *overrides: Override,
    test: tuple[Any, Any] | None = None,
    name: str = "arrays",
    image_shape: tuple[int, int] | None = None,
    config_dir: Sequence[str | Path] = (),
) -> Dataset:
    """Return a data set, as memory-mapped arrays; what is not in the cache is fetched first.

    Parameters
    ----------
    source : str, (X, y), or Dataset
        The name of a data set of ``sweepmark data list``; or features and labels, which are kept in
        the cache under the digest of their values. ``X`` is an array or DataFrame of shape
        (n_samples, n_features), or grey images of shape (n_samples, height, width). ``y`` has shape
        (n_samples,): whole numbers, booleans or text; or it is the name of a column of ``X``. Text
        and missing values make a mixed table, as those of a CSV file do.
    *overrides : str or mapping
        With a name: overrides such as ``dataset.path=FILE``.
    test : (X, y), optional
        With arrays: the official test rows. Without, the rows are divided by ``split``.
    name : str, optional
        With arrays: what the data set is called in tables and runs.
    image_shape : (int, int), optional
        With arrays: height and width of the image in each row.
    config_dir : sequence of path, optional
        Folders of your own configurations.

    Returns
    -------
    Dataset
        ``train`` and ``test`` have ``X`` and ``y`` each; ``label_names`` are those of text labels,
        ``digest`` names the content.

    Raises
    ------
    sweepmark.errors.ConfigurationError
        If there is no such data set.
    sweepmark.errors.DataError
        If values cannot be kept, or no source has the files (``FetchError``).

    Examples
    --------
    >>> import sweepmark
    >>> digits = sweepmark.load_dataset("digits")
    >>> digits.train.X.shape, digits.train.X.dtype, digits.image_shape
    ((1797, 64), dtype('uint8'), (8, 8))
    >>> flowers = sweepmark.load_dataset(([[5.1, 3.5], [7.0, 3.2]], ["setosa", "versicolor"]))
    >>> flowers.label_names, flowers.train.y
    (('setosa', 'versicolor'), array([0, 1]))
    """
    if isinstance(source, str):
        words = override_words(overrides)
        config = dataset_config(source, words, Folders.of(listed(config_dir)))
        return load(config, report=_say)
    if isinstance(source, Dataset):
        return source
    return keep_arrays(_pair(source), test=test, name=name, image_shape=image_shape)


def named_dataset(source: Any, folders: Folders) -> str | Mapping[str, Any]:
    """Return what a configuration calls a data set: an option, or its digest in the cache."""
    if isinstance(source, str | Mapping):
        return source
    dataset = load_dataset(source)
    if dataset.name in folders.groups()["dataset"]:
        config = dataset_config(dataset.name, folders=folders)
        if config.format != "cache" and published_digest(config) == dataset.digest:
            return dataset.name
    described = {"name": dataset.name, "format": "cache", "digest": dataset.digest}
    return described | {"sample_size": None}  # sweeps refer to it


def listed(names: Sequence[str | Path] | str | Path) -> tuple[Any, ...]:
    """Return names as a tuple; a single one need not be in a list."""
    return tuple(names) if isinstance(names, list | tuple | set | frozenset) else (names,)


def _pair(source: Any) -> tuple[Any, Any]:
    if isinstance(source, tuple | list) and len(source) == 2:  # noqa: PLR2004 -- (X, y)
        X, y = source
        return X, y
    if hasattr(source, "columns"):
        raise ConfigurationError(
            "a DataFrame must come with its labels: dataset=(frame, 'COLUMN'), where COLUMN is one "
            f"of {', '.join(map(str, list(source.columns)[:8]))}, or dataset=(frame, labels)."
        )
    raise ConfigurationError(
        "dataset must be a name, (X, y), (DataFrame, column) or what sweepmark.load_dataset "
        f"returns, but is of type {type(source).__name__}."
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{escape(line)}\n")
