"""Classifiers that behave badly in a way of their own; programs import them with ``--trust``."""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

__all__ = [
    "FITS",
    "HELD",
    "Counted",
    "Counting",
    "Greedy",
    "Hidden",
    "HungryClassifier",
    "Mirror",
    "NanSVC",
    "Printing",
    "SlowSVC",
    "Undecided",
]

FITS = "FITS"
"""The environment variable that names the file in which fits are counted."""

HELD = "HELD"
"""The environment variable, if there is one, that says how many fits may end; others never do."""


def pause(seconds: float) -> None:
    """Sleep; time.sleep fails under libfaketime 0.9.10."""
    select.select([], [], [], seconds)


class Counting(KNeighborsClassifier):  # type: ignore[misc]  # scikit-learn ships no types
    """A classifier that takes no labels but 0 to n - 1, as XGBoost's do."""

    def fit(self, X: Any, y: Any) -> Self:
        """Fit, or refuse the labels."""
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError(f"Invalid classes: {np.unique(y)}")
        super().fit(X, y)
        return self


class SlowSVC(SVC):  # type: ignore[misc]  # scikit-learn ships no types
    """An SVC that sleeps, so that it takes as long on a busy machine, and counts its fits.

    It can also be held, see HELD.

    Parameters
    ----------
    C, gamma, random_state
        As in SVC.
    seconds : float
        How long ``fit`` sleeps.
    """

    def __init__(
        self,
        C: float = 1.0,
        gamma: float = 1.0,
        seconds: float = 0.0,
        random_state: int | None = None,
    ) -> None:
        super().__init__(C=C, gamma=gamma, random_state=random_state)
        self.seconds = seconds

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Write a line, sleep, fit."""
        with Path(os.environ[FITS]).open("a+", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
            file.seek(0)
            n_fits = len(file.readlines())
        pause(self.seconds)
        while n_fits > float(os.environ.get(HELD, "inf")):
            pause(60)
        super().fit(X, y, sample_weight)
        return self


class HungryClassifier(DummyClassifier):  # type: ignore[misc]
    """A DummyClassifier whose ``fit`` holds memory for a while.

    Parameters
    ----------
    megabytes : int
        How much.
    random_state : int or None
        As in DummyClassifier.
    """

    def __init__(self, megabytes: int = 0, random_state: int | None = None) -> None:
        super().__init__(strategy="prior", random_state=random_state)
        self.megabytes = megabytes

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Allocate, linger, fit."""
        held = np.ones(self.megabytes * 2**20, dtype=np.uint8)
        if self.megabytes:
            time.sleep(2)
        super().fit(X, y, sample_weight)
        del held
        return self


class SingleNeighbors(KNeighborsClassifier):  # type: ignore[misc]
    """Answers in float32, as estimators do that compute in it: many shares are exactly 0."""

    def predict_proba(self, X: Any) -> Any:
        """Return the shares."""
        return super().predict_proba(X).astype(np.float32)


class NanSVC(SVC):  # type: ignore[misc]
    """An SVC that loses its decision values where ``lost`` is true."""

    def __init__(self, lost: bool = False, random_state: int | None = None) -> None:  # noqa: FBT001, FBT002
        super().__init__(random_state=random_state)
        self.lost = lost

    def decision_function(self, X: Any) -> Any:
        """Return the decision values, or as many NaN."""
        values = super().decision_function(X)
        return np.full_like(values, np.nan) if self.lost else values


class Mirror(BaseEstimator):  # type: ignore[misc]
    """A step that adds each row once more, its columns in reverse; it has nothing but that."""

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return twice the rows."""
        return np.concatenate([X, X[:, ::-1]]), np.concatenate([y, y])


class Greedy(DummyClassifier):  # type: ignore[misc]
    """Takes all cores unless told otherwise."""

    def __init__(self, n_jobs: int = -1) -> None:
        super().__init__()
        self.n_jobs = n_jobs


class Undecided(DummyClassifier):  # type: ignore[misc]
    """Takes all cores for None, as LightGBM does."""

    def __init__(self, n_jobs: int | None = None) -> None:
        super().__init__()
        self.n_jobs = n_jobs


class Counted(DummyClassifier):  # type: ignore[misc]
    """Calls its number of threads as CatBoost does."""

    def __init__(self, thread_count: int | None = None) -> None:
        super().__init__()
        self.thread_count = thread_count


class Hidden(DummyClassifier):  # type: ignore[misc]
    """Names its parameters in ``get_params`` alone, as XGBoost does."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self._given = {"n_jobs": None, "depth": 6, "random_state": None} | kwargs

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 -- theirs
        """Return them."""
        del deep
        return dict(self._given)


class Needy(Hidden):
    """Cannot be built without an argument, so that nobody knows its others beforehand."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**{key: value for key, value in kwargs.items() if key != "ignored"})
        self.classes = classes


class Printing(DummyClassifier):  # type: ignore[misc]  # scikit-learn ships no types
    """Prints while it is fitted, more than a pipe holds."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        sys.stdout.write("x" * 100_000)
        sys.stdout.flush()
        super().fit(X, y, sample_weight)
        return self
