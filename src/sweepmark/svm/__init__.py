"""Support vector classification that shares its work between fits.

:class:`SVC` is scikit-learn's; :func:`configure` bounds the memory that is shared, and
:func:`statistics` says what sharing has saved so far; :func:`warm_up` loads the solver.
"""

from __future__ import annotations

from sweepmark.cache import Statistics, configure, statistics
from sweepmark.svm import decision, solution
from sweepmark.svm.estimator import SVC

__all__ = ["SVC", "Statistics", "configure", "statistics", "warm_up"]


def warm_up() -> None:
    """Load what is compiled, so that no fit or prediction that is timed pays for it.

    It is compiled once after an installation, which takes some seconds; to load it takes half a
    second.
    """
    solution.warm_up()
    decision.warm_up()
