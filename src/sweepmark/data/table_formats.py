"""The formats of files with a table, told apart by their bytes."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from sweepmark.data.csv_file import open_csv
from sweepmark.data.unpacking import UNPACKING_FAULTS, packing
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from sweepmark.config.schema import DatasetConfig
    from sweepmark.data.table_file import TableFile

__all__ = ["FORMATS", "open_table"]

FORMATS = "CSV (also in gzip, bzip2, xz or zip), Parquet, Feather or npz"
"""What :func:`open_table` opens, for messages."""

_PARQUET, _FEATHER, _OLD_FEATHER = b"PAR1", b"ARROW1\0\0", b"FEA1"
_WORKBOOK = "[Content_Types].xml"


def open_table(
    path: Path, config: DatasetConfig, *, remedy: str = "Set dataset.header=true or false."
) -> TableFile:
    """Open a file with a table, whose format follows from its bytes, not from its name.

    Parameters
    ----------
    path : Path
        A file in one of :data:`FORMATS`.
    config : DatasetConfig
        How a CSV file is written, as far as that is given.
    remedy : str
        The advice in the error if it is not clear whether a CSV file has a header.

    Raises
    ------
    DataError
        If the file is damaged, or in another format.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(_PARQUET):
        from sweepmark.data.arrow_opening import open_parquet

        return open_parquet(path)
    if head == _FEATHER:
        from sweepmark.data.arrow_opening import open_feather

        return open_feather(path)
    if head.startswith(_OLD_FEATHER):
        raise DataError(f"{path}: is Feather of version 1. Write it by pandas' to_feather.")
    if packing(path) == "zip":
        names = _names(path)
        if names and all(name.endswith(".npy") for name in names):
            from sweepmark.data.npz_file import open_npz

            return open_npz(path, config)
        if _WORKBOOK in names:
            raise DataError(f"{path}: is an Excel workbook. Save its sheet as CSV.")
    return open_csv(path, config, remedy=remedy)


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except UNPACKING_FAULTS as error:
        raise DataError(f"{path}: must be a whole zip file, but: {error}") from error
