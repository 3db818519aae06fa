"""Support vector classification that reuses work across fits.

:class:`SVC` has the interface of scikit-learn's; :func:`warm_up` loads the solver. What fits share
is in :mod:`sweepmark.cache`.
"""

from __future__ import annotations

from sweepmark.svm import decision, solution
from sweepmark.svm.estimator import SVC

__all__ = ["SVC", "warm_up"]


def warm_up() -> None:
    """Load compiled code, so that its loading is not timed as part of a fit or prediction.

    Compilation happens once after an installation and takes some seconds; loading takes half a
    second.
    """
    solution.warm_up()
    decision.warm_up()
