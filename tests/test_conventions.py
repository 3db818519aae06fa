"""What CONTRIBUTING.md says of values and options holds for every class and function there is."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

import sweepmark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

CHANGING = {
    "sweepmark.config.growth._Scale",
    "sweepmark.coordinator.agenda.Agenda",
    "sweepmark.coordinator.agenda.Family",
    "sweepmark.coordinator.decisions.Decisions",
    "sweepmark.coordinator.delivery.Delivery",
    "sweepmark.coordinator.launch._Execution",
    "sweepmark.coordinator.loop.Coordinator",
    "sweepmark.coordinator.placement.Placement",
    "sweepmark.coordinator.probe.Probed",
    "sweepmark.coordinator.probe._Course",
    "sweepmark.coordinator.probe._Run",
    "sweepmark.coordinator.projections.Projections",
    "sweepmark.coordinator.settlement.OpenTrial",
    "sweepmark.coordinator.settlement.Settlement",
    "sweepmark.coordinator.stock.Stock",
    "sweepmark.coordinator.workload.Workload",
    "sweepmark.engine.local._Slot",
    "sweepmark.report.keys.Keys",
    "sweepmark.report.replay._Check",
    "sweepmark.cache._Entry",
    "sweepmark.store.history.History",
    "sweepmark.tracking.existing_runs.ExistingRuns",
    "sweepmark.tracking.memory.MemoryRun",
}
"""Dataclasses that are no values: what they hold is gathered bit by bit."""


@pytest.fixture(scope="module")
def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(sweepmark.__path__, "sweepmark.")
    return [importlib.import_module(each.name) for each in found if "__main__" not in each.name]


def classes(module: ModuleType) -> Iterator[type]:
    for item in vars(module).values():
        if isinstance(item, type) and item.__module__ == module.__name__:
            yield item


def functions(module: ModuleType) -> Iterator[Callable[..., Any]]:
    for item in vars(module).values():
        if inspect.isfunction(item) and item.__module__ == module.__name__:
            yield item
    for owner in classes(module):
        if not issubclass(owner, tuple):  # of whose methods the standard library has written some
            yield from filter(inspect.isfunction, vars(owner).values())


def test_values_are_frozen_and_have_their_fields_alone(modules: list[ModuleType]) -> None:
    changing = set()
    for each in (each for module in modules for each in classes(module)):
        if dataclasses.is_dataclass(each):
            if not each.__dataclass_params__.frozen:  # type: ignore[attr-defined]
                changing.add(f"{each.__module__}.{each.__name__}")
            caches = any(isinstance(item, cached_property) for item in vars(each).values())
            assert caches or "__slots__" in vars(each), each
    assert changing == CHANGING


def test_values_that_hold_arrays_are_themselves_alone(modules: list[ModuleType]) -> None:
    """Two arrays are not simply equal or not, and neither is what holds them."""
    for each in (each for module in modules for each in classes(module)):
        if dataclasses.is_dataclass(each):
            holds_arrays = any("NDArray" in str(field.type) for field in dataclasses.fields(each))
            assert not (holds_arrays and each.__dataclass_params__.eq), each  # type: ignore[attr-defined]


def test_every_argument_can_be_given_by_its_name(modules: list[ModuleType]) -> None:
    """But for those of files, as Python has them."""
    for function in (each for module in modules for each in functions(module)):
        if function.__name__ not in {"read", "write", "writelines"}:
            kinds = [each.kind for each in inspect.signature(function).parameters.values()]
            assert inspect.Parameter.POSITIONAL_ONLY not in kinds, function
