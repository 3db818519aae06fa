"""The SVC estimator: scikit-learn's, with its own implementation of RBF fits and predictions."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn.svm

from sweepmark import cache
from sweepmark.svm import precision, threads
from sweepmark.svm.content import digest
from sweepmark.svm.decision import Trained, decide, vote
from sweepmark.svm.solution import Problem, Solution, solve
from sweepmark.svm.strips import cut_strips, order_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVC"]


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    """The training data of a fitted estimator, kept while the estimator lives.

    Attributes
    ----------
    trained : Trained
    support_vectors : ndarray
        The estimator's support vectors, frozen; another array there means that the model was
        modified.
    n_support : bytes
        The digest of the number of support vectors per class.
    """

    trained: Trained
    support_vectors: NDArray[np.float64]
    n_support: bytes


_trainings: weakref.WeakKeyDictionary[SVC, _Training] = weakref.WeakKeyDictionary()


class SVC(sklearn.svm.SVC):
    """C-support vector classification that shares distances, kernels and solutions between fits.

    Parameters, attributes, errors and methods are those of :class:`sklearn.svm.SVC`, except that
    ``support_vectors_`` cannot be changed in place. Dense RBF fits and predictions are computed
    here, everything else (other kernels, sparse input, sample weights, ``probability``,
    ``verbose``) by the parent.

    It uses as many threads as BLAS may use in this process; results do not depend on the number.

    Notes
    -----
    Let L be the largest ‖x‖² of the training rows, and e = gamma · L · max(1, C / 10), with C times
    the largest class weight. Distances of training rows are in float32 from 1000 rows on where
    e ≤ 2¹⁹ · min(``tol``, 10⁻³) and L is between 2⁻⁴⁰ and 2⁴⁰; else in float64 where
    e ≤ 2⁴⁸ · min(``tol``, 10⁻³) and L is between 2⁻⁹⁰⁰ and 2⁹⁰⁰; else the parent fits. Within
    these bounds the kernel's relative error is at most ``tol``, and less in proportion above
    C = 10 (:mod:`sweepmark.svm.precision` derives them). From that kernel on, in float32 like
    libsvm's, duals have the bits of libsvm's without shrinking: ``shrinking`` and ``cache_size``
    only affect the parent's fits. Above C = 10, pairs of classes whose solution at C = 10 is
    unbounded keep it (see :mod:`sweepmark.svm.solution`).

    Decisions are in float64 throughout, from differences of the original rows, as in libsvm: a
    row's decision values are a function of the model and the row, so that equal rows have equal
    bits.

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
        ours = self._is_ours(sample_weight)
        content = digest(X) if ours else b""
        dtype = self._precision(X, content) if ours else None
        if dtype is None:
            super()._dense_fit(X, y, sample_weight, solver_type, kernel, random_seed)
            return
        codes = y.astype(np.intp)
        order = np.argsort(codes, kind="stable")
        counts = tuple(np.bincount(codes).tolist())
        problem = Problem(
            rows=order_rows(
                X, content=content, order=order, strips=cut_strips(counts), dtype=dtype
            ),
            counts=counts,
            weights=tuple(self.class_weight_.tolist()),
            gamma=float(self._gamma),
            tol=float(self.tol),
            max_iter=int(self.max_iter),
        )
        solution = solve(problem, float(self.C), n_threads=threads.available())
        support = self._take(solution, problem, order, X)
        kept = cache.fetch(("frozen", content), lambda: cache.freeze(X), lambda it: it.nbytes)
        _trainings[self] = _Training(
            trained=Trained(kept, content, order, counts, support, problem.gamma),
            support_vectors=self.support_vectors_,
            n_support=digest(self._n_support),
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

    def _precision(self, X: NDArray[np.float64], content: bytes) -> type[np.floating[Any]] | None:
        return precision.choose_dtype(
            _longest(X, content),
            n_rows=len(X),
            gamma=float(self._gamma),
            tol=float(self.tol),
            bound=float(self.C) * float(self.class_weight_.max()),
        )

    def _take(
        self,
        solution: Solution,
        problem: Problem,
        order: NDArray[np.intp],
        X: NDArray[np.float64],
    ) -> NDArray[np.intp]:
        """Set libsvm's attributes; return the positions of the support vectors in the rows."""
        (support,) = np.nonzero(solution.coefficients.any(axis=0))
        edges = [start for start, _ in problem.spans] + [len(order)]
        self.support_ = order[support].astype(np.int32)
        self.support_vectors_ = cache.freeze_rows(X, self.support_)
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
        """Return the decision values of class pairs; None if the parent has to compute them."""
        training = _trainings.get(self)
        if training is None or not self._is_as_fitted(training):
            return None
        return decide(
            X,
            training.trained,
            coefficients=np.ascontiguousarray(self._dual_coef_),
            intercepts=np.ascontiguousarray(self._intercept_),
        )

    def _is_as_fitted(self, training: _Training) -> bool:
        """Return whether the model is as fitted, except for the values of coefficients."""
        n_classes = len(self.classes_)
        return (
            self.kernel == "rbf"
            and self._gamma == training.trained.gamma
            and self.support_vectors_ is training.support_vectors
            and digest(self._n_support) == training.n_support
            and self._dual_coef_.shape == (n_classes - 1, len(training.trained.support))
            and self._intercept_.shape == (n_classes * (n_classes - 1) // 2,)
        )


def _longest(X: NDArray[np.float64], content: bytes) -> float:
    """Return the largest squared norm of a row, cached."""

    def make() -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float(precision.squared_norms(X).max())

    return cache.fetch(("longest", content), make, lambda _: 64)
