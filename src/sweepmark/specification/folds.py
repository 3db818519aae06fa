"""Division of the training rows into folds, or into fitted and held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError
from sweepmark.specification.groups import first_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from sweepmark.config.schema import EvaluationConfig
    from sweepmark.config.split import SplitColumn

__all__ = ["are_stratified", "check_folds", "check_held_out", "fold_rows", "hold_out"]

_REMEDIES = {
    None: "evaluation.stratified=true, evaluation.shuffle=true",
    "groups": "fewer folds (evaluation.n_splits), evaluation.shuffle=true",
    "order": "fewer folds (evaluation.n_splits)",
}
"""What helps where a fold lacks a class, by what the folds go by."""


def are_stratified(evaluation: EvaluationConfig, by: SplitColumn | None) -> bool:
    """Return whether folds are stratified by class, which those of rows in an order never are."""
    return evaluation.stratified and (by is None or by.role == "groups")


def fold_rows(
    method: Mapping[str, Any], y: NDArray[np.int64], ranks: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the training rows that one fold fits on and those that it scores, as positions in y.

    The folds are those of scikit-learn's ``StratifiedKFold`` or ``KFold``; by groups those of
    ``StratifiedGroupKFold`` or ``GroupKFold``, in an order those of ``TimeSeriesSplit``.

    Parameters
    ----------
    method : mapping
        ``fold``, ``n_splits``, ``stratified``, ``shuffle``, ``seed``; ``by`` is "groups" or "order"
        where the split is by a column.
    y : ndarray of shape (n,)
        The targets of the training rows.
    ranks : ndarray of shape (n,), int64, or None
        The groups of these rows.
    """
    groups = ranks if method.get("by") == "groups" else None
    for number, (fit, held_out) in enumerate(_folds(method).split(y, y, groups)):
        if number == method["fold"]:
            return fit, held_out
    raise ConfigurationError(f"fold {method['fold']} does not exist: {method['n_splits']} folds.")


def _folds(method: Mapping[str, Any]) -> Any:
    """Return scikit-learn's splitter."""
    from sklearn import model_selection as of

    if method.get("by") == "order":
        return of.TimeSeriesSplit(method["n_splits"])
    kinds = {
        (False, False): of.KFold,
        (False, True): of.StratifiedKFold,
        (True, False): of.GroupKFold,
        (True, True): of.StratifiedGroupKFold,
    }
    kind = kinds[method.get("by") == "groups", method["stratified"]]
    seed = method["seed"] if method["shuffle"] else None
    return kind(method["n_splits"], shuffle=method["shuffle"], random_state=seed)


def hold_out(
    part: Mapping[str, Any], n_rows: int, ranks: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the training rows that are fitted on and of those held out.

    Parameters
    ----------
    part : mapping
        ``fraction``, the share held out (rounded to whole rows); ``rows``, "last" or "random";
        ``seed`` for "random"; ``by`` is "groups" where whole groups are held out, the last ones by
        the first row of each.
    n_rows : int
        Number of training rows. Both parts keep their order.
    ranks : ndarray of shape (n_rows,), int64, or None
        The groups of these rows.

    Examples
    --------
    >>> fit, held_out = hold_out({"fraction": 0.4, "rows": "last", "seed": None}, 5)
    >>> fit.tolist(), held_out.tolist()
    ([0, 1, 2], [3, 4])
    """
    n_fit = n_rows - round(n_rows * part["fraction"])
    order = np.arange(n_rows)
    if part.get("by") == "groups" and ranks is not None:
        groups = ranks[np.sort(np.unique(ranks, return_index=True)[1])]
        if part["rows"] == "random":
            groups = np.random.default_rng(part["seed"]).permutation(groups)
        is_fit = first_groups(ranks, groups, n_fit)
        return order[is_fit], order[~is_fit]
    if part["rows"] == "random":
        order = np.random.default_rng(part["seed"]).permutation(n_rows)
    return np.sort(order[:n_fit]), np.sort(order[n_fit:])


def check_held_out(
    y_train: NDArray[np.int64], part: Mapping[str, Any], ranks: NDArray[np.int64] | None = None
) -> None:
    """Raise if all rows, no row, or all rows of a class would be held out.

    Raises
    ------
    ConfigurationError
        With the classes that would have no fitted rows.
    """
    fit, held_out = hold_out(part, len(y_train), ranks)
    if not fit.size or not held_out.size:
        raise ConfigurationError(
            f"both parts must have rows, but evaluation.validation_fraction={part['fraction']} of "
            f"{len(y_train)} training rows holds {len(held_out)} out. Set a larger split.size."
        )
    missing = np.setdiff1d(y_train, y_train[fit])
    if missing.size:
        raise ConfigurationError(
            "every class must be fitted on, but what is left of the training part lacks "
            f"{', '.join(map(str, missing))}. Set "
            f"{'' if part.get('by') == 'order' else 'evaluation.validation_rows=random, '}"
            "a smaller evaluation.validation_fraction or a larger split.size."
        )


def check_folds(
    y_train: NDArray[np.int64],
    methods: Iterable[Mapping[str, Any]],
    ranks: NDArray[np.int64] | None = None,
) -> None:
    """Raise if a fold would be fitted without one of the classes.

    Raises
    ------
    ConfigurationError
        With the class and the fold; this happens with unstratified folds of sorted rows.
    """
    classes = np.unique(y_train)
    for method in methods:
        fit, _ = fold_rows(method, y_train, ranks)
        missing = np.setdiff1d(classes, y_train[fit])
        if missing.size:
            raise ConfigurationError(
                f"every fold must be fitted on all classes, but fold {method['fold']} of "
                f"{method['n_splits']} would lack {', '.join(map(str, missing))}. "
                f"Set {_REMEDIES[method.get('by')]} or a larger split.size."
            )
