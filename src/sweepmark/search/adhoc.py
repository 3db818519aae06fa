"""Sweeps whose space stands on the command line, in Hydra's sweep syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweepmark.config.sweep_syntax import swept
from sweepmark.scores.metric_names import CV_ACCURACY, VALIDATION_ACCURACY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["AD_HOC", "is_named", "sweep_overrides"]

AD_HOC = "adhoc"
"""The sweep that has no space of its own."""

_OBJECTIVES = {"cv": CV_ACCURACY, "validation": VALIDATION_ACCURACY, "test": "null"}
_N_TRIALS = 30  # in ranges, as in sweeps/svc_tpe.yaml


def is_named(first: str) -> bool:
    """Return whether the first word of a sweep is its name, not an override of an ad-hoc one.

    Examples
    --------
    >>> is_named("svc_c_gamma"), is_named("classifier.C=1,10")
    (True, False)
    """
    return "=" not in first


def sweep_overrides(
    name: str, overrides: Sequence[str], groups: Mapping[str, Iterable[str]]
) -> list[str]:
    """Return a sweep's overrides, those that give several values as ones of ``sweep.space``.

    What an ad-hoc sweep selects by follows from its evaluation method, and ranges are searched by
    TPE in 30 trials, unless the overrides say otherwise.

    Parameters
    ----------
    name : str
        The sweep's name.
    overrides, groups
        As in :func:`sweepmark.config.sweep_syntax.swept`.
    """
    found = swept(overrides, groups)
    defaults = {}
    asked = found.values.get("evaluation")
    method = str(asked.get("method") if isinstance(asked, dict) else asked)
    if name == AD_HOC and method in _OBJECTIVES:
        defaults["sweep.objective"] = _OBJECTIVES[method]
    if name == AD_HOC and found.has_range:
        defaults |= {"sampler": "tpe", "sweep.n_trials": str(_N_TRIALS)}
    added = [f"{key}={value}" for key, value in defaults.items() if key not in found.values]
    return [*found.words, *added]
