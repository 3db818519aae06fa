"""The resolver: builds an object from a class name and plain parameters.

A configuration is untrusted. ``_target_`` may name a class of an allowed package with an allowed
base class; functions, modules and classes that read files are not accessible. Hydra's
``instantiate`` is never called: its block list lets ``joblib.load`` through.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sweepmark.config.tree import TARGET
from sweepmark.config.values import Kinds, convert, kinds_of
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.specification.parameters import (
    THREADS,
    accepts,
    check_effect,
    check_parameter,
    default_of,
    parameters_of,
)

__all__ = [
    "ALLOWED_PACKAGES",
    "TARGET",
    "bases",
    "build",
    "find_class",
    "known_parameters",
    "parameter_kinds",
    "resolve_component",
    "settle_numbers",
]

ALLOWED_PACKAGES = frozenset({"sklearn", "sweepmark"})
"""Packages whose classes are allowed; ``--trust`` adds to them."""


def find_class(target: object, *, trusted: Sequence[str] = ()) -> type:
    """Return the class of a ``_target_``.

    Parameters
    ----------
    target : str
        Dotted path of the class.
    trusted : sequence of str
        Packages allowed in addition to ALLOWED_PACKAGES.

    Raises
    ------
    ConfigurationError
        If the package is not allowed, or the name does not exist or is not a class of an allowed
        kind.
    """
    parts = target.split(".") if isinstance(target, str) else [""]
    if not isinstance(target, str) or not all(map(str.isidentifier, parts)) or len(parts) == 1:
        raise ConfigurationError(f"{TARGET} must be the dotted path of a class, got {target!r}.")
    module_name, _, name = target.rpartition(".")
    package = target.partition(".")[0]
    allowed = ALLOWED_PACKAGES | set(trusted)
    if package not in allowed:
        raise ConfigurationError(
            f"{TARGET} must name a class of {', '.join(sorted(allowed))}, but got {target!r}. "
            f"If you trust that code: --trust {package} on the command line."
        )
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # noqa: BLE001 -- a trusted package may raise anything
        raise ConfigurationError(f"{TARGET} {target!r} cannot be imported: {error}") from None
    found = getattr(module, name, None)
    if found is None:
        names = [item for item in dir(module) if inspect.isclass(getattr(module, item, None))]
        raise ConfigurationError(unknown_name(f"class in {module_name}", name, names))
    if not inspect.isclass(found) or found.__module__.partition(".")[0] not in allowed:
        raise ConfigurationError(
            f"{TARGET} must name a class, but {target!r} is none of {package}."
        )
    if not issubclass(found, bases()):
        raise ConfigurationError(
            f"{TARGET} must name an estimator, kernel, splitter or column selector, "
            f"but {target!r} is none of them."
        )
    return found


@cache
def bases() -> tuple[type, ...]:
    """Return the classes one of which a component must be a kind of."""
    from sklearn.base import BaseEstimator
    from sklearn.compose import make_column_selector
    from sklearn.gaussian_process.kernels import Kernel
    from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

    return BaseEstimator, Kernel, BaseCrossValidator, BaseShuffleSplit, make_column_selector


def resolve_component(
    component: Mapping[str, Any], *, where: str, seed: int, trusted: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a component with all parameters that affect its results filled in.

    Parameters
    ----------
    component : mapping
        ``_target_`` and parameters; nested components likewise.
    where : str
        The component's place in the configuration, for messages.
    seed : int
        The value of ``random_state`` if the class takes one and no number is given.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Raises
    ------
    ConfigurationError
        If the class or a parameter is not allowed or does not exist.
    """
    if TARGET not in component:
        raise ConfigurationError(f"{where} must name its class in {where}.{TARGET}.")
    cls = find_class(component[TARGET], trusted=trusted)
    resolved: dict[str, Any] = {}
    for name, value in component.items():
        if name != TARGET:
            check_parameter(cls, name, where=where)
        resolved[name] = _map_components(
            convert(value, parameter_kinds(component[TARGET], name)),
            lambda nested, name=name: resolve_component(  # type: ignore[misc]
                nested, where=f"{where}.{name}", seed=seed, trusted=trusted
            ),
        )
    if _is_random(cls, resolved) and resolved.get("random_state") is None:
        resolved["random_state"] = seed
    return resolved


