"""The Specification: everything that the result of one evaluation depends on, and its key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EVALUATION_VERSION", "Specification", "canonical_json"]

EVALUATION_VERSION = 6
"""Incremented whenever a change of sweepmark changes the results of evaluations."""


def canonical_json(value: object) -> str:
    """Return the canonical JSON text of a plain value: sorted keys, no spaces, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": [None, True]})
    '{"a":[null,true],"b":1.0}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """One evaluation, in plain values; equal specifications give equal results.

    Attributes
    ----------
    data : str
        SHA-256 digest of the data set.
    split, task, method : mapping
        As :mod:`sweepmark.specification.split` and :mod:`sweepmark.evaluation.evaluate` resolve
        them; ``method`` says which rows are scored, such as the test part or one fold.
    preprocess, classifier : mapping
        Components with all their parameters, ``random_state`` filled in.
    seed : int
        The value of ``random_state`` where no number was given.
    threads : int
        BLAS and OpenMP threads: they affect last digits, so they are part of the key.
    versions : mapping of str to str
        Exact versions of the computing libraries.
    key : str
        SHA-256 of the canonical JSON of all the above and of EVALUATION_VERSION.
    """

    data: str
    split: Mapping[str, Any]
    task: Mapping[str, Any]
    method: Mapping[str, Any]
    preprocess: Mapping[str, Any]
    classifier: Mapping[str, Any]
    seed: int
    threads: int
    versions: Mapping[str, str]
    key: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the key."""
        object.__setattr__(self, "key", "")
        read_back = json.loads(json.dumps(self.document()))  # mapping keys become text
        text = canonical_json(read_back)
        object.__setattr__(self, "key", hashlib.sha256(text.encode()).hexdigest())

    @property
    def rows_key(self) -> str:
        """Identifies the classifier's training input: equal keys mean equal rows and labels."""
        steps = list(self.preprocess.items())
        rows = [self.data, self.split, self.task, self.method, steps, self.threads, self.versions]
        return canonical_json(rows)

    def document(self) -> dict[str, Any]:
        """Return the specification as the plain mapping whose hash is the key.

        The steps of ``preprocess`` are a list there: their order counts, a mapping's does not.
        """
        document = asdict(self)
        del document["key"]
        steps = [[name, step] for name, step in document["preprocess"].items()]
        return document | {"preprocess": steps, "evaluation_version": EVALUATION_VERSION}
