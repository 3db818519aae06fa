"""A classifier that takes a second, to see how well workers are kept busy."""

from __future__ import annotations

import time
from typing import Any, Self

from sklearn.dummy import DummyClassifier

__all__ = ["SleepingClassifier"]


class SleepingClassifier(DummyClassifier):  # type: ignore[misc]  # scikit-learn ships no types
    """A DummyClassifier whose ``fit`` sleeps.

    Parameters
    ----------
    seconds : float
        For how long.
    random_state : int or None
        As in DummyClassifier.
    """

    def __init__(self, seconds: float = 1.0, random_state: int | None = None) -> None:
        super().__init__(strategy="prior", random_state=random_state)
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Self:
        """Sleep, then learn the shares of the classes."""
        time.sleep(self.seconds)
        super().fit(X, y)
        return self
