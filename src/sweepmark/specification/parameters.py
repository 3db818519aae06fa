"""The parameters that a class takes, and which of them a configuration may set."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "THREADS",
    "accepts",
    "check_effect",
    "check_parameter",
    "default_of",
    "is_settable",
    "parameters_of",
]

THREADS = ("n_jobs", "thread_count", "num_threads", "nthread")
"""Names of the parameter for the number of threads: joblib and scikit-learn, CatBoost, LightGBM,
XGBoost."""

_OURS = {
    **dict.fromkeys(THREADS, "the engine's: set engine.workers and engine.threads"),
    "verbose": "the program's own: progress is shown by sweepmark",
}
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_REFUSED = {"memory": "a cache folder is read with pickle, which executes what lies in it"}


@cache
def _named(cls: type) -> Mapping[str, Any]:
    """Return the parameters in the signature of a constructor with their defaults."""
    known = inspect.signature(cls).parameters.values()
    return {each.name: each.default for each in known if each.kind in _BY_NAME}


@cache
def _further(cls: type) -> Mapping[str, Any] | None:
    """Return what ``get_params`` knows besides, if a constructor takes ``**kwargs``.

    None if only an instance with arguments can tell.
    """
    known = inspect.signature(cls).parameters.values()
    if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in known):
        return {}
    try:
        return dict(cls().get_params(deep=False))
    except Exception:  # noqa: BLE001 -- a trusted class may raise anything
        return None


def accepts(cls: type, parameter: str) -> bool:
    """Return whether a class is known to take a parameter."""
    return parameter in parameters_of(cls)


def default_of(cls: type, parameter: str) -> Any:
    """Return the default of a constructor's parameter; ``Parameter.empty`` if it has none."""
    known = dict(_further(cls) or {}) | dict(_named(cls))
    return known.get(parameter, inspect.Parameter.empty)


def parameters_of(cls: type) -> tuple[str, ...]:
    """Return the names of a constructor's parameters.

    If it takes ``**kwargs``, as XGBoost's does, those of ``get_params`` are among them.
    """
    return tuple(dict.fromkeys([*(_further(cls) or ()), *_named(cls)]))


def is_settable(parameter: str) -> bool:
    """Return whether a configuration may set a parameter of this name."""
    return parameter not in _OURS and parameter not in _REFUSED


def check_parameter(cls: type, name: str, *, where: str) -> None:
    """Raise if a configuration must not set a parameter, or the class has none of that name.

    Raises
    ------
    ConfigurationError
        With the parameters of the class.
    """
    if name in _OURS:
        raise ConfigurationError(f"{where}.{name} is {_OURS[name]}. Remove it.")
    if name in _REFUSED:
        raise ConfigurationError(f"{where}.{name} is refused: {_REFUSED[name]}. Remove it.")
    if not accepts(cls, name) and _further(cls) is not None:
        options = [f"{where}.{item}" for item in parameters_of(cls)]
        kind = f"parameter of {cls.__name__}"
        raise ConfigurationError(unknown_name(kind, f"{where}.{name}", options))


def check_effect(built: Any, names: Mapping[str, Any]) -> None:
    """Raise if an object swallowed an argument: one of ``**kwargs`` that it does not report.

    Raises
    ------
    ConfigurationError
        With the parameters that it has.
    """
    cls: type = type(built)
    given = [name for name in names if name not in _named(cls)]
    if not given:
        return
    held = built.get_params(deep=False) if hasattr(built, "get_params") else {}
    for name in given:
        if name not in held:
            raise ConfigurationError(unknown_name(f"parameter of {cls.__name__}", name, held))
