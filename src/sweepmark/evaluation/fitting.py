"""Fitting a Pipeline, at once or by epochs, and predicting with it, with little memory."""

from __future__ import annotations

import sys
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sweepmark.evaluation.prepared import Prepared, prepare, transform
from sweepmark.scores import metric_names
from sweepmark.scores.measurement import log_loss
from sweepmark.specification.answers import score_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline
    from threadpoolctl import ThreadpoolController

    from sweepmark.data import Part

__all__ = ["Answer", "find_positive", "fit", "fit_epochs", "limited", "predict_rows"]

Answer = tuple["NDArray[Any]", "NDArray[np.float64] | None", "NDArray[np.floating[Any]] | None"]
"""Labels; scores of each class, or of the positive one of two; probabilities of each class, in the
classifier's own precision."""

_FLOATS = (np.float64, np.float32, np.float16)
_TWO = 2


def limited(threads: int) -> AbstractContextManager[object]:
    """Limit the threads of the BLAS and OpenMP libraries loaded so far."""
    limiter: AbstractContextManager[object] = _thread_pools(len(sys.modules)).limit(limits=threads)
    return limiter


@lru_cache(maxsize=1)
def _thread_pools(n_modules: int) -> ThreadpoolController:
    """Return the loaded BLAS and OpenMP libraries; searched again only after further imports."""
    from threadpoolctl import ThreadpoolController

    del n_modules
    return ThreadpoolController()


def fit(pipeline: Pipeline, rows: Callable[[], Part], *, key: str | None) -> float:
    """Fit a Pipeline and return the seconds it took.

    Equivalent to ``Pipeline.fit``, but the input of each step is released as soon as possible, and
    the output of preprocessing is cached (see :mod:`sweepmark.evaluation.prepared`). A step with
    ``fit_resample`` changes the rows and their labels; it is applied in fitting only.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted.
    rows : callable
        Returns the rows to fit on.
    key : str or None
        What decides the rows and what the steps make of them; None shares nothing.
    """
    X, y, seconds = _fit_steps(pipeline, rows, key)
    started = time.perf_counter()
    pipeline.steps[-1][1].fit(X, y)
    return seconds + time.perf_counter() - started


def fit_epochs(  # noqa: PLR0913 -- each has a meaning of its own
    pipeline: Pipeline,
    rows: Callable[[], Part],
    held_out: Callable[[], Part] | None,
    *,
    key: str | None,
    n_epochs: int,
    positive: Any = None,
    threshold: float | None = None,
) -> tuple[float, dict[str, tuple[float, ...]]]:
    """Fit a Pipeline whose classifier has ``partial_fit``, with one pass over the rows per epoch.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted.
    rows : callable
        Returns the rows to fit on.
    held_out : callable or None
        Returns the rows to monitor.
    key : str
        As in :func:`fit`.
    n_epochs : int
        Number of passes.
    positive : label or None
        As for :func:`predict_rows`.
    threshold : float or None
        For two classes, the score from which on a row counts as positive.

    Returns
    -------
    seconds : float
        Seconds, without the time of monitoring.
    curves : mapping of str to n_epochs floats
        Loss and accuracy after each epoch, of the rows fitted on (after preprocessing) and of those
        held out; no loss without ``predict_proba``.
    """
    X, y, seconds = _fit_steps(pipeline, rows, key)
    watched = {metric_names.train: (X, y)}
    if held_out is not None:
        part = held_out()
        watched[metric_names.validation] = (_transform(pipeline, part.X).X, part.y)
    classifier = pipeline.steps[-1][1]
    classes = np.unique(y)
    curves: dict[str, list[float]] = {}
    seed = _shuffle_on(classifier)
    for epoch in range(n_epochs):
        started = time.perf_counter()
        # ``classes`` in the first call only: some classifiers would start anew.
        classifier.partial_fit(X, y, **({} if epoch else {"classes": classes}))
        seconds += time.perf_counter() - started
        for name, (X_watched, y_watched) in watched.items():
            found = _watch(classifier, X_watched, y_watched, positive, threshold)
            for metric, value in found.items():
                curves.setdefault(name(metric), []).append(value)
    if seed is not None:
        classifier.set_params(random_state=seed)
    return seconds, {name: tuple(values) for name, values in curves.items()}


def _shuffle_on(classifier: Any) -> int | None:
    """Let a classifier continue its random numbers between epochs, and return its initial seed.

    scikit-learn's classifiers reset the generator at each ``partial_fit`` if ``random_state`` is a
    number, so that every epoch would have the rows in the same order.
    """
    seed = classifier.get_params(deep=False).get("random_state")
    if not isinstance(seed, int):
        return None
    classifier.set_params(random_state=np.random.RandomState(seed))
    return seed


