"""The schema of group ``split``: which rows are used for training and which for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Lt

from sweepmark.config.rules import Natural, Positive, Text  # noqa: TC001 -- validation reads them
from sweepmark.errors import ConfigurationError

__all__ = ["SplitColumn", "SplitConfig"]


@dataclass(frozen=True, slots=True)
class SplitColumn:
    """The column that rows are divided by; it is no feature.

    Attributes
    ----------
    role : {"groups", "order"}
        The key of group ``split`` that names it.
    name : str
        The column.
    """

    role: Literal["groups", "order"]
    name: str

    @property
    def key(self) -> str:
        """The key, as messages name it."""
        return f"split.{self.role}"

    def __str__(self) -> str:
        """Return the override that names it."""
        return f"{self.key}={self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """Group ``split``.

    Attributes
    ----------
    size : int or None
        Rows of both parts; None is all.
    train_ratio : float
        The share of the training part.
    source : {"auto", "official", "pooled", "train"}
        Where the parts come from.
    seed : int
        Seed of the cut.
    head : int or None
        Of pooled rows and those of the training file, only the first so many are cut.
    groups : str or None
        A column; rows with the same value in it are all in one part, and in one fold.
    order : str or None
        A column of numbers, or of dates and times in ISO 8601: the last rows are tested.
    """

    size: Positive | None
    train_ratio: Annotated[float, Gt(0), Lt(1)]
    source: Literal["auto", "official", "pooled", "train"]
    seed: Natural
    head: Positive | None = None
    groups: Text | None = None
    order: Text | None = None

    @property
    def column(self) -> SplitColumn | None:
        """The column that rows are divided by.

        Raises
        ------
        ConfigurationError
            If there are two.
        """
        if self.groups is not None and self.order is not None:
            raise ConfigurationError(
                "rows are divided by one column, but got "
                f"split.groups={self.groups} and split.order={self.order}. Set one of them to null."
            )
        if self.groups is not None:
            return SplitColumn("groups", self.groups)
        return None if self.order is None else SplitColumn("order", self.order)
