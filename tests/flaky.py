"""A classifier for ``--trust flaky`` that fails for as long as a file exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier


class Flaky(KNeighborsClassifier):  # type: ignore[misc]
    """Nearest neighbours; with a single one, ``fit`` fails while a file is there.

    Parameters
    ----------
    n_neighbors : int
        As of its base.
    obstacle : str or None
        The file's path; None never fails.
    """

    def __init__(self, n_neighbors: int = 5, obstacle: str | None = None) -> None:
        super().__init__(n_neighbors=n_neighbors)
        self.obstacle = obstacle

    def fit(self, X: Any, y: Any) -> Flaky:
        if self.n_neighbors == 1 and self.obstacle is not None and Path(self.obstacle).exists():
            raise OSError(f"{self.obstacle} is in the way")
        fitted: Flaky = super().fit(X, y)
        return fitted


class Unsteady(KNeighborsClassifier):  # type: ignore[misc]
    """Nearest neighbours of some wrong labels, others with each number in a file.

    Parameters
    ----------
    n_neighbors : int
        As of its base.
    dice : str
        The file's path; where there is none, all labels are right.
    """

    def __init__(self, n_neighbors: int = 5, dice: str = "") -> None:
        super().__init__(n_neighbors=n_neighbors)
        self.dice = dice

    def fit(self, X: Any, y: Any) -> Unsteady:
        y = np.array(y)
        if Path(self.dice).is_file():
            generator = np.random.default_rng(int(Path(self.dice).read_text()) + self.n_neighbors)
            wrong = generator.random(len(y)) < generator.uniform(0.5, 0.9)
            y[wrong] = generator.permutation(y[wrong])
        fitted: Unsteady = super().fit(X, y)
        return fitted