def predict_rows(
    pipeline: Pipeline,
    X: NDArray[Any],
    *,
    positive: Any = None,
    threshold: float | None = None,
    key: str | None = None,
) -> tuple[Answer, float]:
    """Return the labels, scores and probabilities of rows, and the seconds of the labels.

    Steps with ``fit_resample`` are skipped.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    X : ndarray or DataFrame of shape (n, n_features)
        Rows.
    positive : label or None
        Of two classes, the one that scores refer to; None takes the second, as scikit-learn does.
    threshold : float or None
        For two classes, the score from which on a row counts as positive; None leaves the labels
        to the classifier.
    key : str or None
        What decides the rows and what the steps make of them; None shares nothing.
    """
    transformed = _transform(pipeline, X, key)
    X = transformed.X
    started = time.perf_counter()
    classifier = pipeline.steps[-1][1]
    if threshold is None:
        y_pred = np.asarray(classifier.predict(X))
        seconds = time.perf_counter() - started
        scores, probabilities = _scores(classifier, X, positive)
    else:
        scores, probabilities = _scores(classifier, X, positive)
        y_pred = _labels(classifier, scores, positive, threshold)
        seconds = time.perf_counter() - started
    if probabilities is None and hasattr(classifier, "predict_proba"):
        probabilities = _probabilities(classifier, X)
    return (y_pred, scores, probabilities), transformed.seconds + seconds


def _fit_steps(
    pipeline: Pipeline, rows: Callable[[], Part], key: str | None
) -> tuple[Any, Any, float]:
    """Fit the preprocessing steps; return the classifier's input and the seconds."""
    names, steps = zip(*pipeline.steps, strict=True)
    prepared = prepare(steps[:-1], rows, key=key)
    pipeline.steps = list(zip(names, (*prepared.steps, steps[-1]), strict=True))
    return prepared.X, prepared.y, prepared.seconds


def _transform(pipeline: Pipeline, X: Any, key: str | None = None) -> Prepared:
    return transform([step for _, step in pipeline.steps[:-1]], X, key=key)


def _watch(
    classifier: Any, X: Any, y: NDArray[Any], positive: Any, threshold: float | None
) -> Mapping[str, float]:
    metrics = {}
    if hasattr(classifier, "predict_proba"):
        probabilities = _probabilities(classifier, X)
        metrics[metric_names.LOSS] = log_loss(y, probabilities, classifier.classes_)
    if threshold is None:
        y_pred = classifier.predict(X)
    else:
        y_pred = _labels(classifier, _scores(classifier, X, positive)[0], positive, threshold)
    metrics[metric_names.ACCURACY] = float(np.mean(y_pred == y))
    return metrics


def _labels(
    classifier: Any, scores: NDArray[np.float64] | None, positive: Any, threshold: float
) -> NDArray[Any]:
    if scores is None or scores.ndim != 1:
        raise ValueError("a threshold needs one score a row")
    place = find_positive(classifier, positive)
    labels = np.asarray(classifier.classes_)
    return np.asarray(np.where(scores >= threshold, labels[place], labels[1 - place]))


def find_positive(classifier: Any, positive: Any) -> int:
    """Return the index of the positive one of two classes; None stands for the second."""
    return 1 if positive is None else int(np.flatnonzero(classifier.classes_ == positive)[0])


def _scores(
    classifier: Any, X: Any, positive: Any
) -> tuple[NDArray[np.float64] | None, NDArray[np.floating[Any]] | None]:
    """Return the scores, or None, and the probabilities if the scores are these.

    Scores have a column per class, or for two classes are those of the positive one: if that is the
    first class, decision values have the opposite sign, as in scikit-learn with ``pos_label``.
    """
    n_classes = len(classifier.classes_)
    for method in score_methods(classifier, n_classes):
        if not hasattr(classifier, method):
            continue
        shares = _probabilities(classifier, X) if method == "predict_proba" else None
        answer = classifier.decision_function(X) if shares is None else shares
        scores = np.asarray(answer, dtype=np.float64)
        if n_classes == _TWO:
            place = find_positive(classifier, positive)
            signed = scores if place else -scores
            return (scores[:, place] if scores.ndim > 1 else signed), shares
        if scores.shape == (X.shape[0], n_classes):
            return scores, shares
    return None, None


def _probabilities(classifier: Any, X: Any) -> NDArray[np.floating[Any]]:
    """Return probabilities in the classifier's own precision, on which the log loss depends."""
    shares = np.asarray(classifier.predict_proba(X))
    return shares if shares.dtype in _FLOATS else shares.astype(np.float64)
