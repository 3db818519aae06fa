"""The estimator: scikit-learn's SVC with RBF fits and predictions of our own."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn.svm

from sweepmark import sharing
from sweepmark.svm import threads
from sweepmark.svm.content import digest
from sweepmark.svm.decision import decide, vote
from sweepmark.svm.rows import Rows, cut, prepare, squared_norms
from sweepmark.svm.solution import Problem, Solution, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVC"]

_SINGLE_EPS = 2.0**-23
_SHARE_OF_TOL = 0.1
_LARGEST_SINGLE = 1e30  # squared lengths below it are far from float32's overflow
_LARGEST = 1e290  # and these from float64's
_TEST_STRIP = 128
_MANY = 1000  # rows from which on float32 saves what is worth saving


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    """What a fitted estimator was trained on, for as long as the estimator lives.

    Attributes
    ----------
    rows : Rows
        All training rows, class by class.
    spans : list of (int, int)
        Where each class lies in them.
    support : ndarray of int
        Where the support vectors lie in them.
    support_vectors : ndarray
        The estimator's; another array there means that it was altered.
    shift : ndarray or None
        What was subtracted from every row.
    longest : float
        Squared length of the longest row that can be predicted with float32 distances.
    """

    rows: Rows
    spans: list[tuple[int, int]]
    support: NDArray[np.intp]
    support_vectors: NDArray[np.float64]
    shift: NDArray[np.float64] | None
    longest: float


_trainings: weakref.WeakKeyDictionary[SVC, _Training] = weakref.WeakKeyDictionary()


class SVC(sklearn.svm.SVC):
    """C-support vector classification that shares distances, kernels and solutions between fits.

    Parameters, attributes, errors and methods are :class:`sklearn.svm.SVC`'s. Dense RBF fits and
    predictions are computed here, everything else (other kernels, sparse input, sample weights,
    ``probability``, ``verbose``) by the parent.

    As many threads are used as BLAS may use in this process; results do not depend on the number.

    Notes
    -----
    Distances of 1000 training rows and more are in float32 where the error this causes in the
    kernel's exponent, gamma · max ‖x‖² · 2⁻²³, is at most a tenth of ``tol``; else in float64,
    with the training rows' mean subtracted. From that kernel on, duals have the bits of libsvm's
    without shrinking: ``shrinking`` and ``cache_size`` are there for the parent's fits. Above
    C = 10, pairs of classes whose solution at C = 10 is unbounded keep it (see
    :mod:`sweepmark.svm.solution`).

    Examples
    --------
    >>> SVC(gamma=1.0).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).predict([[2.5]])
    array([1])
    """

    def to_sklearn(self) -> Any:
        """Return the same model, fitted or not, as a plain :class:`sklearn.svm.SVC`."""
        plain = sklearn.svm.SVC(**self.get_params(deep=False))
        plain.__dict__.update(self.__dict__)
        return plain

    def _dense_fit(  # noqa: PLR0913, PLR0917 - the parent's hook
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        sample_weight: NDArray[np.float64],
        solver_type: int,
        kernel: Any,
        random_seed: int,
    ) -> None:
        _trainings.pop(self, None)
        longest = _longest(X) if self._is_ours(sample_weight) else np.inf
        if not longest < _LARGEST:
            super()._dense_fit(X, y, sample_weight, solver_type, kernel, random_seed)
            return
        codes = y.astype(np.intp)
        order = np.argsort(codes, kind="stable")
        counts = tuple(np.bincount(codes).tolist())
        limit = _longest_single(self._gamma, self.tol)
        single = len(X) >= _MANY and longest <= limit
        shift = None if single else X.mean(axis=0)
        rows = prepare(
            X,
            order=order,
            strips=cut(counts),
            dtype=np.float32 if single else np.float64,
            shift=shift,
        )
        problem = Problem(
            rows=rows,
            counts=counts,
            weights=tuple(self.class_weight_.tolist()),
            gamma=float(self._gamma),
            tol=self.tol,
            max_iter=self.max_iter,
        )
        solution = solve(problem, float(self.C), n_threads=threads.available())
        support = self._take(solution, problem, order, X)
        _trainings[self] = _Training(
            rows=rows,
            spans=problem.spans,
            support=support,
            support_vectors=self.support_vectors_,
            shift=shift,
            longest=limit if single else np.inf,
        )
        self._warn_from_fit_status()

    def _is_ours(self, sample_weight: NDArray[np.float64]) -> bool:
        return bool(
            self.kernel == "rbf"
            and not len(sample_weight)
            and not self._effective_probability
            and not self.verbose
            and (self.class_weight_ > 0).all()
        )

    def _take(
        self,
        solution: Solution,
        problem: Problem,
        order: NDArray[np.intp],
        X: NDArray[np.float64],
    ) -> NDArray[np.intp]:
        """Take on libsvm's attributes; return where the support vectors lie in the rows."""
        (support,) = np.nonzero(solution.coefficients.any(axis=0))
        edges = [start for start, _ in problem.spans] + [len(order)]
        self.support_ = order[support].astype(np.int32)
        self.support_vectors_ = X.take(self.support_, axis=0)
        self._n_support = np.diff(np.searchsorted(support, edges)).astype(np.int32)
        self.dual_coef_ = np.ascontiguousarray(solution.coefficients[:, support])
        self.intercept_ = solution.intercepts.copy()
        self._probA = self._probB = np.empty(0)
        self.fit_status_ = solution.status
        self._num_iter = solution.n_iter.copy()
        return support

    def _dense_predict(self, X: NDArray[np.float64]) -> Any:
        values = self._values(X)
        if values is None:
            return super()._dense_predict(X)
        return vote(values, len(self.classes_)).astype(np.float64)

    def _dense_decision_function(self, X: NDArray[np.float64]) -> Any:
        values = self._values(X)
        return super()._dense_decision_function(X) if values is None else values.copy()

    def _values(self, X: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the pairs' decision values; None if the parent has to compute them."""
        training = _trainings.get(self)
        if (
            training is None
            or training.support_vectors is not self.support_vectors_
            or self._dual_coef_.shape != (len(self.classes_) - 1, len(training.support))
        ):
            return None
        model = (digest(self._dual_coef_), digest(self._intercept_), digest(training.support))
        key = ("decision", training.rows.key, self._gamma, *model, digest(X))
        return sharing.fetch(key, lambda: self._decide(training, X), lambda values: values.nbytes)

    def _decide(self, training: _Training, X: NDArray[np.float64]) -> NDArray[np.float64]:
        coefficients = np.zeros((len(self.classes_) - 1, len(training.rows.array)))
        coefficients[:, training.support] = self._dual_coef_
        model = {"intercepts": self._intercept_, "gamma": float(self._gamma)}
        rows = _test_rows(X, training.rows.array.dtype.type, training.shift)
        values = decide(rows, training.rows, training.spans, coefficients=coefficients, **model)
        if training.shift is None:
            far = squared_norms(X) > training.longest
            if far.any():  # a handful, if the rows are like those trained on
                values[far] = super()._dense_decision_function(X[far])
        return values


def _test_rows(
    X: NDArray[np.float64], dtype: type[np.floating[Any]], shift: NDArray[np.float64] | None
) -> Rows:
    strips = tuple(
        (start, min(start + _TEST_STRIP, len(X))) for start in range(0, len(X), _TEST_STRIP)
    )
    return prepare(X, strips=strips, dtype=dtype, shift=shift)


def _longest(X: NDArray[np.float64]) -> float:
    """Return the largest squared length of a row, remembered."""
    with np.errstate(over="ignore"):
        return sharing.fetch(
            ("longest", digest(X)), lambda: float(squared_norms(X).max()), lambda _: 64
        )


def _longest_single(gamma: float, tol: float) -> float:
    """Return the largest squared length for which float32 distances cannot matter."""
    if gamma == 0:
        return _LARGEST_SINGLE
    return min(_SHARE_OF_TOL * tol / (_SINGLE_EPS * gamma), _LARGEST_SINGLE)
