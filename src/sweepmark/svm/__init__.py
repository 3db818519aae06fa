"""Support vector classification that shares its work between fits.

:class:`SVC` is scikit-learn's; :func:`configure` bounds the memory that is shared, and
:func:`statistics` says what sharing has saved so far; :func:`warm_up` loads the solver.
"""

from __future__ import annotations

from sweepmark.sharing import Statistics, configure, statistics
from sweepmark.svm.estimator import SVC
from sweepmark.svm.solution import warm_up

__all__ = ["SVC", "Statistics", "configure", "statistics", "warm_up"]
