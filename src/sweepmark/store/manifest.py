"""The Manifest of an evaluation: what its folder holds, with the digest of every file.

It is written with the files and never changed, as they are. A file is read once, compared with its
digest, and only then believed; what a manifest does not name is never opened.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.errors import DataError
from sweepmark.files import read_regular
from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "DIGESTS",
    "FIGURES",
    "MODEL",
    "PREDICTIONS",
    "Manifest",
    "read_manifest",
    "result_digest",
]

FIGURES = "evaluation.json"
PREDICTIONS = "predictions.npz"
MODEL = "model.skops"
DIGESTS = "digests.json"

_LARGEST = {DIGESTS: 1 << 16, FIGURES: 1 << 28, PREDICTIONS: 1 << 32, MODEL: 1 << 34}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RESULT = ("metrics", "classes", "names", "positive", "n_positive", "n_train", "n_test", "curves")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``digests.json`` says.

    Attributes
    ----------
    key : str
        Which evaluation it is.
    result : str
        As :func:`result_digest` returns it.
    files : mapping of str to str
        SHA-256 by file name, of all others in the folder.
    """

    key: str
    result: str
    files: Mapping[str, str]

    @classmethod
    def of(cls, key: str, result: str, files: Mapping[str, bytes]) -> Manifest:
        """Return the manifest of files that are about to be written."""
        return cls(key, result, {name: _sha256(content) for name, content in files.items()})

    @property
    def content(self) -> bytes:
        """The file."""
        document = {"key": self.key, "result": self.result, "files": dict(self.files)}
        return json.dumps(document, indent=1).encode()

    def read(self, folder: Path, name: str) -> bytes:
        """Return the content of a file that it names.

        Raises
        ------
        DataError
            If it is not what was written.
        OSError
            If it is not there, or cannot be read.
        """
        content = read_regular(folder / name, limit=_LARGEST[name])
        if _sha256(content) != self.files[name]:
            raise DataError(f"{folder / name} is not what was written: its SHA-256 has changed")
        return content


def read_manifest(folder: Path, key: str) -> Manifest:
    """Return the manifest of an evaluation's folder, which is no link.

    Raises
    ------
    DataError
        If it is none, or that of another evaluation.
    OSError
        If it is not there, or cannot be read.
    """
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise DataError(f"{folder} is no folder of its own")
    path = folder / DIGESTS
    try:
        document: Any = json.loads(read_regular(path, limit=_LARGEST[DIGESTS]))
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(document, dict) or not _is_manifest(document):
        raise DataError(f"{path} names no key, result and files")
    if document["key"] != key:
        raise DataError(f"{path} is that of the evaluation {document['key']}")
    return Manifest(key, document["result"], document["files"])


def result_digest(scorecard: Mapping[str, Any], predictions: bytes) -> str:
    """Return the SHA-256 of what an evaluation came to: not of how long it took.

    Parameters
    ----------
    scorecard : mapping
        As :func:`sweepmark.store.documents.document` describes it.
    predictions : bytes
        The content of its ``predictions.npz``.
    """
    figures = {name: scorecard.get(name) for name in _RESULT}
    return _sha256(canonical_json([figures, _sha256(predictions)]).encode())


def _is_manifest(document: Mapping[str, Any]) -> bool:
    files = document.get("files")
    return (
        document.keys() == {"key", "result", "files"}
        and isinstance(files, dict)
        and {FIGURES, PREDICTIONS} <= files.keys() <= {FIGURES, PREDICTIONS, MODEL}
        and all(map(_is_digest, (document["key"], document["result"], *files.values())))
    )


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
