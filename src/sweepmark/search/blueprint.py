"""The Blueprint: the complete configuration of a sweep in plain values, checked before it starts.

It is stored in the journal's first line, so that a resumed sweep never reads an edited YAML.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from sweepmark.config import Tree, lookup, place, resolve, validate
from sweepmark.config.folders import EXPERIMENT
from sweepmark.errors import ConfigurationError, FetchError
from sweepmark.scores.directions import better_end
from sweepmark.scores.metric_names import ACCURACY, CV_ACCURACY, VALIDATION_ACCURACY
from sweepmark.search.adhoc import sweep_overrides
from sweepmark.search.composing import OF_DATA, compose_trees
from sweepmark.search.feasibility import (
    check_axes,
    check_grade,
    check_objective,
    samples,
)
from sweepmark.search.figures import check_metrics, requested
from sweepmark.search.parsing import Defaults, parse_space
from sweepmark.search.space import Options, Space
from sweepmark.specification.components import settle_numbers
from sweepmark.specification.recipe import foreign_packages
from sweepmark.specification.specification import canonical_json
from sweepmark.specification.specify import specify, trained_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sweepmark.config import Composer
    from sweepmark.config.schema import Config, GradeConfig, SweepConfig
    from sweepmark.data import Dataset
    from sweepmark.scores.metrics import Direction
    from sweepmark.scores.requests import Request
    from sweepmark.search.space import Params

__all__ = ["RUN", "Blueprint"]

RUN = "run"
"""The name of a single run, in place of a sweep's name."""

