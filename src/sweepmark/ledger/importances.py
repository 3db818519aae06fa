"""Parameter importances: how much of a metric's variance each swept parameter explains."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sweepmark.ledger.study import frozen_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.scores.metrics import Direction
    from sweepmark.search.space import Space
    from sweepmark.search.trial import Trial

__all__ = ["importances"]

_FEWEST = 4  # with fewer finished trials there is nothing to tell parameters apart by
_SEED = 0
_MOST = 1000  # trials; the time grows with their number


def importances(
    space: Space, trials: Sequence[Trial], *, metric: str, direction: Direction
) -> dict[str, float]:
    """Return the importance of each swept parameter by Optuna's fANOVA.

    Only parameters that every finished trial has, and that vary, can be compared.

    Parameters
    ----------
    space : Space
        The search space.
    trials : sequence of Trial
        The trials; those without a finite value of the metric are left out, and those after the
        first thousand.
    metric : str
        The metric that is explained.
    direction : {"maximize", "minimize"}
        Its better end.

    Returns
    -------
    dict of str to float
        Shares of the explained variance, which add up to 1, the largest first. Empty if there are
        too few trials, fewer than two such parameters, or if the metric does not vary.

    References
    ----------
    F. Hutter, H. Hoos and K. Leyton-Brown (2014), "An efficient approach for assessing
    hyperparameter importance", ICML, PMLR 32(1), 754-762.
    """
    values = [trial.metrics.get(metric, math.nan) for trial in trials]
    pairs = [(trial, value) for trial, value in zip(trials, values, strict=True)]
    finished = [pair for pair in pairs if math.isfinite(pair[1])][:_MOST]
    if len(finished) < _FEWEST or len({value for _, value in finished}) == 1:
        return {}
    common = set.intersection(*(set(trial.params) for trial, _ in finished))
    names = [
        axis.name
        for axis in space.all_axes()
        if axis.name in common and len({repr(trial.params[axis.name]) for trial, _ in finished}) > 1
    ]
    return _evaluate(space, finished, names, direction) if len(names) > 1 else {}


def _evaluate(
    space: Space, finished: Sequence[tuple[Trial, float]], names: list[str], direction: Direction
) -> dict[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction=direction)
    axes = {axis.name: axis for axis in space.all_axes() if axis.name in names}
    study.add_trials([frozen_trial(trial, value, axes) for trial, value in finished])
    evaluator = FanovaImportanceEvaluator(seed=_SEED)
    found = get_param_importances(study, evaluator=evaluator, params=names)
    return {name: float(share) for name, share in found.items()}
