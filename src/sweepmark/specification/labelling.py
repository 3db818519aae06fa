"""Parameters of components that contain labels, such as class weights, written as in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.specification.components import TARGET, find_class

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sweepmark.data import Labels

    Write = Callable[[Labels, int], Any]

__all__ = ["name_labels", "place_labels"]

_BY_LABEL = {"class_weight", "class_weights"}
"""Parameters that are mappings with labels as keys."""

_OF_LABEL = {"constant", "pos_label"}
"""Parameters whose value is a label."""

_TWO = 2


def name_labels(
    component: Mapping[str, Any],
    labels: Labels,
    *,
    where: str,
    positive: int | None = None,
    trusted: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a component with every label given by its name.

    A ``DummyClassifier`` with strategy "constant" and no ``constant`` gets the negative one of two
    labels.

    Parameters
    ----------
    component : mapping
        ``_target_`` and parameters; nested components likewise.
    labels : Labels
        The labels of the training part.
    where : str
        The component's place in the configuration, for messages.
    positive : int or None
        The positive one of two labels.
    trusted : sequence of str
        Packages allowed in addition to the default ones.

    Raises
    ------
    ConfigurationError
        If one is not a label of the training part.
    """

    def name(known: Labels, code: int) -> str:
        return known.called([code])[0]

    written = _written(component, labels, name, where=where, trusted=trusted)
    if written.get("strategy") == "constant" and written.get("constant") is None:
        negative = (
            labels.names[1 - labels.codes.tolist().index(positive)]
            if positive is not None
            else None
        )
        if negative is None:
            raise ConfigurationError(
                f"{where}.constant must be given, because of {len(labels.names)} labels none is "
                f"the positive one. Set {where}.constant=… to one of {', '.join(labels.names)}."
            )
        written["constant"] = negative
    return written


def place_labels(
    component: Mapping[str, Any], labels: Labels, *, trusted: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a component with every label as the estimator sees it in ``fit``.

    Parameters
    ----------
    component : mapping
        From :func:`name_labels`.
    labels : Labels
        The labels that are fitted on.
    trusted : sequence of str
        Packages allowed in addition to the default ones.
    """

    def value(known: Labels, code: int) -> int | str | bool:
        return known.value(code)

    return _written(component, labels, value, where="", trusted=trusted)


def _written(
    component: Mapping[str, Any],
    labels: Labels | None,
    write: Write,
    *,
    where: str,
    trusted: Sequence[str],
) -> dict[str, Any]:
    cls = find_class(component[TARGET], trusted=trusted)

    def nested(value: Any, path: str) -> Any:
        if isinstance(value, Mapping) and TARGET in value:
            return _written(value, _inside(cls, labels), write, where=path, trusted=trusted)
        if isinstance(value, Mapping):
            return {key: nested(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [nested(item, path) for item in value]
        return value

    written: dict[str, Any] = {}
    for name, value in component.items():
        path = f"{where}.{name}"
        if name in _BY_LABEL and isinstance(value, Mapping):
            keys = {key: write(*_found(key, labels, path)) for key in value}
            # 1 equals True, and skops 0.16 reads every boolean key as True.
            written[name] = {
                int(keys[key]) if isinstance(keys[key], bool) else keys[key]: item
                for key, item in value.items()
            }
        elif name in _OF_LABEL and isinstance(value, str | int):
            written[name] = write(*_found(value, labels, path))
        else:
            written[name] = nested(value, path)
    return written


def _found(wanted: object, labels: Labels | None, where: str) -> tuple[Labels, int]:
    if labels is None:
        raise ConfigurationError(
            f"{where} cannot name a label, because its estimator is given two classes at a time "
            f"or one against the rest, but got {wanted}. Set {where}=balanced or null."
        )
    code = labels.find(wanted)
    if code is None:
        raise ConfigurationError(unknown_name(f"label in {where}", str(wanted), labels.names))
    return labels, code


def _inside(cls: type, labels: Labels | None) -> Labels | None:
    """Return the labels that the nested components of a component are fitted on.

    Some of scikit-learn's meta-estimators encode the classes from 0; some fit on a subset of the
    classes at a time: None then, unless there are only two classes.
    """
    numbering, dividing = _meta_estimators()
    if labels is None or not issubclass(cls, (*numbering, *dividing)):
        return labels
    if issubclass(cls, dividing) and len(labels.names) > _TWO:
        return None
    return replace(labels, values=np.arange(len(labels.names)))


@cache
def _meta_estimators() -> tuple[tuple[type, ...], tuple[type, ...]]:
    from sklearn import ensemble, multiclass

    numbering = (ensemble.BaggingClassifier, ensemble.StackingClassifier, ensemble.VotingClassifier)
    dividing = (
        multiclass.OneVsOneClassifier,
        multiclass.OneVsRestClassifier,
    )
    return numbering, dividing
