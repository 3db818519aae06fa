"""What OpenML answers, as scikit-learn keeps it on the disk: data sets that need no network."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_ID = 990_001


def publish(data_home: Path, name: str, X: NDArray[Any], y: Sequence[Any] | NDArray[Any]) -> None:
    """Write an array and its labels as version 1 of a data set."""
    labels = [str(label) for label in y]
    columns = [(f"pixel{place + 1}", "numeric") for place in range(X.shape[1])]
    rows = [[*map(repr, row), label] for row, label in zip(X.tolist(), labels, strict=True)]
    publish_columns(data_home, name, [*columns, ("class", sorted(set(labels)))], rows)


def publish_columns(
    data_home: Path,
    name: str,
    columns: Sequence[tuple[str, str | list[str]]],
    rows: Sequence[Sequence[str]],
) -> None:
    """Write rows as a data set whose labels stand in the last column.

    Parameters
    ----------
    data_home : Path
        scikit-learn's folder.
    name : str
        What OpenML calls it.
    columns : sequence of (name, kind)
        ``numeric``, ``string`` or the list of values.
    rows : sequence of sequence of str
        Cells as ARFF has them; ``?`` is missing.
    """
    lines = [f"@RELATION {name}"]
    for column, kind in columns:
        values = kind.upper() if isinstance(kind, str) else f"{{{','.join(kind)}}}"
        lines.append(f"@ATTRIBUTE {column} {values}")
    lines += ["@DATA", *(",".join(row) for row in rows)]
    arff = ("\n".join(lines) + "\n").encode()
    description = {
        "id": str(_ID),
        "name": name,
        "version": "1",
        "description": "made by a test",
        "format": "ARFF",
        "licence": "Public",
        "file_id": str(_ID),
        "default_target_attribute": columns[-1][0],
        "url": f"https://www.openml.org/data/v1/download/{_ID}/{name}.arff",
        "md5_checksum": hashlib.md5(arff, usedforsecurity=False).hexdigest(),
        "status": "active",
        "processing_date": "2020-01-01",
    }
    features = [
        {
            "index": str(place),
            "name": column,
            "data_type": kind if isinstance(kind, str) else "nominal",
            "is_target": str(place == len(columns) - 1).lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": str(sum(row[place] == "?" for row in rows)),
        }
        for place, (column, kind) in enumerate(columns)
    ]
    entry = {"did": _ID, "name": name, "version": 1, "status": "active", "file_id": _ID}
    found = {"data": {"dataset": [entry]}}
    list_path = f"api/v1/json/data/list/data_name/{name}/limit/2"
    answers: dict[str, Any] = {
        f"{list_path}/data_version/1": found,
        f"{list_path}/status/active/": found,
        f"api/v1/json/data/{_ID}": {"data_set_description": description},
        f"api/v1/json/data/features/{_ID}": {"data_features": {"feature": features}},
        f"api/v1/json/data/qualities/{_ID}": {"data_qualities": {"quality": []}},
    }
    contents = {path: json.dumps(answer).encode() for path, answer in answers.items()}
    contents[f"data/v1/download/{_ID}/{name}.arff"] = arff
    for path, content in contents.items():
        target = data_home / "openml" / "openml.org" / f"{path}.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content))
