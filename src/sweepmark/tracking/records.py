"""Records: parameters, tags, metrics, artifacts, inputs and models of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MODEL_NAME", "Artifact", "DataInput", "Metric", "Model", "Param", "Record", "Tag"]

MODEL_NAME = "model"
"""The name of a model without one of its own."""


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; MLflow keeps it as text."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric at a step (the number of a fold or epoch; 0 for the value itself)."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file: its relative path and content."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInput:
    """A data set that a run was fitted or scored on."""

    name: str
    digest: str
    context: str
    source: str
    n_rows: int
    n_features: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A fitted pipeline in skops format, with the information for its signature.

    Attributes
    ----------
    content : bytes
        The skops file.
    n_features : int
        Columns of its input.
    dtype : str
        NumPy's dtype name of the input, such as ``uint8``; ``mixed`` for a table with typed
        columns.
    answers : {"int64", "str", "bool"}
        Type of the predicted labels: integers, texts or booleans.
    requirements : tuple of str
        Pinned pip requirements, ``name==version``.
    columns : mapping of str to {"number", "text"}, or None
        The columns of a table, by name; empty if they have no names, None of images.
    name : str
        What it is called in MLflow.
    code : mapping of str to bytes
        Modules that no index has and loading needs, by relative path.
    """

    content: bytes = field(repr=False)
    n_features: int
    dtype: str
    answers: str
    requirements: tuple[str, ...]
    columns: Mapping[str, str] | None = None
    name: str = MODEL_NAME
    code: Mapping[str, bytes] = field(default_factory=dict, repr=False)


Record = Param | Tag | Metric | Artifact | DataInput | Model
