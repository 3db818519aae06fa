"""Evaluations and sweeps, launched as the command does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sweepmark.api.datasets import listed
from sweepmark.api.sweeps import STORE, Sweep, open_folder
from sweepmark.config import Composer, Folders
from sweepmark.coordinator import LaunchOptions, create_progress, launch
from sweepmark.coordinator import resume as resume_sweep
from sweepmark.errors import ConfigurationError, calling, unknown_name
from sweepmark.search.blueprint import Blueprint
from sweepmark.search.objects import object_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sweepmark.api.scorecards import Scorecard
    from sweepmark.config.words import Override

__all__ = ["evaluate", "resume", "sweep"]


def evaluate(  # noqa: PLR0913 -- options, each by its name
    *overrides: Override,
    classifier: Any = None,
    dataset: Any = None,
    store: str | Path = STORE,
    config_dir: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
    fresh: bool = False,
    accept_versions: bool = False,
    progress: bool = True,
) -> Scorecard:
    """Evaluate one configuration, as ``sweepmark run`` does: one trial, one MLflow run.

    An evaluation that the store has already is not computed again.

    Parameters
    ----------
    *overrides : str or mapping
        ``"classifier=knn"`` takes an option of a group, ``"split.size=4000"`` sets a value,
        ``"+classifier.tol=1e-4"`` adds one; or nested mappings: ``{"split": {"size": 4000}}``.
    classifier : str or estimator, optional
        An option; or a classifier object of scikit-learn's interface, taken by its class and
        parameters: what is fitted is ignored, and where ``random_state`` is None it is the
        configuration's ``seed``. A Pipeline gives the preprocessing, too.
    dataset : str, (X, y) or Dataset, optional
        As :func:`sweepmark.load_dataset` takes it. Arrays are not preprocessed unless asked for.
    store : path, optional
        The folder that keeps everything.
    config_dir : sequence of path, optional
        Folders of your own configurations.
    trust : sequence of str, optional
        Packages whose classes may be built besides scikit-learn's.
    fresh : bool, optional
        Whether to compute also what is there already.
    accept_versions : bool, optional
        Whether to begin anew with today's libraries what other versions began.
    progress : bool, optional
        Whether progress is shown, in the notebook's cell or on standard error.

    Raises
    ------
    sweepmark.errors.ConfigurationError, sweepmark.errors.DataError
        If the configuration or the data are wrong; nothing was started.
    sweepmark.errors.FailedError
        If the evaluation failed.
    sweepmark.errors.StoreError
        If the environment stopped it.

    Examples
    --------
    >>> import sweepmark
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> recipe = make_pipeline(StandardScaler(), SVC(C=10))
    >>> card = sweepmark.evaluate(
    ...     "tracking=none", dataset="digits", classifier=recipe, progress=False
    ... )
    >>> round(card.metrics["accuracy"], 2), card.n_train, card.n_test
    (0.99, 1348, 449)
    """
    options = LaunchOptions(trusted=listed(trust), fresh=fresh, accept_versions=accept_versions)
    folders = Folders.of(listed(config_dir))
    words = object_words(
        overrides, classifier, dataset, sweep=None, folders=folders, trusted=options.trusted
    )
    launched = _launch(
        None, words, folders=folders, store=store, options=options, progress=progress
    )
    return launched.scorecard()


def sweep(  # noqa: PLR0913 -- options, each by its name
    name: str,
    *overrides: Override,
    classifier: Any = None,
    dataset: Any = None,
    store: str | Path = STORE,
    config_dir: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
    fresh: bool = False,
    retry_failed: bool = False,
    accept_versions: bool = False,
    progress: bool = True,
) -> Sweep:
    """Run a sweep, as ``sweepmark sweep`` does; the last of the same goes on if it is unfinished.

    Parameters
    ----------
    name : str
        A sweep of ``sweepmark sweep --list``, or of ``config_dir``.
    *overrides, classifier, dataset, store, config_dir, trust, fresh, accept_versions, progress
        As in :func:`sweepmark.evaluate`.
    retry_failed : bool, optional
        Whether failed trials of the last one are tried again.

    Raises
    ------
    sweepmark.errors.SweepmarkError
        As :func:`sweepmark.evaluate`; trials that fail are among the warnings.
    KeyboardInterrupt
        If it is interrupted. What is finished is kept, and the same call goes on with it.

    Examples
    --------
    >>> import sweepmark
    >>> found = sweepmark.sweep(
    ...     "svc_c_gamma",
    ...     {"split": {"size": 300}, "evaluation": {"n_splits": 3}, "tracking": "none"},
    ...     {"sweep": {"space": {"classifier": {"C": [1, 10], "gamma": [0.01]}}}},
    ...     dataset="digits",
    ...     progress=False,
    ... )
    >>> found.trials[["classifier.C", "cv_accuracy"]].round(2).values.tolist()
    [[1.0, 0.92], [10.0, 0.92]]
    >>> found.best.number, found.state
    (0, 'complete')
    """
    folders = Folders.of(listed(config_dir))
    if name not in folders.sweeps():
        raise ConfigurationError(unknown_name("sweep", name, folders.sweeps()))
    options = LaunchOptions(
        trusted=listed(trust),
        fresh=fresh,
        retry_failed=retry_failed,
        accept_versions=accept_versions,
    )
    words = object_words(
        overrides, classifier, dataset, sweep=name, folders=folders, trusted=options.trusted
    )
    return _launch(name, words, folders=folders, store=store, options=options, progress=progress)


def resume(  # noqa: PLR0913 -- options, each by its name
    sweep: str | None = None,
    *,
    store: str | Path = STORE,
    trust: Sequence[str] = (),
    retry_failed: bool = False,
    accept_versions: bool = False,
    progress: bool = True,
) -> Sweep:
    """Replay an interrupted sweep to its end, as ``sweepmark resume`` does.

    Parameters
    ----------
    sweep : str, optional
        Its id, or the beginning of it; None is the last one.
    store, trust, retry_failed, accept_versions, progress
        As in :func:`sweepmark.sweep`.
    """
    folder = open_folder(store)
    sweep_id = folder.match(sweep)
    folder.check()
    options = LaunchOptions(
        trusted=listed(trust), retry_failed=retry_failed, accept_versions=accept_versions
    )
    with calling(store=folder.root, trusted=options.trusted), _noted() as announce:
        shown = create_progress(announce, shown=progress)
        result = resume_sweep(sweep_id, store=folder, options=options, progress=shown)
    return Sweep(sweep_id, folder, result)


def _launch(  # noqa: PLR0913 -- what is launched, and how
    name: str | None,
    words: Sequence[str],
    *,
    folders: Folders,
    store: str | Path,
    options: LaunchOptions,
    progress: bool,
) -> Sweep:
    folder = open_folder(store)
    with calling(store=folder.root, config_dirs=folders.extra, trusted=options.trusted):
        with Composer(folders) as composer:
            blueprint = Blueprint.compose(composer, name, words)
        folder.check()
        with _noted() as announce:
            shown = create_progress(announce, shown=progress)
            result = launch(blueprint, store=folder, options=options, progress=shown)
    return Sweep(result.sweep_id, folder, result)


@contextmanager
def _noted() -> Iterator[Callable[[str], None]]:
    """Say in the traceback of an interruption how to go on; yields what is told the sweep's id."""
    begun: list[str] = []
    try:
        yield begun.append
    except KeyboardInterrupt as stop:
        if begun:
            stop.add_note(
                "What is finished is kept: the same call goes on with it, and so does "
                f"sweepmark.resume({begun[-1]!r})."
            )
        raise
