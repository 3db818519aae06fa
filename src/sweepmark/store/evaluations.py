"""Finished evaluations on disk, by key. Together with the journals they are the primary data.

``<key>/`` is the first version written of an evaluation and never changes. A later version with
another result, or with a model that the first lacks, is stored completely beside it as
``<key>.<result>`` or ``<key>.<result>-model`` (the first digits of its result's digest).
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from sweepmark.errors import DataError, LostError
from sweepmark.failpoints import failpoint
from sweepmark.files import check_folder, environment_errors, write_folder
from sweepmark.scores.predictions import load_predictions
from sweepmark.specification.specification import canonical_json
from sweepmark.store import documents
from sweepmark.store import manifest as manifests
from sweepmark.store.documents import Origin, Stored
from sweepmark.store.manifest import DIGESTS, EVALUATION, MODEL, PREDICTIONS, Manifest
from sweepmark.store.metrics import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sweepmark.scores.requests import Request
    from sweepmark.scores.scorecard import Scorecard
    from sweepmark.specification.specification import Specification

__all__ = ["EvaluationStore", "Origin", "Stored"]

_DIGEST = re.compile(r"[0-9a-f]{64}")  # it is used as a folder name
_KEY_LENGTH = 64


class EvaluationStore:
    """Evaluations below a folder; each is written once, atomically.

    Every read is verified: the folder belongs to the key, files match the digests written with
    them, and the specification has the evaluation's key.

    Parameters
    ----------
    folder : Path
        ``mlruns/evaluations``; the metrics that follow from them are beside it, in ``metrics``.
    requests : sequence of Request
        Metrics that Scorecards have besides those that every evaluation has.
    """

    def __init__(self, folder: Path, requests: Sequence[Request] = ()) -> None:
        self.folder = folder
        self._metrics = StoredMetrics(folder.with_name("metrics"), requests)

    def find(
        self, key: str, result: str | None = None, *, with_model: bool = False
    ) -> Stored | None:
        """Return an evaluation; None if it does not exist.

        Parameters
        ----------
        key : str
            Which one.
        result : str or None
            The digest of its result; None takes the version written first.
        with_model : bool
            Whether it must have a model, which is then read and verified.

        Raises
        ------
        LostError
            If it is damaged.
        """
        found = self._locate(key, result, with_model=with_model)
        return None if found is None else self._read(*found, with_model=with_model)

    def holds(self, key: str, result: str | None = None, *, with_model: bool = False) -> bool:
        """Return whether an evaluation exists, of any result or one; only manifests are read."""
        try:
            return self._locate(key, result, with_model=with_model) is not None
        except LostError:
            return False

    def scorecard(self, key: str, result: str | None = None) -> Scorecard:
        """Return an evaluation's Scorecard, without the model.

        Raises
        ------
        LostError
            If it is not there, or damaged.
        """
        stored = self.find(key, result)
        if stored is None:
            raise LostError(f"{self.folder / key} is not there", name=key)
        return stored.scorecard

    def model(self, key: str, result: str | None = None) -> bytes | None:
        """Return the fitted pipeline in skops format, None if it was not kept.

        Raises
        ------
        LostError
            If it is damaged.
        """
        found = self._locate(key, result, with_model=True)
        return None if found is None else self._file(*found, MODEL)

    def specification(self, key: str, result: str | None = None) -> Mapping[str, Any]:
        """Return the specification of an evaluation, as :meth:`Specification.document` wrote it.

        Fields that name files or labels are checked: ``data`` is a digest, ``task`` has a name and
        optionally a positive label.

        Raises
        ------
        LostError
            If it is not there, or damaged.
        """
        found = self._locate(key, result, with_model=False)
        if found is None:
            raise LostError(f"{self.folder / key} is not there", name=key)
        specification = self._document(*found).get("specification")
        document = specification if isinstance(specification, dict) else {}
        digest, task = document.get("data"), document.get("task")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise self._damaged(key, "its specification names no data set")
        if not isinstance(task, dict) or not isinstance(task.get("positive", 0), int):
            raise self._damaged(key, "its specification names no task")
        return document

    def put(
        self, specification: Specification, scorecard: Scorecard, origin: Origin
    ) -> tuple[Stored, Stored | None]:
        """Store an evaluation; existing versions are not changed.

        Returns
        -------
        stored : Stored
            The evaluation as stored.
        earlier : Stored or None
            The version written first, if that has another result.

        Raises
        ------
        LostError
            If an existing version is damaged; nothing was written then.
        """
        check_folder(self.folder)
        scorecard = self._metrics.asked(scorecard, specification.method)
        stored, files = documents.to_be_stored(specification, scorecard, origin)
        key, result = stored.key, stored.result
        if self._write(key, files):
            self._metrics.keep(key, stored)
            return stored, None
        first = self._read(key, self._manifest(key))
        has_model = scorecard.model is None or self._locate(key, result, with_model=True)
        if first.result != result or not has_model:
            name = manifests.beside(key, result, with_model=scorecard.model is not None)
            if not self._write(name, files):
                self._read(name, self._manifest(name), with_model=scorecard.model is not None)
        return stored, first if first.result != result else None

    def _write(self, name: str, files: Mapping[str, bytes]) -> bool:
        """Write a folder, and tell whether it is new; one that is there stays."""
        with environment_errors(path := self.folder / name):
            is_new = write_folder(path, files, written=partial(failpoint, "evaluation.written"))
        if is_new:
            failpoint("evaluation.renamed")
        return is_new

    def set_aside(self, name: str) -> Path:
        """Move a damaged folder to an unused name, and return its path."""
        path = self.folder / name
        number = 1
        with environment_errors(path):
            while os.path.lexists(aside := self.folder / f".damaged-{name}-{number}"):
                number += 1
            path.rename(aside)
        return aside

    def keys(self) -> list[str]:
        """Return the names of all folders, ascending: keys, and other versions of them."""
        with environment_errors(self.folder):
            if not os.path.lexists(self.folder):
                return []
            check_folder(self.folder)
            names = [path.name for path in self.folder.iterdir()]
        return sorted(name for name in names if not name.startswith("."))

    def recent(self, n: int) -> Iterator[Mapping[str, Any]]:
        """Yield the content of ``evaluation.json`` of those written last, at most ``n``.

        What is damaged, or vanishes meanwhile, is left out; nothing is moved aside.
        """
        written: list[tuple[int, str]] = []
        for name in self.keys():
            with suppress(OSError):
                written.append(((self.folder / name).lstat().st_mtime_ns, name))
        for _, name in heapq.nlargest(n, written):
            with suppress(LostError):
                yield self._document(name, self._manifest(name))

    def verify(self, name: str, *, full: bool = True) -> None:
        """Verify a folder's document or, with ``full``, also predictions and model.

        Raises
        ------
        LostError
            If it is damaged, or does not belong to its name.
        """
        manifest = self._manifest(name)
        if not full:
            self._document(name, manifest)
            for file in manifest.files:
                if not (self.folder / name / file).is_file():
                    raise self._damaged(name, f"{file} is not there")
            return
        stored = self._read(name, manifest, with_model=MODEL in manifest.files)
        other = manifests.beside(stored.key, stored.result, with_model=name.endswith("-model"))
        if name not in {stored.key, other}:
            raise self._damaged(name, f"its result is {stored.result[:16]}")

    def strangers(self, name: str) -> list[Path]:
        """Return the files in a folder that do not belong to the evaluation, unopened."""
        folder = self.folder / name
        known = {DIGESTS, *self._manifest(name).files}
        with environment_errors(folder):
            return sorted(path for path in folder.iterdir() if path.name not in known)

    def _locate(
        self, key: str, result: str | None, *, with_model: bool
    ) -> tuple[str, Manifest] | None:
        """Return the name and the manifest of the folder with a result of an evaluation."""
        check_folder(self.folder)
        names = [key]
        if result is None and os.path.lexists(self.folder / key):
            result = self._manifest(key).result
        if result is not None:
            names += [manifests.beside(key, result, with_model=flag) for flag in (True, False)]
        for name in names:
            if os.path.lexists(self.folder / name):
                manifest = self._manifest(name)
                if manifest.result == result and (MODEL in manifest.files or not with_model):
                    return name, manifest
        return None

    def _read(self, name: str, manifest: Manifest, *, with_model: bool = False) -> Stored:
        content = self._file(name, manifest, PREDICTIONS)
        document = self._document(name, manifest)
        try:
            predictions = load_predictions(content)
        except DataError as error:
            raise self._damaged(name, str(error)) from None
        if manifests.result_digest(document["scorecard"], content) != manifest.result:
            raise self._damaged(name, "it came to another result than its digest says")
        if reason := documents.contradiction(document["scorecard"], predictions):
            raise self._damaged(name, reason)
        metrics = self._metrics.of(name, manifest.result, document, predictions)
        card = documents.from_document(
            document["scorecard"], predictions, metrics, self._metrics.requests
        )
        if with_model:
            self._file(name, manifest, MODEL)
        return Stored(manifest.key, manifest.result, Origin(**document["origin"]), card)

    def _document(self, name: str, manifest: Manifest) -> dict[str, Any]:
        content = self._file(name, manifest, EVALUATION)
        try:
            document: dict[str, Any] = json.loads(content)
            reason = documents.find_invalid(document)
            if reason is None:
                text = canonical_json(document.get("specification"))
                if hashlib.sha256(text.encode()).hexdigest() != manifest.key:
                    reason = "its specification has another key"
        except (ValueError, RecursionError) as error:
            reason = str(error)
        if reason:
            raise self._damaged(name, f"{EVALUATION}: {reason}")
        return document

    def _manifest(self, name: str) -> Manifest:
        folder = self.folder / name
        with environment_errors(folder):
            try:
                return manifests.read_manifest(folder, name[:_KEY_LENGTH])
            except (DataError, FileNotFoundError, NotADirectoryError) as error:
                raise self._damaged(name, _reason(error)) from None

    def _file(self, name: str, manifest: Manifest, file: str) -> bytes:
        folder = self.folder / name
        with environment_errors(folder / file):
            try:
                return manifest.read(folder, file)
            except (DataError, FileNotFoundError) as error:
                raise self._damaged(name, _reason(error)) from None

    def _damaged(self, name: str, reason: str) -> LostError:
        folder = self.folder / name
        short = reason.replace(f"{folder}/", "")
        return LostError(f"the evaluation {folder} is damaged: {short}", name=name)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{error.filename} is not there"
    return str(error)
