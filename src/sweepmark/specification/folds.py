"""Division of the training rows into folds, or into fitted and held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["check_folds", "check_held_out", "fold_rows", "hold_out"]


def fold_rows(
    method: Mapping[str, Any], y: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the training rows that one fold fits on and those that it scores, as positions in y.

    The folds are those of scikit-learn's ``StratifiedKFold`` or ``KFold``.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if method["stratified"] else KFold
    seed = method["seed"] if method["shuffle"] else None
    folds = kind(method["n_splits"], shuffle=method["shuffle"], random_state=seed)
    for number, (fit, held_out) in enumerate(folds.split(y, y)):
        if number == method["fold"]:
            return fit, held_out
    raise ConfigurationError(f"fold {method['fold']} does not exist: {method['n_splits']} folds.")


def hold_out(part: Mapping[str, Any], n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the training rows that are fitted on and of those held out.

    Parameters
    ----------
    part : mapping
        ``fraction``, the share held out (rounded to whole rows); ``rows``, "last" or "random";
        ``seed`` for "random".
    n_rows : int
        Number of training rows. Both parts keep their order.

    Examples
    --------
    >>> fit, held_out = hold_out({"fraction": 0.4, "rows": "last", "seed": None}, 5)
    >>> fit.tolist(), held_out.tolist()
    ([0, 1, 2], [3, 4])
    """
    n_fit = n_rows - round(n_rows * part["fraction"])
    order = np.arange(n_rows)
    if part["rows"] == "random":
        order = np.random.default_rng(part["seed"]).permutation(n_rows)
    return np.sort(order[:n_fit]), np.sort(order[n_fit:])


def check_held_out(y_train: NDArray[np.int64], part: Mapping[str, Any]) -> None:
    """Raise if all rows, no row, or all rows of a class would be held out.

    Raises
    ------
    ConfigurationError
        With the classes that would have no fitted rows.
    """
    fit, held_out = hold_out(part, len(y_train))
    if not fit.size or not held_out.size:
        raise ConfigurationError(
            f"both parts must have rows, but evaluation.validation_fraction={part['fraction']} of "
            f"{len(y_train)} training rows holds {len(held_out)} out. Set a larger split.size."
        )
    missing = np.setdiff1d(y_train, y_train[fit])
    if missing.size:
        raise ConfigurationError(
            "every class must be fitted on, but what is left of the training part lacks "
            f"{', '.join(map(str, missing))}. Set evaluation.validation_rows=random, a smaller "
            "evaluation.validation_fraction or a larger split.size."
        )


def check_folds(y_train: NDArray[np.int64], methods: Iterable[Mapping[str, Any]]) -> None:
    """Raise if a fold would be fitted without one of the classes.

    Raises
    ------
    ConfigurationError
        With the class and the fold; this happens with unstratified folds of sorted rows.
    """
    classes = np.unique(y_train)
    for method in methods:
        fit, _ = fold_rows(method, y_train)
        missing = np.setdiff1d(classes, y_train[fit])
        if missing.size:
            raise ConfigurationError(
                f"every fold must be fitted on all classes, but fold {method['fold']} of "
                f"{method['n_splits']} would lack {', '.join(map(str, missing))}. "
                "Set evaluation.stratified=true, evaluation.shuffle=true or a larger split.size."
            )