def _is_random(cls: type, parameters: Mapping[str, Any]) -> bool:
    """Return whether a class uses a seed: KFold and similar reject one unless they shuffle."""
    from sklearn.model_selection import BaseCrossValidator

    if issubclass(cls, BaseCrossValidator) and not parameters.get("shuffle", False):
        return False
    return accepts(cls, "random_state")


def build(component: Mapping[str, Any], *, threads: int = 1, trusted: Sequence[str] = ()) -> Any:
    """Build the object of a resolved component.

    Parameters
    ----------
    component : mapping
        As :func:`resolve_component` returns it.
    threads : int
        The value of ``n_jobs`` or the equivalent parameter: outside scikit-learn the default is
        often all cores.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Raises
    ------
    ConfigurationError
        If the class rejects a parameter's value.
    """
    cls = find_class(component[TARGET], trusted=trusted)
    arguments = {
        name: _map_components(value, lambda nested: build(nested, threads=threads, trusted=trusted))
        for name, value in component.items()
        if name != TARGET
    }
    for name, value in arguments.items():
        # YAML has no tuples, but some constructors accept nothing else.
        if isinstance(value, list) and isinstance(default_of(cls, name), tuple):
            arguments[name] = tuple(value)
    parameter = next((name for name in THREADS if accepts(cls, name)), None)
    if parameter and not (threads == 1 and _is_single(cls, parameter)):
        arguments[parameter] = threads
    try:
        built = cls(**arguments)
        check_effect(built, arguments)
        if hasattr(built, "_parameter_constraints"):
            built._validate_params()
    except ConfigurationError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{cls.__name__}: {_one_line(error)}") from None
    return built


def _is_single(cls: type, parameter: str) -> bool:
    """Return whether a class uses one thread by default.

    To scikit-learn, None means one thread, and it warns if a number is given without effect; to
    others None may mean all cores.
    """
    is_known = cls.__module__.partition(".")[0] in ALLOWED_PACKAGES
    return is_known and default_of(cls, parameter) in (None, 1)


def parameter_kinds(target: object, parameter: str) -> Kinds | None:
    """Return the kinds of number that the class of a ``_target_`` distinguishes.

    None for classes of a trusted package, which may not be installed where a sweep is read: their
    parameters stay as typed.
    """
    if not isinstance(target, str) or target.partition(".")[0] not in ALLOWED_PACKAGES:
        return None
    return _kinds(target, parameter)


def known_parameters(target: object) -> dict[str, Any] | None:
    """Return the parameters of the class of a ``_target_`` with their defaults.

    None where building it is to tell: for classes of a trusted package, as for
    :func:`parameter_kinds`, and for what is no class.
    """
    if not isinstance(target, str) or target.partition(".")[0] not in ALLOWED_PACKAGES:
        return None
    try:
        cls = find_class(target)
    except ConfigurationError:
        return None
    return {name: default_of(cls, name) for name in parameters_of(cls)}


@cache
def _kinds(target: str, parameter: str) -> Kinds | None:
    try:
        return kinds_of(find_class(target), parameter)
    except ConfigurationError:  # building it raises the error
        return None


def settle_numbers(node: Any) -> Any:
    """Return a plain value with the integers of components converted to the kind their class takes.

    Examples
    --------
    >>> settle_numbers({"classifier": {"_target_": "sklearn.svm.SVC", "C": 1, "degree": 2}})
    {'classifier': {'_target_': 'sklearn.svm.SVC', 'C': 1.0, 'degree': 2}}
    """
    if isinstance(node, Mapping):
        target = node.get(TARGET)
        return {
            key: settle_numbers(convert(item, parameter_kinds(target, key)))
            for key, item in node.items()
        }
    return [settle_numbers(item) for item in node] if isinstance(node, list) else node


def _map_components(value: Any, change: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Apply a function to every component inside a plain value."""
    if isinstance(value, Mapping):
        if TARGET in value:
            return change(value)
        return {key: _map_components(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_map_components(item, change) for item in value]
    return value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
