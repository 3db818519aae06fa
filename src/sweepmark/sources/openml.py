"""OpenML by scikit-learn: the download of any data set, and a source of known files."""

from __future__ import annotations

import contextlib
import math
import socket
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Gt

from sweepmark.config.rules import Text  # noqa: TC001 -- validation reads it
from sweepmark.errors import ConfigurationError
from sweepmark.sources import idx
from sweepmark.sources.interface import Source, SourceOptions
from sweepmark.sources.transfer import SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from sweepmark.config.schema import FileConfig

__all__ = ["OpenML", "OpenMLOptions", "fetch_frame", "home_of"]

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMLOptions(SourceOptions):
    """The OpenML data set with the same rows, by its name and version there."""

    name: Text
    version: Annotated[int, Gt(0)]


class OpenML(Source):
    """A data set of OpenML whose rows are those of IDX files: training part first, then test.

    Parameters
    ----------
    name : str
        Its name on OpenML, such as ``mnist_784``.
    version : int
        Its version there.
    data_home : Path or None
        Folder of scikit-learn's downloads; None is a temporary one, unless scikit-learn's default
        folder has files of OpenML already.

    References
    ----------
    https://scikit-learn.org/stable/modules/generated/sklearn.datasets.fetch_openml.html
    """

    options = OpenMLOptions

    def __init__(self, name: str, version: int, *, data_home: Path | None = None) -> None:
        self.label = f"OpenML {name} version {version}"
        self._name = name
        self._version = version
        self._data_home = data_home
        self._arrays: tuple[NDArray[Any], NDArray[Any]] | None = None

    def content(self, file: FileConfig, folder: Path) -> Iterable[bytes]:
        """Download the data set (once) and encode the rows of the file."""
        if self._arrays is None:
            self._arrays = self._download(self._data_home or home_of(folder))
        X, y = self._arrays
        side = math.isqrt(X.shape[1])
        header, row = (8, 1) if "labels" in file.name else (16, X.shape[1])
        n_rows = (file.size - header) // row
        part = slice(-n_rows, None) if file.name.startswith("t10k") else slice(0, n_rows)
        if "labels" in file.name:
            return [idx.encode(y[part])]
        if "images" in file.name and side * side == X.shape[1]:
            return [idx.encode(X[part].reshape(-1, side, side))]
        raise SourceError(f"its rows of {X.shape[1]} features are not those of {file.name}")

    def _download(self, data_home: Path) -> tuple[NDArray[Any], NDArray[Any]]:
        bunch = fetch_frame(self._name, self._version, None, data_home)
        try:
            X = bunch.data.to_numpy(dtype=np.float64)
            y = bunch.target.to_numpy().astype(np.float64)
        except (TypeError, ValueError, AttributeError) as error:
            raise UnreachableError(f"its rows are not bytes: {error}") from error
        small = [values.astype(np.uint8) for values in (np.clip(X, 0, 255), np.clip(y, 0, 255))]
        if not (np.array_equal(small[0], X) and np.array_equal(small[1], y)):
            raise UnreachableError("its rows are not bytes")
        return small[0], small[1]


def fetch_frame(name: str, version: int | None, label: str | None, data_home: Path) -> Any:
    """Return a data set as a frame, by scikit-learn's ``fetch_openml``.

    Parameters
    ----------
    name : str
        What OpenML calls it.
    version : int or None
        None takes the active one.
    label : str or None
        The target column; None takes OpenML's default.
    data_home : Path
        Where scikit-learn keeps what it downloads.

    Raises
    ------
    ConfigurationError
        If there is no such column.
    UnreachableError
        If OpenML cannot be reached or has no such data set.
    """
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings(), _patience():
            warnings.simplefilter("ignore")  # about inactive versions and retries
            bunch = fetch_openml(
                name,
                version=version or "active",
                target_column=label or "default-target",
                data_home=data_home,
                as_frame=True,
                # "pandas" fails on labels that are numbers, as MNIST's are, from pandas 3.1 on:
                # https://github.com/scikit-learn/scikit-learn/pull/34902
                parser="liac-arff",
                n_retries=1,
                delay=0.1,
            )
    except KeyError as error:
        raise ConfigurationError(
            f"dataset.label must be a column of {name}, but got {label!r}: {error.args[0]}"
        ) from error
    except OSError as error:  # URLError is one
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(f"cannot be reached: {reason}") from error
    except ValueError as error:
        raise UnreachableError(" ".join(str(error).split())) from error
    return bunch


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Set a socket timeout, which scikit-learn does not."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def home_of(folder: Path) -> Path:
    """Return scikit-learn's default folder if it has files of OpenML, else one below ``folder``."""
    import os

    chosen = os.environ.get("SCIKIT_LEARN_DATA") or "~/scikit_learn_data"
    own = Path(os.path.expanduser(chosen))  # noqa: PTH111 -- ~ may be unknown
    return own if (own / "openml").is_dir() else folder / "openml"
