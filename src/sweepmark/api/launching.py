"""Evaluations and sweeps, launched as the command does."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweepmark.api.datasets import listed, named_dataset
from sweepmark.api.sweeps import STORE, Sweep, open_folder
from sweepmark.config import Composer, Folders
from sweepmark.config.reading import overridden_groups, read_document
from sweepmark.config.words import override_word, override_words
from sweepmark.coordinator import LaunchOptions, create_progress, launch
from sweepmark.coordinator import resume as resume_sweep
from sweepmark.errors import ConfigurationError, unknown_name
from sweepmark.search.blueprint import Blueprint
from sweepmark.specification.naming import name_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sweepmark.api.scorecards import Scorecard
    from sweepmark.config.words import Override
    from sweepmark.store import Store as Folder

__all__ = ["evaluate", "resume", "sweep"]

_PREPROCESSING = {"preprocess", "experiment"}
"""The groups that choose preprocessing."""


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
        An option; or a classifier object of scikit-learn's interface. A Pipeline gives the steps of
        preprocessing too. It is evaluated by its class and parameters, so that the command line
        can repeat it; what is fitted is ignored. Where ``random_state`` is None it is the
        configuration's ``seed``.
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

    Returns
    -------
    Scorecard
        Its metrics and predictions.

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
    request = _Request(
        name=None,
        folders=Folders.of(listed(config_dir)),
        folder=open_folder(store),
        options=LaunchOptions(trusted=listed(trust), fresh=fresh, accept_versions=accept_versions),
    )
    words = [*request.words(overrides, classifier, dataset)]
    return request.launch(words, progress=progress).scorecard()


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

    Returns
    -------
    Sweep
        Its trials, the best one, its grade. Failed trials are among its warnings.

    Raises
    ------
    sweepmark.errors.SweepmarkError
        As :func:`sweepmark.evaluate`, but for single trials that fail.
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
    request = _Request(
        name=name,
        folders=Folders.of(listed(config_dir)),
        folder=open_folder(store),
        options=LaunchOptions(
            trusted=listed(trust),
            fresh=fresh,
            retry_failed=retry_failed,
            accept_versions=accept_versions,
        ),
    )
    if name not in (known := request.folders.sweeps()):
        raise ConfigurationError(unknown_name("sweep", name, known))
    words = [*request.words(overrides, classifier, dataset)]
    return request.launch(words, progress=progress)


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
    options = LaunchOptions(
        trusted=listed(trust), retry_failed=retry_failed, accept_versions=accept_versions
    )
    folder.check()
    with _noted() as announce:
        shown = create_progress(announce, shown=progress)
        result = resume_sweep(sweep_id, store=folder, options=options, progress=shown)
    return Sweep.of(result, folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is to be launched, how, and where it is kept."""

    name: str | None
    folders: Folders
    folder: Folder
    options: LaunchOptions

    def launch(self, words: Sequence[str], *, progress: bool) -> Sweep:
        """Run it to its end."""
        with Composer(self.folders) as composer:
            blueprint = Blueprint.compose(composer, self.name, words)
        self.folder.check()
        with _noted() as announce:
            result = launch(
                blueprint,
                store=self.folder,
                options=self.options,
                progress=create_progress(announce, shown=progress),
            )
        return Sweep.of(result, self.folder)

    def words(
        self, overrides: tuple[Override, ...], classifier: Any, dataset: Any
    ) -> Iterator[str]:
        """Yield all overrides in Hydra's grammar, those of the objects last."""
        words = override_words(overrides)
        yield from words
        if dataset is not None:
            named = named_dataset(dataset, self.folders)
            yield override_word("dataset", named)
            chosen = {word.partition("=")[0] for word in words} | self._chosen()
            is_pipeline = hasattr(classifier, "steps")
            if not isinstance(named, str) and not is_pipeline and not chosen & _PREPROCESSING:
                yield "preprocess=none"  # the default is for pixels
        if isinstance(classifier, str | Mapping):
            yield override_word("classifier", classifier)
        elif classifier is not None:
            component, steps = name_recipe(
                classifier, options=_options(self.folders), trusted=self.options.trusted
            )
            yield override_word("classifier", component)
            if steps is not None:
                yield override_word("preprocess", steps or "none")

    def _chosen(self) -> set[str]:
        """Return the groups that the sweep's YAML chooses options of."""
        found = self.folders.sweeps().get(self.name or "")
        return set() if found is None else set(overridden_groups(read_document(found.path)))


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


def _options(folders: Folders) -> list[dict[str, Any]]:
    """Return the components that the options of classifier and preprocess name."""
    groups = folders.groups()
    classifiers, steps = (
        [read_document(folders.option_path(group, option)) for option in groups[group]]
        for group in ("classifier", "preprocess")
    )
    return [*classifiers, *(step for each in steps for step in each.values())]
