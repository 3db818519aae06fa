from sweepmark import errors as errors
from sweepmark.api import Scorecard as Scorecard
from sweepmark.api import Store as Store
from sweepmark.api import Sweep as Sweep
from sweepmark.api import evaluate as evaluate
from sweepmark.api import load_dataset as load_dataset
from sweepmark.api import open as open  # noqa: A004 -- sweepmark.open
from sweepmark.api import resume as resume
from sweepmark.api import sweep as sweep

__version__: str
