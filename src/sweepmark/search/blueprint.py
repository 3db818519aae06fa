"""The Blueprint: all that a sweep was asked for, in plain values, checked before it starts.

It is what the journal's first line keeps, so that a resumed sweep never reads an edited YAML.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from sweepmark.config import Tree, lookup, place, resolve, validate
from sweepmark.config.folders import EXPERIMENT
from sweepmark.errors import ConfigurationError, FetchError, unknown_name
from sweepmark.evaluation.evaluate import specify, trained_names
from sweepmark.scores.metric_names import (
    ACCURACY,
    CV_ACCURACY,
    VALIDATION_ACCURACY,
    better_end,
    direction,
)
from sweepmark.search.axes import Options, Space
from sweepmark.search.feasibility import (
    check_axes,
    check_grade,
    check_objective,
    check_recalls,
    samples,
)
from sweepmark.search.space import option_name, parse_space
from sweepmark.specification.components import TARGET, parameter_kinds, settle_numbers
from sweepmark.specification.specification import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sweepmark.config import Composer
    from sweepmark.config.schema import Config, SweepConfig
    from sweepmark.config.values import Kinds
    from sweepmark.data import Dataset
    from sweepmark.scores.metric_names import Direction
    from sweepmark.search.axes import Params

__all__ = ["RUN", "Blueprint"]

RUN = "run"
"""What a single run is called where a sweep has its name."""

_OF_DATA = {"dataset", EXPERIMENT}
_OF_ROWS = {*_OF_DATA, "split"}
_OF_COMPONENTS = {"preprocess", "classifier"}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a sweep, or a single run, was asked for.

    Attributes
    ----------
    name : str
        The sweep's; ``run`` for a single run.
    overrides : tuple of str
        As they were typed.
    trees : mapping of str to tree
        The composed configuration for each combination of options, by canonical JSON of the
        combination; interpolations unresolved, since swept values may be pointed at.
    space : Space
        What is swept; without axes for a single run.
    config : Config
        The configuration of the sweep as a whole.
    """

    name: str
    overrides: tuple[str, ...]
    trees: Mapping[str, Tree]
    space: Space
    config: Config

    @classmethod
    def compose(cls, composer: Composer, sweep: str | None, overrides: Sequence[str]) -> Self:
        """Compose what the command line asks for.

        Raises
        ------
        ConfigurationError
            If anything in it is wrong.
        """
        for override in overrides:
            if _key(override) == "sweep":
                raise ConfigurationError(
                    f"a sweep is named where it is started, but got {override!r}. "
                    "Take `sweepmark sweep NAME`."
                )
        if sweep is None:
            return cls._of(RUN, overrides, {canonical_json({}): composer.compose(overrides)})
        typed = [f"sweep={sweep}", *overrides]
        base = composer.compose(typed)
        groups = _option_groups(base)
        for override in overrides:
            if (group := _key(override)) in groups:
                raise ConfigurationError(
                    f"{sweep} sweeps the options of {group}, so {override!r} would be lost. "
                    f"Set sweep.space.{group}.option=[…] instead."
                )
        trees = {canonical_json({}): base}
        for combination in _combinations(groups):
            chosen = [f"{group}={option}" for group, option in combination.items()]
            trees[canonical_json(combination)] = composer.compose([*typed, *chosen])
        for tree in trees.values():
            _settle_direction(tree)
        return cls._of(sweep, overrides, trees)

    @classmethod
    def _of(cls, name: str, overrides: Sequence[str], trees: Mapping[str, Tree]) -> Self:
        config = validate(_resolved(trees[canonical_json({})]))
        space = Space(())
        if config.sweep is not None:
            space = parse_space(config.sweep.space, _defaults(trees), _kinds(trees))
        return cls(name, tuple(overrides), trees, space, config)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the blueprint that :meth:`document` wrote."""
        return cls._of(document["name"], document["overrides"], document["trees"])

    def document(self) -> dict[str, Any]:
        """Return the blueprint in plain values."""
        return {"name": self.name, "overrides": list(self.overrides), "trees": dict(self.trees)}

    @property
    def key(self) -> str:
        """SHA-256 of what is asked for; not of where it runs and how it is tracked.

        The order of a mapping counts: it is that of the axes and of the steps.
        """
        trees = {options: self.asked(options) for options in self.trees}
        text = json.dumps({"name": self.name, "trees": trees}, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def is_run(self) -> bool:
        """Whether it is a single run."""
        return self.config.sweep is None

    def n_evaluations(self, params: Params | None = None) -> int:
        """Return how many evaluations a trial is made of; swept experiments differ in that."""
        evaluation = self.config.evaluation
        if params is not None and any(axis.name == EXPERIMENT for axis in self.space.axes):
            evaluation = self.config_at(params).evaluation
        return evaluation.n_splits if evaluation.method == "cv" else 1

    @property
    def sweeps_rows(self) -> bool:
        """Whether trials may differ in how many rows they train on."""
        return any(axis.name.partition(".")[0] in _OF_ROWS for axis in self.space.all_axes())

    @property
    def _sweeps_data(self) -> bool:
        """Whether trials are of several data sets by name."""
        return any(isinstance(axis, Options) and axis.name in _OF_DATA for axis in self.space.axes)

    @property
    def sweep(self) -> SweepConfig:
        """Group ``sweep``; for a single run a sweep of one trial that selects nothing."""
        from sweepmark.config.schema import SweepConfig

        return self.config.sweep or SweepConfig(name=RUN, space={})

    @property
    def metric(self) -> str:
        """The metric that stands for a trial: the objective, else the accuracy there is."""
        shown = {"cv": CV_ACCURACY, "validation": VALIDATION_ACCURACY}
        return self.sweep.objective or shown.get(self.config.evaluation.method, ACCURACY)

    @property
    def direction(self) -> Direction:
        """Which end of :attr:`metric` is the better one."""
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
        """Return what is asked for under a combination of options: the tree that the key is of."""
        tree = _resolved(self.trees[options])
        tree["tracking"] = None
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

    def check(
        self, load: Callable[[Config], Dataset], *, trusted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Refuse, before anything starts, what no trial could be made of.

        Every combination of options is tried, and in it every combination of values that decide
        rows, and every value of every other parameter (the ends of a range) once.

        Where data sets are swept, one that cannot be had is no obstacle to trials on the others.

        Parameters
        ----------
        load : callable
            Returns a configuration's data set.
        trusted : sequence of str
            Packages allowed besides ours.

        Returns
        -------
        tuple of str
            The data sets that cannot be had, trials on which will fail.

        Raises
        ------
        ConfigurationError
            If anything is wrong.
        FetchError
            If no data set can be had.
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
                check_recalls(self.sweep, self.config.grade, names)
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


def _key(override: str) -> str:
    """Return the group or path that an override is for."""
    return override.partition("=")[0].strip("+~").partition("@")[0]


def _settle_direction(tree: Tree) -> None:
    """Write the objective's own direction where none is asked for.

    So that the configuration shown, the journal and the sweep's key say which end it is. What is
    no quality has none, and stays refused.
    """
    objective = lookup(resolve(tree), "sweep.objective")
    if isinstance(objective, str) and lookup(tree, "sweep.direction") is None:
        place(tree, "sweep.direction", direction(objective))


def _option_groups(tree: Tree) -> dict[str, list[str]]:
    space = lookup(tree, "sweep.space", {})
    return {
        str(group): [option_name(option) for option in node["option"]]
        for group, node in (space.items() if isinstance(space, dict) else ())
        if isinstance(node, dict) and isinstance(node.get("option"), list | dict)
    }


def _combinations(groups: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    for chosen in itertools.product(*groups.values()):
        if chosen:
            yield dict(zip(groups, chosen, strict=True))


def _defaults(trees: Mapping[str, Tree]) -> Callable[[Mapping[str, str], str], Any]:
    """Return what tells the value at a path under some options, from the composed trees."""

    def default(options: Mapping[str, str], path: str) -> Any:
        tree = next(_trees_under(trees, options))
        found = lookup(tree, path, _MISSING)
        if found is _MISSING:
            parent, _, _ = path.rpartition(".")
            node = lookup(tree, parent) if parent else tree
            keys = [f"{parent}.{key}" if parent else key for key in node or ()]
            raise LookupError(unknown_name("path", path, keys))
        return found

    return default


def _kinds(trees: Mapping[str, Tree]) -> Callable[[Mapping[str, str], str], Kinds | None]:
    """Return what tells the kinds of number told apart at a path under some options."""

    def kinds(options: Mapping[str, str], path: str) -> Kinds | None:
        found = {_kinds_at(tree, path) for tree in _trees_under(trees, options)}
        return found.pop() if len(found) == 1 else None  # options may choose the class

    return kinds


def _kinds_at(tree: Tree, path: str) -> Kinds | None:
    parent, _, name = path.rpartition(".")
    node = lookup(tree, parent) if parent else tree
    if path.partition(".")[0] in _OF_COMPONENTS:
        return parameter_kinds(node.get(TARGET), name) if isinstance(node, dict) else None
    default = node.get(name) if isinstance(node, dict) else None
    return frozenset({float}) if isinstance(default, float) else None


def _trees_under(trees: Mapping[str, Tree], options: Mapping[str, str]) -> Iterator[Tree]:
    for combination, tree in trees.items():
        if options.items() <= json.loads(combination).items():
            yield tree


def _resolved(tree: Tree) -> Tree:
    """Return a tree without interpolations, its numbers of the kinds that its classes take."""
    settled: Tree = settle_numbers(resolve(tree))
    return settled


def _copy(tree: Tree) -> Tree:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in tree.items()}
