"""Export of rows of a data set to CSV, plain PGM and PNG files."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sweepmark import files
from sweepmark.data.gallery import as_grey, gallery_png, limits_of, picture_png
from sweepmark.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from sweepmark.data.dataset import Dataset, Part

__all__ = [
    "Format",
    "export",
    "export_gallery",
    "images_of",
    "pgm",
    "rows_of",
    "write_whole",
]

Format = Literal["csv", "pgm", "png"]

ALL = -1
_WRONG_PLACE = (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError)
_ROWS = 2048  # rows in memory at a time: 6 MB of MNIST
_PGM_LINE = 70  # characters at most, https://netpbm.sourceforge.net/doc/pgm.html


def export(  # noqa: PLR0913 -- what, how and where to
    dataset: Dataset, split: str, count: int, file_format: Format, path: Path, *, first: int = 0
) -> Path:
    """Write rows of a part, in their order.

    Parameters
    ----------
    dataset : Dataset
        Where they come from.
    split : {"train", "test"}
        Which part.
    count : int
        Number of rows; -1 is all from ``first`` on.
    file_format : {"csv", "pgm", "png"}
        ``csv``: a line for each row, label first, then the pixels, without a header; a frame's rows
        as they are, with one. ``pgm`` (plain, "P2") and ``png``: one image per file, light on dark
        as in the data. Bytes are written to ``pgm`` unchanged; ``png`` is scaled to 0..255.
    path : Path
        The file; for more than one picture, a new folder, in which they are called
        ``<data set>-00000.pgm`` and so on, by the number of their row.
    first : int
        The first row, counted from 0.

    Returns
    -------
    Path
        The path written; it is created atomically.

    Raises
    ------
    ConfigurationError
        If there is no such part or there are not enough rows, if the rows are not images, or if the
        folder exists.
    """
    part = rows_of(dataset, split, count, first=first)
    if file_format == "csv":
        return write_whole(path, lambda target: _write_csv(dataset, part, target))
    images = images_of(dataset, part)
    pictures = _pictures(images, file_format)
    if len(images) == 1:
        return write_whole(path, lambda target: _write_lines(target, pictures))
    if path.exists():
        raise ConfigurationError(
            f"{len(images)} pictures go into a new folder, but {path} exists. Name another."
        )

    def fill(folder: Path) -> None:
        folder.mkdir()
        for number, content in enumerate(pictures, first):
            (folder / f"{dataset.name}-{number:05d}.{file_format}").write_bytes(content)

    return write_whole(path, fill)


def export_gallery(  # noqa: PLR0913 -- what, how and where to
    dataset: Dataset,
    split: str,
    count: int,
    path: Path,
    *,
    first: int = 0,
    captions: bool = False,
    copies: Sequence[Callable[[NDArray[Any]], NDArray[Any]]] = (),
) -> Path:
    """Write images of a part as one PNG file.

    Parameters
    ----------
    dataset, split, count, path, first
        As in :func:`export`.
    captions : bool
        Whether to print each label below its image.
    copies : sequence of callable
        Each takes images of shape (n_images, height, width) and returns as many transformed ones;
        an image is followed by its transformed copies in the same row.

    Raises
    ------
    ConfigurationError
        As in :func:`export`.
    """
    part = rows_of(dataset, split, count, first=first)
    images = images_of(dataset, part)
    drawn = np.stack([images, *(copy(images) for copy in copies)], axis=1)
    drawn = drawn.reshape(-1, *images.shape[1:])
    group = 1 + len(copies)
    labels = [str(label) for label in part.y for _ in range(group)]
    columns = group * max(1, round(math.sqrt(len(drawn)) / group)) if copies else None
    picture = gallery_png(drawn, captions=labels if captions else None, columns=columns)
    return write_whole(path, lambda target: _write_lines(target, iter([picture])))


def rows_of(dataset: Dataset, split: str, count: int, *, first: int = 0) -> Part:
    """Return ``count`` rows of a part (-1: all) from ``first`` on; the error has the range."""
    if split not in dataset.parts:
        raise ConfigurationError(
            f"split must be one of {', '.join(dataset.parts)} for {dataset.name}, but got {split!r}"
        )
    part = dataset.parts[split]
    if not 0 <= first < part.n_rows:
        raise ConfigurationError(
            f"the first row must be in [0, {part.n_rows - 1}] for {dataset.name}'s {split} rows, "
            f"but got {first}"
        )
    left = part.n_rows - first
    if count != ALL and not 1 <= count <= left:
        raise ConfigurationError(
            f"count must be in [1, {left}] for {dataset.name}'s {split} rows"
            f"{f' from {first} on' if first else ''}, or -1 for all of them, but got {count}"
        )
    chosen = slice(first, None if count == ALL else first + count)
    return type(part)(part.X[chosen], part.y[chosen])


def images_of(dataset: Dataset, part: Part) -> NDArray[Any]:
    """Return rows as images of shape (n_rows, height, width)."""
    if dataset.image_shape is None:
        raise ConfigurationError(f"the rows of {dataset.name} are no pictures: export them as csv")
    X: Any = part.X
    images: NDArray[Any] = X.reshape(-1, *dataset.image_shape)
    return images


def _write_csv(dataset: Dataset, part: Part, target: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(part.X)
    labels: Any = part.y
    if part.is_frame:
        labels = [dataset.label_text(label) for label in part.y.tolist()]
    frame.insert(0, dataset.label_column or "label", labels)
    with target.open("x", encoding="utf-8", newline="") as file:
        frame.to_csv(file, header=part.is_frame, index=False, lineterminator="\n")


def pgm(image: NDArray[np.integer[Any]], *, maximum: int) -> bytes:
    """Return an image as a plain PGM file.

    Examples
    --------
    >>> print(pgm(np.array([[0, 16], [3, 4]]), maximum=16).decode(), end="")
    P2
    2 2
    16
    0 16
    3 4
    """
    height, width = image.shape
    per_line = (_PGM_LINE + 1) // (len(str(maximum)) + 1)
    lines = [
        " ".join(map(str, row[start : start + per_line]))
        for row in image.tolist()
        for start in range(0, width, per_line)
    ]
    return "\n".join(["P2", f"{width} {height}", f"{maximum}", *lines, ""]).encode()


def _pictures(images: NDArray[Any], file_format: Format) -> Iterator[bytes]:
    limits = limits_of(images)
    raw = file_format == "pgm" and images.dtype == np.uint8
    maximum = max(1, int(limits[1])) if raw else 255
    for start in range(0, len(images), _ROWS):
        block = images[start : start + _ROWS]
        for image in block if raw else as_grey(block, limits):
            yield pgm(image, maximum=maximum) if file_format == "pgm" else picture_png(image)


def _write_lines(path: Path, pieces: Iterator[bytes]) -> None:
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file or folder beside its final place and move it there; a link stays a link."""
    if not path.name:  # "." or "/"
        raise ConfigurationError(f"{path} cannot be written: it is a folder. Name a file in it.")
    final = Path(os.path.realpath(path))  # which raises nothing, whatever lies there

    def explain(error: OSError) -> ConfigurationError | StoreError:
        reason = f"{path} cannot be written: {error.strerror}"
        if isinstance(error, _WRONG_PLACE):
            return ConfigurationError(f"{reason}. Name another place.")
        return StoreError(reason)

    with files.explained(OSError, explain):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigurationError(
                f"{path} cannot be written: it is no file, but a pipe or a device. Name a file."
            )
        if not files.write_whole(final, write):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    return path