_OF_ROWS = {*OF_DATA, "split"}


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The complete configuration of a sweep or of a single run.

    Attributes
    ----------
    name : str
        The sweep's name; ``run`` for a single run.
    overrides : tuple of str
        The overrides as typed.
    trees : mapping of str to tree
        The composed configuration for each combination of options, by canonical JSON of the
        combination; interpolations are unresolved, since they may refer to swept values.
    space : Space
        The search space; without axes for a single run.
    config : Config
        The configuration of the sweep as a whole.
    config_dirs : tuple of str
        The user's own folders that it was composed from, absolute.
    notes : tuple of str
        What was found out of the data while composing; no part of the document.
    """

    name: str
    overrides: tuple[str, ...]
    trees: Mapping[str, Tree]
    space: Space
    config: Config
    config_dirs: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def compose(cls, composer: Composer, sweep: str | None, overrides: Sequence[str]) -> Self:
        """Compose the configuration of a command line.

        Raises
        ------
        ConfigurationError
            If anything in it is invalid.
        """
        if sweep is not None:
            overrides = sweep_overrides(sweep, overrides, composer.groups)
        trees, notes = compose_trees(composer, sweep, overrides)
        found = cls._of(sweep or RUN, overrides, trees)
        return replace(found, notes=notes, config_dirs=tuple(map(str, composer.folders.extra)))

    @classmethod
    def _of(cls, name: str, overrides: Sequence[str], trees: Mapping[str, Tree]) -> Self:
        config = validate(_resolved(trees[canonical_json({})]))
        requested(config)  # raises on those that do not exist
        space = Space(())
        if config.sweep is not None:
            space = parse_space(config.sweep.space, Defaults(trees))
        return cls(name, tuple(overrides), trees, space, config)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the blueprint of a mapping from :meth:`document`."""
        found = cls._of(document["name"], document["overrides"], document["trees"])
        return replace(found, config_dirs=tuple(document["config_dirs"]))

    def document(self) -> dict[str, Any]:
        """Return the blueprint as a plain mapping."""
        return {
            "name": self.name,
            "overrides": list(self.overrides),
            "config_dirs": list(self.config_dirs),
            "trees": dict(self.trees),
        }

    @property
    def key(self) -> str:
        """SHA-256 of the configuration without ``tracking``, ``plan`` and, but threads, ``engine``.

        A name, ``run.name``, belongs to it: sweeps of two names are two sweeps.

        The order of mappings counts: it is the order of axes and of pipeline steps.
        """
        trees = {options: self.asked(options) for options in self.trees}
        text = json.dumps({"name": self.name, "trees": trees}, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def packages(self) -> list[str]:
        """Packages besides those always allowed that have classes of its configurations."""
        return foreign_packages(list(self.trees.values()))

    @property
    def is_run(self) -> bool:
        """Whether it is a single run."""
        return self.config.sweep is None

    def n_evaluations(self, params: Params | None = None) -> int:
        """Return the number of evaluations of a trial, which may vary if experiments are swept."""
        evaluation = self.config.evaluation
        if params is not None and any(axis.name == EXPERIMENT for axis in self.space.axes):
            evaluation = self.config_at(params).evaluation
        return evaluation.n_splits if evaluation.method == "cv" else 1

    @property
    def sweeps_rows(self) -> bool:
        """Whether trials may differ in their number of training rows."""
        return any(axis.name.partition(".")[0] in _OF_ROWS for axis in self.space.all_axes())

    @property
    def _sweeps_data(self) -> bool:
        """Whether trials use data sets of several names."""
        return any(isinstance(axis, Options) and axis.name in OF_DATA for axis in self.space.axes)

    @property
    def sweep(self) -> SweepConfig:
        """Group ``sweep``; for a single run a sweep of one trial without objective."""
        from sweepmark.config.schema import SweepConfig

        return self.config.sweep or SweepConfig(name=RUN, space={})

    @property
    def metric(self) -> str:
        """The main metric of a trial: the objective, or else the accuracy of its method."""
        shown = {"cv": CV_ACCURACY, "validation": VALIDATION_ACCURACY}
        return self.sweep.objective or shown.get(self.config.evaluation.method, ACCURACY)

    @property
    def requests(self) -> tuple[Request, ...]:
        """The metrics to compute besides those that every evaluation has."""
        return requested(self.config)

    @property
    def direction(self) -> Direction:
        """The direction of :attr:`metric`."""
        return better_end(self.metric, self.sweep.direction)

    @property
    def base_tree(self) -> Tree:
        """The resolved configuration of the sweep as a whole, without the search."""
        return self.shown_tree | {"sweep": None}

    @property
    def shown_tree(self) -> Tree:
        """The resolved configuration as ``--cfg job`` shows it."""
        return _resolved(self.trees[canonical_json({})])

    def asked(self, options: str) -> Tree:
        """Return the tree of a combination of options that enters the key."""
        tree = _resolved(self.trees[options])
        tree["tracking"] = tree["plan"] = None
        if lookup(tree, "run.name") is None:
            tree.pop("run", None)
        tree["engine"] = {"threads": lookup(tree, "engine.threads")}
        return tree

    def tree_at(self, params: Params) -> Tree:
        """Return the resolved configuration of one trial as a tree, without the search."""
        options, values = self.space.placed(params)
        tree = _copy(self.trees[canonical_json(options)])
        for path, value in values.items():
            place(tree, path, value)
        tree["sweep"] = None
        return _resolved(tree)

    def config_at(self, params: Params) -> Config:
        """Return the configuration of one trial.

        Raises
        ------
        ConfigurationError
            If a value is of the wrong type.
        """
        return validate(self.tree_at(params))

    def grade_at(self, params: Params) -> GradeConfig:
        """Return the grading rule of one trial: data sets that are swept may have their own."""
        return self.config_at(params).grade if self._sweeps_data else self.config.grade

    def check(
        self, load: Callable[[Config], Dataset], *, trusted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Raise, before anything starts, if a trial could not be computed.

        Checked are every combination of options, and in it every combination of values that affect
        the rows, and every value of every other parameter (the ends of a range) once.

        If data sets are swept, an unavailable one does not prevent trials on the others.

        Parameters
        ----------
        load : callable
            Returns a configuration's data set.
        trusted : sequence of str
            Packages allowed in addition to the default ones.

        Returns
        -------
        tuple of str
            The unavailable data sets; their trials will fail.

        Raises
        ------
        ConfigurationError
            If anything is wrong.
        FetchError
            If no data set is available.
        """
        check_objective(self.sweep, self.config)
        check_grade(self.config.grade)
        check_axes(self.space)
        lacking: dict[str, FetchError] = {}
        is_possible = False
        for params in samples(self.space):
            config = self.config_at(params)
            try:
                dataset = load(config)
                specifications = specify(config, dataset, trusted=trusted)
                names = trained_names(specifications[0], dataset)
                classifier = specifications[0].classifier
                check_metrics(self.config, config.grade, classifier, names, trusted=trusted)
            except ConfigurationError as error:
                if not params:
                    raise
                where = ", ".join(f"{name}={value}" for name, value in params.items())
                raise ConfigurationError(*error.args, f"(found at {where})") from None
            except FetchError as error:
                if not self._sweeps_data:
                    raise
                lacking.setdefault(config.dataset.name, error)
            else:
                is_possible = True
        if lacking and not is_possible:
            raise next(iter(lacking.values()))
        return tuple(lacking)


def _resolved(tree: Tree) -> Tree:
    """Return a tree with interpolations resolved and numbers of the kinds that its classes take."""
    settled: Tree = settle_numbers(resolve(tree))
    return settled


def _copy(tree: Tree) -> Tree:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in tree.items()}
