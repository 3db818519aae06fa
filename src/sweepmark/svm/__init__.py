"""Support vector classification that shares its work between fits.

:class:`SVC` is scikit-learn's; :func:`configure` bounds the memory that is shared, and
:func:`statistics` says what sharing has saved so far.
"""

from __future__ import annotations

from sweepmark.sharing import Statistics, configure, statistics
from sweepmark.svm.estimator import SVC

__all__ = ["SVC", "Statistics", "configure", "statistics"]
