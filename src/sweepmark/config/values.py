"""Kinds of number: scikit-learn may treat the integer 1 and the float 1.0 differently.

``BaggingClassifier(max_features=1)`` draws one feature, ``max_features=1.0`` all of them. A number
therefore keeps its type, unless the class does not distinguish integers there.
"""

from __future__ import annotations

import json
import math
import sys
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Kinds", "convert", "is_integer", "is_number", "is_scale", "kinds_of", "show"]

Kinds = frozenset[type]
"""``{float}``, ``{int}`` or both."""

_FLOATS: Kinds = frozenset({float})
_LARGEST_FLOAT = sys.float_info.max


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer; Python takes True for one.

    Examples
    --------
    >>> is_integer(1), is_integer(1.0), is_integer(True)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object, *, largest: float = math.inf) -> TypeGuard[int | float]:
    """Tell whether a value is an integer or a float within bounds, which NaN never is.

    Examples
    --------
    >>> is_number(1.5), is_number(True), is_number("1"), is_number(math.nan)
    (True, False, False, False)
    >>> is_number(-1e6, largest=1e6), is_number(math.inf, largest=1e6)
    (True, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= largest


@cache
def kinds_of(cls: type, parameter: str) -> Kinds | None:
    """Return the kinds of number that a class distinguishes for a parameter, by its constraints.

    If the constraints have an interval of real numbers and none of integers, an integer means the
    float of the same value. A bare type, such as ``Real``, is no information.

    Parameters
    ----------
    cls : type
        Any class; ``_parameter_constraints`` are scikit-learn's.
    parameter : str
        The name of a constructor parameter.

    Returns
    -------
    frozenset of type or None
        None if the class has no such constraint.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.svm import SVC
    >>> kinds_of(SVC, "C") == {float}, kinds_of(SVC, "degree") == {int}
    (True, True)
    >>> kinds_of(BaggingClassifier, "max_features") == {int, float}
    True
    """
    from sklearn.utils._param_validation import Interval, Options

    rules = getattr(cls, "_parameter_constraints", None)
    listed = rules.get(parameter) if isinstance(rules, dict) else None
    if not isinstance(listed, list | tuple):
        return None
    kinds: set[type] = set()
    for rule in (getattr(item, "constraint", item) for item in listed):  # unwraps Hidden
        if isinstance(rule, str):
            kinds |= {int} if rule in {"cv_object", "random_state", "verbose"} else set()
        elif rule is Integral:
            kinds.add(int)
        elif isinstance(rule, Interval | Options) and issubclass(rule.type, Real):
            kinds.add(int if rule.type is Integral else float)
    return frozenset(kinds) or None


def convert(value: Any, kinds: Kinds | None) -> Any:
    """Return an integer as a float if only floats are taken; any other value unchanged.

    Parameters
    ----------
    value : object
        An integer becomes a float if there is one of exactly its value.
    kinds : frozenset of type or None
        The kinds taken, as :func:`kinds_of` returns them.

    Examples
    --------
    >>> convert(1, frozenset({float})), convert(1, frozenset({int, float})), convert(1, None)
    (1.0, 1, 1)
    >>> convert(True, frozenset({float})), convert(10.0, frozenset({int}))
    (True, 10.0)
    """
    if kinds != _FLOATS or not is_integer(value):
        return value
    is_exact = abs(value) <= _LARGEST_FLOAT and int(float(value)) == value
    return float(value) if is_exact else value


def is_scale(values: Iterable[Any]) -> bool:
    """Return whether values form a scale: all integers, or all floats.

    Mixed values have no defined order: 1 may be a count and 1.0 a share.

    Examples
    --------
    >>> is_scale([1, 8]), is_scale([0.5, 1.0]), is_scale([1, 1.0]), is_scale([True, False])
    (True, True, False, False)
    """
    return {type(value) for value in values} in ({int}, {float})


def show(value: object) -> str:
    """Format a value for tables and names: four digits, floats distinguishable from integers.

    Examples
    --------
    >>> show(1), show(1.0), show(0.012346), show(1e5), show("scale"), show(True)
    ('1', '1.0', '0.01235', '1e+05', 'scale', 'true')
    """
    if isinstance(value, float):
        text = f"{value:.4g}"
        return f"{text}.0" if text.lstrip("-").isdecimal() else text
    return value if isinstance(value, str) else json.dumps(value)
