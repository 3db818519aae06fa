"""Base cases to disturb."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean
from typing import TYPE_CHECKING

import pytest

from base_case import (
    N_AT_A_TIME,
    N_WORKERS,
    BaseCase,
    Reference,
    assert_good,
    copy_databases,
    write_configurations,
)
from program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Fill = Callable[[Path], object]


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether all is run that there is, in the time it is meant to take."""
    return any(item.get_closest_marker("full") for item in request.session.items)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the base case's configurations."""
    return write_configurations(tmp_path_factory.mktemp("own"))


@pytest.fixture
def new_case(
    tmp_path: Path, digits_cache: Path, own: Path, *, whole: bool
) -> Iterator[Callable[[], BaseCase]]:
    """Makes base cases with nothing in their folders yet.

    Workers take longer to start than all takes that is fitted: only `make faults` has them where a
    test does not ask for any.
    """
    with contextlib.ExitStack() as stack:

        def make() -> BaseCase:
            root = tmp_path / str(len(list(tmp_path.iterdir())))
            program = stack.enter_context(contextlib.closing(Program(root, cache=digits_cache)))
            return BaseCase(program, own, workers=N_WORKERS if whole else None)

        yield make


@pytest.fixture
def bare_case(new_case: Callable[[], BaseCase]) -> BaseCase:
    """A base case with nothing in its folder yet."""
    return new_case()


@pytest.fixture
def case(bare_case: BaseCase, migrated_store: Path) -> BaseCase:
    """A base case whose store has its databases, which others use as well."""
    copy_databases(migrated_store, bare_case.store)
    return bare_case


@pytest.fixture(scope="session")
def reference(
    shared: Callable[[str, Fill], Path],
    digits_cache: Path,
    migrated_store: Path,
    own: Path,
    *,
    whole: bool,
) -> Reference:
    """What the undisturbed base case comes to; it takes 45 s where time is measured, else 8.

    Where it is, as many run at a time as where kills are timed, in each process: what is compared
    has the same share of the machine.
    """

    def fill(folder: Path) -> None:
        places = [folder / str(number) for number in range(N_AT_A_TIME if whole else 1)]
        cases = [BaseCase(Program(place, cache=digits_cache), own) for place in places]
        for case in cases:
            copy_databases(migrated_store, case.store)
            case.seconds = 1.7 if whole else 0.3
        with ThreadPoolExecutor(len(cases)) as pool:
            seconds = fmean(run.seconds for run in pool.map(BaseCase.run, cases))
        reference = cases[0].reference(seconds)
        for case in cases:
            assert_good(case, reference)
        document = json.dumps(dataclasses.asdict(reference))
        (folder / "reference.json").write_text(document, encoding="utf-8")

    own_place = f"reference-{os.environ.get('PYTEST_XDIST_WORKER')}"
    path = shared(own_place if whole else "reference", fill) / "reference.json"
    return Reference(**json.loads(path.read_text(encoding="utf-8")))
