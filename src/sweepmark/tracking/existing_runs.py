"""The runs of a sweep that exist in MLflow: its parent run, and complete and incomplete trials."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweepmark.tracking.interface import DELIVERED_TAG, TRIAL_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["ExistingRuns", "search", "trial_number"]

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class ExistingRuns:
    """The runs of a sweep in MLflow; valid as long as there is a single writer."""

    parent: str | None = None
    complete: dict[int, str] = field(default_factory=dict)
    incomplete: dict[int, str] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    ended: dict[int, int | None] = field(default_factory=dict)

    def is_current(self, number: int, ended: int) -> bool:
        """Return whether a trial's run is complete and of the outcome with a given end time."""
        is_whole = number in self.complete and number not in self.failed
        return is_whole and self.ended[number] == ended

    @classmethod
    def of(cls, runs: Iterator[Run]) -> ExistingRuns:
        """Sort the runs of one sweep."""
        sweep = cls()
        for run in runs:
            tags, run_id = run.data.tags, run.info.run_id
            number = trial_number(tags)
            if TRIAL_TAG not in tags:
                sweep.parent = run_id
            elif number is None:
                continue  # edited by somebody: ignored
            elif DELIVERED_TAG in tags and run.info.status != "RUNNING":
                sweep.complete[number] = run_id
                sweep.ended[number] = run.info.end_time
                if run.info.status == "FAILED":
                    sweep.failed.add(number)
            else:
                sweep.incomplete[number] = run_id
        return sweep


def trial_number(tags: Mapping[str, str]) -> int | None:
    """Return the trial number of a run; None if it has none or it is invalid."""
    text = tags.get(TRIAL_TAG, "")
    return int(text) if _NUMBER.fullmatch(text) else None


def search(client: MlflowClient, experiments: list[str], condition: str) -> Iterator[Run]:
    """Yield the runs found by MLflow, over all pages."""
    token = None
    while True:
        page = client.search_runs(experiments, condition, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
