"""Estimator objects as components: the reverse of building them from a configuration.

What no YAML can name is refused: functions, arrays, fitted state in parameters, classes that cannot
be imported by name or whose package is not trusted.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweepmark.config.values import convert, kinds_of
from sweepmark.errors import ConfigurationError
from sweepmark.specification.components import (
    ALLOWED_PACKAGES,
    TARGET,
    bases,
    find_class,
)
from sweepmark.specification.parameters import default_of, is_settable, parameters_of

__all__ = ["name_component", "name_recipe"]

Component = dict[str, Any]

_SCALARS = (bool, int, float, str)


def name_recipe(
    estimator: Any, *, options: Sequence[Mapping[str, Any]] = (), trusted: Sequence[str] = ()
) -> tuple[Component, dict[str, Component] | None]:
    """Return the classifier and the preprocessing steps of an estimator object.

    A Pipeline is divided: its last step is the classifier, the others are preprocessing under the
    names that they have. What was fitted is ignored.

    Parameters
    ----------
    estimator : object
        A classifier of scikit-learn's interface, or a Pipeline that ends in one.
    options : sequence of mapping
        Known components. One of the same class says which parameters are named although they have
        their defaults, so that equal recipes have equal keys.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Returns
    -------
    classifier : dict
        ``_target_`` and parameters.
    preprocess : dict of str to component, or None
        None if the estimator is no Pipeline.

    Raises
    ------
    ConfigurationError
        If a part of it cannot be named in a configuration; the message says why.
    """
    from sklearn.pipeline import Pipeline

    if not isinstance(estimator, Pipeline):
        return name_component(estimator, "classifier", options=options, trusted=trusted), None
    *steps, (_, classifier) = estimator.steps
    preprocess = {
        name: name_component(step, f"preprocess.{name}", options=options, trusted=trusted)
        for name, step in steps
        if not (step is None or isinstance(step, str))  # "passthrough"
    }
    return name_component(classifier, "classifier", options=options, trusted=trusted), preprocess


def name_component(
    built: Any,
    where: str,
    *,
    options: Sequence[Mapping[str, Any]] | None = None,
    trusted: Sequence[str] = (),
) -> Component:
    """Return ``_target_`` and parameters of an object with ``get_params``.

    Parameters
    ----------
    built : object
        An estimator, fitted or not; of what is fitted nothing is kept.
    where : str
        Its place in the configuration, for messages.
    options : sequence of mapping or None
        As in :func:`name_recipe`; None names only parameters that differ from their defaults, as
        nested components do.
    trusted : sequence of str
        Packages allowed in addition to the default ones.
    """
    cls = type(built)
    params = _params(built)
    if params is None:
        raise ConfigurationError(
            f"{where} must be an estimator object, but got {_shown(built)}. Give an instance, such "
            "as SVC(C=10), or the name of an option."
        )
    component: Component = {TARGET: _name_class(cls, where, trusted)}
    known = _alike(component[TARGET], cls, params, options or ())
    named = [name for name in known if name in params]
    # All that is written can be swept; nested components have, as in YAMLs, what is not a default.
    is_whole = options is not None and not known
    for name in [*named, *(name for name in params if name not in named)]:
        value = _settled(cls, name, params[name])
        is_default = _same(value, _settled(cls, name, default_of(cls, name)))
        if name in named or not is_default or (is_whole and _is_simple(value, name)):
            component[name] = _plain(value, f"{where}.{name}", trusted)
    return component


def _params(built: Any) -> dict[str, Any] | None:
    """Return the constructor's arguments of an object; None if it does not tell them."""
    if inspect.isclass(built):
        return None
    if hasattr(built, "get_params"):
        return dict(built.get_params(deep=False))
    names = parameters_of(type(built)) if isinstance(built, bases()) else ()
    held = {name: getattr(built, name) for name in names if hasattr(built, name)}
    return held or None


def _name_class(cls: type, where: str, trusted: Sequence[str]) -> str:
    """Return the shortest path by which a class can be imported."""
    package = cls.__module__.partition(".")[0]
    allowed = ALLOWED_PACKAGES | set(trusted)
    if package not in allowed and package != "__main__":
        raise ConfigurationError(
            f"{where} must be of {', '.join(sorted(allowed))}, but {cls.__name__} is of {package}. "
            f"If you trust that code: trust=[{package!r}]."
        )
    parts = cls.__module__.split(".")
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        if vars(sys.modules[module]).get(cls.__name__) is cls and package != "__main__":
            target = f"{module}.{cls.__name__}"
            find_class(target, trusted=trusted)
            return target
    raise ConfigurationError(
        f"{where} must be of a class that another process can import, but {cls.__qualname__} is "
        f"defined in {'this program' if package == '__main__' else 'a function'}. Put it into a "
        "module of its own and give trust=['MODULE']."
    )


def _alike(
    target: str, cls: type, params: Mapping[str, Any], options: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return the parameters that the most similar option of a class names; empty without one."""
    similar = [option for option in options if option.get(TARGET) == target]

    def distance(option: Mapping[str, Any]) -> int:
        return sum(
            not _same(_settled(cls, name, params.get(name)), _settled(cls, name, value))
            for name, value in option.items()
            if name != TARGET
        )

    return [name for name in min(similar, key=distance, default={}) if name != TARGET]


def _settled(cls: type, name: str, value: Any) -> Any:
    """Return a value as a number of Python's, of the kind that the class takes."""
    return convert(value.item() if isinstance(value, np.generic) else value, kinds_of(cls, name))


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if type(one) is not type(other) or not isinstance(one, _SCALARS):
        return False
    return one == other or (one != one and other != other)  # noqa: PLR0124 -- NaN is NaN here


def _is_simple(value: Any, name: str) -> bool:
    """Return whether a parameter may be set and its value is plain, without components in it."""
    if isinstance(value, list | tuple):
        return all(_is_simple(item, name) for item in value)
    if not is_settable(name):
        return False
    return value is None or (isinstance(value, _SCALARS) and value == value)  # noqa: PLR0124 -- NaN


def _plain(value: Any, where: str, trusted: Sequence[str]) -> Any:
    """Return a parameter's value as a YAML has it, with nested components."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, where, trusted) for item in value]
    if isinstance(value, Mapping) and all(isinstance(_item(key), str | int) for key in value):
        return {_item(key): _plain(item, f"{where}.{key}", trusted) for key, item in value.items()}
    if _params(value) is not None:
        return name_component(value, where, trusted=trusted)
    raise ConfigurationError(
        f"{where} must be a value that a YAML can name (a number, text, list, mapping or "
        f"estimator), but is {_shown(value)}. {_remedy(value)}"
    )


def _item(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key


def _shown(value: Any) -> str:
    if inspect.isclass(value):
        return f"the class {value.__name__}"
    if callable(value):
        return f"the function {getattr(value, '__qualname__', type(value).__name__)}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"of type {type(value).__name__}"


def _remedy(value: Any) -> str:
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return "Give a whole number, or None for the configuration's seed."
    if isinstance(value, np.ndarray):
        return "Give a list of a few numbers, or have an estimator compute it."
    return "Put it into an estimator class in a module of its own and give trust=['MODULE']."
