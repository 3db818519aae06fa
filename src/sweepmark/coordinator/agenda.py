"""The Agenda of a sweep that is not started: its trials, and the evaluations that it would compute.

Nothing is written, and no lock is taken: another process may run the same sweep meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from sweepmark.errors import FetchError, StoreError
from sweepmark.search.points import RandomSearch
from sweepmark.search.space import Options
from sweepmark.specification.specification import canonical_json
from sweepmark.specification.specify import Rows
from sweepmark.store import History, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sweepmark.config.schema import Config
    from sweepmark.data import Dataset
    from sweepmark.search import Search
    from sweepmark.search.blueprint import Blueprint
    from sweepmark.search.space import Params
    from sweepmark.specification.specification import Specification
    from sweepmark.store import Store

__all__ = ["Agenda", "Family", "Status"]

Status = Literal["new", "reused", "duplicate", "failed"]
"""Whether a trial is computed, is in the store, repeats an earlier one or lacks its data set."""

_MOST_EXAMINED = 500


@dataclass(slots=True)
class Family:
    """The evaluations to be computed that take similar work: those of one classifier, mostly.

    Attributes
    ----------
    label : str
        The options of its trials, or the class of the classifier.
    target : str
        The class of the classifier.
    params : list of dict
        The parameters of its new trials, in order.
    evaluations : list of Specification
        What these trials need and the store lacks, each once.
    """

    label: str
    target: str
    params: list[Params] = field(default_factory=list)
    evaluations: list[Specification] = field(default_factory=list)

    def rows(self) -> Counter[int]:
        """Return the number of evaluations by their number of training rows."""
        return Counter(item.split["n_train"] for item in self.evaluations)


@dataclass(slots=True, kw_only=True)
class Agenda:
    """The trials of a sweep, by status, and what is to be computed, by family.

    Attributes
    ----------
    n_trials : int
        How many trials the sweep has, unless a budget ends it earlier.
    n_examined : int
        How many of them the other attributes are of.
    statuses : Counter of Status
        The number of examined trials by status.
    families : dict of str to Family
        What they need and the store lacks, by label.
    known_from : str or None
        The sweep whose journal has the trials of a search that learns.
    n_drawn : int
        Trials whose parameters depend on results and are drawn at random instead.
    """

    n_trials: int
    n_examined: int
    statuses: Counter[Status] = field(default_factory=Counter)
    families: dict[str, Family] = field(default_factory=dict)
    known_from: str | None = None
    n_drawn: int = 0

    @property
    def scale(self) -> float:
        """The factor from the examined trials to all."""
        return self.n_trials / self.n_examined

    @classmethod
    def of(  # noqa: PLR0913 -- each has a meaning of its own
        cls,
        blueprint: Blueprint,
        search: Search,
        store: Store,
        *,
        load: Callable[[Config], Dataset],
        trusted: Sequence[str] = (),
        fresh: bool = False,
        most: int = _MOST_EXAMINED,
    ) -> Self:
        """Return what a sweep would do.

        Parameters
        ----------
        blueprint : Blueprint
            The sweep, checked.
        search : Search
            A new search, which chooses its trials.
        store : Store
            Where finished evaluations may be.
        load : callable
            Returns a configuration's data set.
        trusted : sequence of str
            Packages allowed besides ours.
        fresh : bool
            Whether evaluations of other sweeps are computed again.
        most : int
            Trials whose evaluations are looked up; of more, so many are, evenly spread over all.
        """
        n = search.n_trials
        most = min(n, most)
        numbers = [n * place // most for place in range(most)]
        agenda = cls(n_trials=n, n_examined=len(numbers))
        specify = _Specifier(blueprint, load, trusted)
        seen: set[str] = set()
        wanted: set[str] = set()
        for params in agenda._params(blueprint, search, store, numbers):
            specifications = specify(params)
            keys = [specification.key for specification in specifications]
            identity = canonical_json(keys)
            missing = [
                specification
                for specification in specifications
                if specification.key not in wanted
                and (fresh or not store.evaluations.holds(specification.key))
            ]
            status: Status = "new" if missing else "reused"
            if identity in seen:
                status = "duplicate"
            if not keys:
                status = "failed"
            agenda.statuses[status] += 1
            seen.add(identity)
            wanted.update(specification.key for specification in missing)
            if missing:
                family = agenda._family(blueprint, params, missing[0])
                family.params.append(params)
                family.evaluations += missing
        return agenda

    def _params(
        self, blueprint: Blueprint, search: Search, store: Store, numbers: Sequence[int]
    ) -> Iterator[Params]:
        """Yield the parameters of some trials: decided ones as they are, others as they may be."""
        if search.lag is None:
            yield from map(search.ask, numbers)
            return
        config = blueprint.config
        drawn = RandomSearch(blueprint.space, config.sampler, blueprint.sweep, seed=config.seed)
        self.known_from, known = _decided(blueprint, store)
        for number in numbers:
            self.n_drawn += number not in known
            yield known[number] if number in known else drawn.ask(number)

    def _family(self, blueprint: Blueprint, params: Params, first: Specification) -> Family:
        target = str(first.classifier["_target_"])
        axes = blueprint.space.active(params)
        chosen = [str(params[axis.name]) for axis in axes if isinstance(axis, Options)]
        label = ", ".join(chosen) or target.rpartition(".")[2]
        return self.families.setdefault(label, Family(label, target))


class _Specifier:
    """Makes the evaluations of trials; what follows from their rows is found once for all."""

    def __init__(
        self, blueprint: Blueprint, load: Callable[[Config], Dataset], trusted: Sequence[str]
    ) -> None:
        self._blueprint = blueprint
        self._load = load
        self._trusted = trusted
        self._rows: dict[str, Rows] = {}

    def __call__(self, params: Params) -> tuple[Specification, ...]:
        """Return the evaluations of a trial; none if its data set is unavailable."""
        config = self._blueprint.config_at(params)
        try:
            dataset = self._load(config)
        except FetchError:  # only if other data sets are available: see Blueprint.check
            return ()
        parts = (config.split, config.task, config.evaluation, config.seed)
        asked = canonical_json([config.data_identity, *map(repr, parts)])
        if asked not in self._rows:
            self._rows[asked] = Rows.of(config, dataset)
        return self._rows[asked].specify(config, dataset.digest, trusted=self._trusted)


def _decided(blueprint: Blueprint, store: Store) -> tuple[str | None, dict[int, Params]]:
    """Return the last sweep of the same configuration, and the trials that its journal has.

    A search that learns decides the same again.
    """
    for sweep_id in reversed(store.sweep_ids()):
        if not sweep_id.startswith(f"{blueprint.name}-"):
            continue
        try:
            history = History.of(read_journal(store.journal_path(sweep_id)))
        except StoreError:  # `sweep` says so, and goes on to another one
            continue
        if history.opened["sweep_key"] == blueprint.key and history.params:
            return sweep_id, history.params
    return None, {}
