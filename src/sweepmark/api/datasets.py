"""Data sets by name, and arrays or frames as data sets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sweepmark.config import Folders, dataset_config
from sweepmark.config.words import override_words
from sweepmark.data import Dataset, load
from sweepmark.data.arrays import keep_arrays
from sweepmark.search.objects import ARRAYS
from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweepmark.config.words import Override

__all__ = ["listed", "load_dataset"]


def load_dataset(
    source: Any,
    *overrides: Override,
    test: tuple[Any, Any] | None = None,
    name: str = ARRAYS,
    image_shape: tuple[int, int] | None = None,
    config_dir: Sequence[str | Path] = (),
) -> Dataset:
    """Return a data set, as memory-mapped arrays; what is not in the cache is fetched first.

    Parameters
    ----------
    source : str, (X, y) or Dataset
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

    Raises
    ------
    sweepmark.errors.ConfigurationError, sweepmark.errors.DataError
        If there is no such data set, no source has its files, or values cannot be kept.

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
    if isinstance(source, Dataset):
        return source
    if not isinstance(source, str):
        return keep_arrays(source, test=test, name=name, image_shape=image_shape)
    config = dataset_config(source, override_words(overrides), Folders.of(listed(config_dir)))
    return load(config, report=lambda line: print(escape(line), file=sys.stderr))  # noqa: T201


def listed(names: Sequence[str | Path] | str | Path) -> tuple[Any, ...]:
    """Return names as a tuple; a single one need not be in a list."""
    return tuple(names) if isinstance(names, list | tuple | set | frozenset) else (names,)
