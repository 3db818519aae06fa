"""The metrics that a configuration asks for in ``evaluation.metrics``, with their parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.scores import metric_names as names
from sweepmark.scores.metrics import TEST_NAMES
from sweepmark.scores.scorers import SCORERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.scores.scored import Scored
    from sweepmark.scores.scorers import Scorer

__all__ = ["Request", "check_cost", "implied", "parse_requests"]

_WHERE = "evaluation.metrics"
_EXAMPLES = {
    "beta": "{name: fbeta, beta: 2}",
    "k": "{name: top_k_accuracy, k: 3}",
    "cost": "{name: cost, cost: {ACTUAL: {PREDICTED: 5}}}",
}
_CALLED = {f"neg_{names.LOG_LOSS}": names.LOG_LOSS}
"""Scorers of scikit-learn that are in every evaluation under another name."""

_LARGEST = 1e9
_LARGEST_K = 10**6


@dataclass(frozen=True, slots=True)
class Request:
    """A metric of :data:`sweepmark.scores.scorers.SCORERS` with its parameters.

    Attributes
    ----------
    name : str
        Without prefixes.
    options : mapping of str to value
        All of its parameters.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scorer(self) -> Scorer:
        """Its row of the table."""
        return SCORERS[self.name]

    def of(self, scored: Scored) -> float | None:
        """Return its value; None where it is undefined."""
        value = self.scorer.of(scored, **self.options)
        return value if value is None or math.isfinite(value) else None


def parse_requests(entries: Sequence[Any]) -> tuple[Request, ...]:
    """Return the metrics that are asked for; those that every evaluation has are left out.

    Parameters
    ----------
    entries : sequence of str or mapping
        Names, or mappings of ``name`` and parameters.

    Raises
    ------
    ConfigurationError
        If a metric or a parameter does not exist, or is asked for twice.

    Examples
    --------
    >>> parse_requests(["accuracy", {"name": "fbeta", "beta": 2}])
    (Request(name='fbeta', options={'beta': 2.0}),)
    """
    found: dict[str, Request] = {}
    for entry in entries:
        asked = dict(entry) if isinstance(entry, Mapping) else {"name": entry}
        name = asked.pop("name", None)
        if not isinstance(name, str):
            raise ConfigurationError(
                f"a metric must be a name, or a mapping of name and parameters, but {_WHERE} has "
                f"{entry!r}. Write {_EXAMPLES['beta']}."
            )
        request = _request(name, asked)
        if name in found:
            raise ConfigurationError(f"{_WHERE} must have each metric once, but has {name} twice.")
        if request is not None:
            found[name] = request
    return tuple(found.values())


def _request(name: str, asked: Mapping[str, Any]) -> Request | None:
    if name in SCORERS:
        known = SCORERS[name].options
    elif name in TEST_NAMES:
        known = {}
    else:
        raise ConfigurationError(_unknown(name))
    for option in asked:
        if option not in known:
            raise ConfigurationError(
                f"{name} in {_WHERE}: {unknown_name('parameter', str(option), known)}"
            )
    given = {**known, **asked}
    for option, value in given.items():
        if value is None:
            raise ConfigurationError(
                f"{name} must be told its {option}. Set '{_WHERE}=[{_example(name, option)}]'."
            )
    if name not in SCORERS:
        return None
    return Request(name, {option: _CHECKS[option](value, name) for option, value in given.items()})


def _unknown(name: str) -> str:
    """Return the message for a name that no metric of classifiers has."""
    if name in _CALLED:
        return (
            f"{name} is called {_CALLED[name]} here, is in every evaluation that can have it, and "
            "is better when it is lower. Leave it out."
        )
    message = unknown_name("metric", name, [*TEST_NAMES, *SCORERS])
    from sklearn.metrics import get_scorer_names

    if name in get_scorer_names():
        return f"{name} of scikit-learn is not for one label a row of a classifier: {message}"
    return message


def _example(name: str, option: str) -> str:
    return _EXAMPLES[option].replace("fbeta", name)


def _beta(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LARGEST:
        raise ConfigurationError(
            f"beta must be a number above 0, the weight of recall beside precision, but {name} in "
            f"{_WHERE} has beta={value!r}. Write {_example(name, 'beta')}."
        )
    return float(value)


def _k(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST_K:
        raise ConfigurationError(
            f"k must be a count of at least 1, but {name} in {_WHERE} has k={value!r}. "
            f"Write {_EXAMPLES['k']}."
        )
    return value


def _costs(value: Any, name: str) -> dict[str, dict[str, float]]:
    """Return the cost of each pair of labels, as numbers by the labels' names."""
    rows = value if isinstance(value, dict) else {"": value}
    costs = {
        str(actual): {str(predicted): cost for predicted, cost in row.items()}
        for actual, row in rows.items()
        if isinstance(row, dict)
    }
    numbers = [cost for row in costs.values() for cost in row.values()]
    is_right = all(
        isinstance(cost, int | float) and not isinstance(cost, bool) and abs(cost) <= _LARGEST
        for cost in numbers
    )
    if len(costs) != len(rows) or not numbers or not is_right:
        raise ConfigurationError(
            f"{name} must be a number for each kind of mistake, by the actual and then the "
            f"predicted label, but {_WHERE} has cost={value!r}. Write {_EXAMPLES['cost']}."
        )
    return {
        actual: {predicted: float(cost) for predicted, cost in row.items()}
        for actual, row in costs.items()
    }


_CHECKS = {"beta": _beta, "k": _k, "cost": _costs}


def implied(requests: Sequence[Request], name: str | None) -> tuple[Request, ...]:
    """Return the requests with a metric that is named elsewhere, such as by an objective.

    Parameters
    ----------
    requests : sequence of Request
        What is asked for already.
    name : str or None
        With or without a prefix; one that every evaluation has, or that is unknown, adds nothing.

    Raises
    ------
    ConfigurationError
        If it has parameters that must be given.

    Examples
    --------
    >>> implied((), "cv_matthews_corrcoef")
    (Request(name='matthews_corrcoef', options={}),)
    """
    bare = names.of_rows(name or "")
    if bare in SCORERS and bare not in {request.name for request in requests}:
        return (*requests, *parse_requests([bare]))
    return tuple(requests)


def check_cost(request: Request, labels: Sequence[str]) -> None:
    """Raise if a cost is of labels that the training part does not have.

    Raises
    ------
    ConfigurationError
        With the labels that there are.
    """
    costs = request.options.get("cost", {})
    for label in [*costs, *(label for row in costs.values() for label in row)]:
        if label not in labels:
            raise ConfigurationError(
                f"{request.name} in {_WHERE}: {unknown_name('label', label, labels)}"
            )
