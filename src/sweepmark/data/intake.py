"""Input of a model: a file with a table, a file of IDX images, or a picture of one digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.data.picture_form import SIDE, is_picture, read_picture
from sweepmark.data.table_formats import FORMATS
from sweepmark.data.table_rows import read_rows
from sweepmark.data.unpacking import first_bytes, packing
from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.sources import idx

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pandas import DataFrame

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.dataset import Dataset
    from sweepmark.data.picture_form import PictureForm

__all__ = ["Intake", "read_intake"]

_IDX = b"\0\0"
_LARGEST_IDX = 1 << 31  # bytes, decompressed: the size of gzipped content is not known in advance


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """New rows for a model.

    Attributes
    ----------
    X : ndarray or DataFrame of shape (n_rows, n_features)
        With the order and dtypes of the data set's columns.
    y : ndarray of shape (n_rows,), int64, or None
        Labels of the data set, if the file has any.
    picture : PictureForm or None
        The converted picture, if the file is one.
    notes : tuple of str
        Remarks for the user.
    id_column : str or None
        The column that names the rows.
    ids : tuple of str
        Its cells.
    """

    X: NDArray[Any] | DataFrame
    y: NDArray[np.int64] | None = None
    picture: PictureForm | None = None
    notes: tuple[str, ...] = ()
    id_column: str | None = None
    ids: tuple[str, ...] = ()


def read_intake(
    path: Path,
    dataset: Dataset,
    config: DatasetConfig,
    *,
    header: bool | None = None,
    id_column: str | None = None,
) -> Intake:
    """Read rows for a model; the format is detected by the file's first bytes.

    Parameters
    ----------
    path : Path
        A table as CSV, Parquet, Feather or npz; IDX images, gzipped or not; PNG, JPEG or PGM.
    dataset : Dataset
        The model's training data.
    config : DatasetConfig
        How these were read.
    header : bool or None
        Whether a CSV file's first line names the columns; None detects it.
    id_column : str or None
        The column of a table that names the rows.

    Raises
    ------
    NotFoundError
        If there is no such file.
    DataError
        If it is damaged, or does not have the model's columns or pixels.
    ConfigurationError
        If a picture is given, but the model is not of 28 x 28 images; if a file without columns
        is to have an ``id_column``.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "not there"
        raise NotFoundError(
            f"FILE must be {FORMATS}, IDX images, PNG, JPEG or PGM, but {path} is {found}."
        )
    try:
        is_pixels = is_picture(path)
        is_idx = packing(path) in {None, "gzip"} and first_bytes(path, 2) == _IDX
        if id_column is not None and (is_pixels or is_idx):
            raise ConfigurationError(
                f"--id names a column of a table, but {path} has none. Leave --id out."
            )
        if is_pixels:
            return _of_picture(path, dataset)
        if is_idx:
            return _of_images(path, dataset)
        X, y, ids = read_rows(path, dataset, config, header=header, id_column=id_column)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return _as_trained(Intake(X, y, id_column=id_column, ids=ids), path, dataset)


def _of_picture(path: Path, dataset: Dataset) -> Intake:
    if dataset.image_shape != (SIDE, SIDE) or dataset.dtype != "uint8":
        shape = dataset.image_shape
        kind = f"images of {shape[0]} x {shape[1]}" if shape else f"{dataset.n_features} features"
        raise ConfigurationError(
            f"a picture can be shown to models of {SIDE} x {SIDE} images in bytes, but "
            f"{dataset.name} has {kind} ({dataset.dtype}). Give its rows as CSV, or take a model "
            "of dataset=mnist."
        )
    form = read_picture(path)
    top, left, height, width = form.box
    ways = "dark on light" if form.is_dark_on_light else "light on dark"
    note = f"{path}: {ways}, ink in {height} x {width} pixels at row {top}, column {left}"
    return Intake(form.image.reshape(1, -1), picture=form, notes=(note,))


def _of_images(path: Path, dataset: Dataset) -> Intake:
    name = str(path)
    with idx.open_file(path) as stream:
        header = idx.read_header(stream, name=name)
        _check_shape(name, header, dataset)
        if header.n_bytes > _LARGEST_IDX:
            raise DataError(
                f"{name}: must be {_LARGEST_IDX:,} bytes at most, but says {header.n_bytes:,}. "
                "Predict it in parts."
            )
        blocks = [np.array(block) for block in idx.read_blocks(stream, header, name=name)]
    if not blocks:
        raise DataError(f"{name}: must have rows, but has none")
    flat = np.concatenate(blocks).astype(header.dtype.newbyteorder("="))
    return _as_trained(Intake(flat.reshape(header.shape[0], -1)), path, dataset)


def _check_shape(name: str, header: idx.IdxHeader, dataset: Dataset) -> None:
    shape = header.shape[1:]
    if dataset.is_frame or shape not in {dataset.image_shape, (dataset.n_features,)}:
        wanted = dataset.image_shape or (dataset.n_features,)
        expected = " x ".join(map(str, ("n", *wanted)))
        found = " x ".join(map(str, header.shape))
        labels = " (are these the labels?)" if not shape else ""
        raise DataError(
            f"{name}: must have the rows of {dataset.name}, {expected}, but has {found}{labels}"
        )
    if dataset.dtype == "uint8" and header.dtype != np.uint8:
        raise DataError(f"{name}: elements must be bytes, but are {header.dtype.name}")


def _as_trained(intake: Intake, path: Path, dataset: Dataset) -> Intake:
    """Return numbers in the dtype of the training data, if that is lossless."""
    if not isinstance(intake.X, np.ndarray):
        return intake
    if dataset.dtype == "float64":
        return replace(intake, X=intake.X.astype(np.float64))
    if intake.X.dtype != np.uint8 and intake.X.min() >= 0 and intake.X.max() <= 1:
        note = (
            f"{path}: every value is in [0, 1], but those of {dataset.name} are bytes, 0 to 255: "
            "the model may take all of it for background"
        )
        return replace(intake, notes=(note,))
    return intake
