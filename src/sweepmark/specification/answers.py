"""What a classifier can answer with besides labels, told before it is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweepmark.config import Folders
from sweepmark.specification.components import build

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PROBABILITIES", "can_answer", "classifiers_with", "score_methods", "scores_pairs"]

PROBABILITIES = ("predict_proba",)
_SCORES = ("decision_function", "predict_proba")
_TWO = 2


def can_answer(classifier: Any, methods: Sequence[str]) -> bool:
    """Tell whether a classifier has one of some methods, or may have it once it is fitted.

    A search among parameters has what its best one has, and a stack without a final estimator
    takes one with all of them.
    """
    from sklearn.model_selection._search import BaseSearchCV

    if any(hasattr(classifier, method) for method in methods):
        return True
    held = [classifier, *classifier.get_params(deep=True).values()]
    return any(
        isinstance(each, BaseSearchCV) or getattr(each, "final_estimator", each) is None
        for each in held
        if each is not None
    )


def score_methods(classifier: Any, n_classes: int) -> tuple[str, ...]:
    """Return the methods whose answer may be scores of each class; the first there is counts."""
    if n_classes > _TWO and scores_pairs(classifier):
        return PROBABILITIES
    return _SCORES


def scores_pairs(classifier: Any) -> bool:
    """Tell whether decisions are of pairs of classes: of three classes there are three pairs."""
    parameters = classifier.get_params(deep=True)
    return any(
        name.endswith("decision_function_shape") and value == "ovo"
        for name, value in parameters.items()
    )


def classifiers_with(*methods: str) -> list[str]:
    """Return our options of group ``classifier`` that have one of some methods as they are."""
    import yaml

    folders = Folders()
    found = []
    for option in folders.groups()["classifier"]:
        text = folders.option_path("classifier", option).read_text(encoding="utf-8")
        component = yaml.safe_load(text)
        if can_answer(build(component), methods):
            found.append(option)
    return found
