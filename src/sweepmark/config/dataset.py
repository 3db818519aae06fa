"""The schema of group ``dataset``: what the data are and where they can be found."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Mapping  # noqa: TC003 -- validation reads the fields' types
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Gt

from sweepmark.config.registry import SOURCES
from sweepmark.config.rules import Check, Positive, Text, matching

__all__ = [
    "PLACES",
    "DatasetConfig",
    "FileConfig",
    "dataset_identity",
]

_FILE_NAME = re.compile(r"[A-Za-z0-9_][\w.\-]{0,100}")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_SEPARATOR = re.compile(r"tab|[^\w\s\"'.+-]|[\t ]")


def _check_encoding(name: str) -> None:
    """Raise ValueError unless Python knows an encoding of text by this name."""
    try:
        codecs.lookup(name)
        "a".encode(name)
    except (LookupError, ValueError):
        raise ValueError(
            "must be an encoding that Python knows, such as utf-8, utf-16, latin-1, cp1252 or "
            "shift_jis"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """One file of a data set: its decompressed name, and size and SHA-256 of that content.

    No more than ``size`` bytes are read from a source, which guards against gzip bombs.
    """

    name: Annotated[str, matching(_FILE_NAME, "must be a plain file name")]
    size: Positive
    sha256: Annotated[str, matching(_SHA256, "must be 64 hexadecimal digits")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Group ``dataset``: what the data are and where they can be found.

    Attributes
    ----------
    name : str
        What the data set is called in tables and runs.
    format : {"idx", "csv", "openml", "cache"}
        ``idx``: two or four files as those of the MNIST family. ``csv``: a table with a column of
        labels; as a file of one's own CSV, Parquet, Feather or npz. ``openml``: a data set of
        OpenML by its name. ``cache``: arrays or frames that a Python program gave, by their digest.
    path : str or None
        A local folder with the four IDX files, gzipped or not, or a local file with a table;
        nothing is downloaded then.
    test_path : str or None
        A second table, with the official test rows.
    divisor : float
        What ``preprocess=scale`` divides pixels by.
    sample_size : int or None
        The default size in sweeps; None is the whole data set.
    image_shape : sequence of two int, or None
        Height and width of the image in each row of a table.
    n_classes : int or None
        With it, the labels of a table must be in [0, n_classes).
    label : str or None
        The column of the labels; None is the first, or OpenML's default target.
    header : bool or None
        Whether the first line of a CSV file names the columns; None detects it.
    separator : str or None
        The character between the cells of a CSV file, or ``tab``; None detects it.
    decimal : {".", ","} or None
        The decimal point of a CSV file's numbers; None detects it.
    encoding : str or None
        The encoding of a CSV file by Python's name; None is UTF-8, or what a byte order mark says.
    drop : sequence of str
        Columns of a table that are left out of its features.
    table : {"auto", "numeric", "mixed"}
        ``numeric``: every feature is a finite number. ``mixed``: text and missing values are kept.
        ``auto`` of a CSV file: numeric if it can be, else mixed; found out before a sweep begins.
    types : mapping of str to {"number", "text"}
        Types of columns of a mixed table, where their cells are ambiguous.
    missing : sequence of str
        Cell texts of a mixed table that mean a missing value.
    version : int or None
        OpenML's version of the data set; None is the active one.
    digest : str or None
        The digest of a data set that is in the cache already.
    files : mapping of str to FileConfig
        ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``; of a table
        ``train_table`` and ``test_table``.
    sources : mapping of str to options, or None
        Where the files can be found, in the order of the attempts: names of
        :data:`sweepmark.config.registry.SOURCES` with the ``options`` of each; None leaves one out.
    """

    name: Text
    format: Literal["idx", "csv", "openml", "cache"]
    path: Text | None = None
    test_path: Text | None = None
    sample_size: Positive | None = None
    divisor: Annotated[float, Gt(0)] = 256.0
    image_shape: tuple[Positive, Positive] | None = None
    n_classes: Annotated[int, Gt(1)] | None = None
    label: Text | None = None
    header: bool | None = None
    separator: (
        Annotated[
            str, matching(_SEPARATOR, "must be one character such as ; or |, a space, or tab")
        ]
        | None
    ) = None
    decimal: Literal[".", ","] | None = None
    encoding: Annotated[str, Check(_check_encoding)] | None = None
    drop: tuple[str, ...] = ()
    table: Literal["auto", "numeric", "mixed"] = "numeric"
    types: Mapping[str, Literal["number", "text"]] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)
    version: Positive | None = None
    digest: Text | None = None
    files: Mapping[str, FileConfig] = field(default_factory=dict)
    sources: Annotated[Mapping[str, Any], SOURCES] = field(default_factory=dict)


PLACES = ("files", "sources")
"""The keys of DatasetConfig that say where files can be found, and by what they are known."""


def dataset_identity(dataset: DatasetConfig) -> str:
    """Return the SHA-256 of a data set's configuration; two configurations may share a name."""
    return hashlib.sha256(json.dumps(asdict(dataset), sort_keys=True).encode()).hexdigest()
