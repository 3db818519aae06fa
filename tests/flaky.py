"""A classifier for ``--trust flaky`` that fails for as long as a file exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
