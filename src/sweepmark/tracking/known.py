"""What MLflow has of a sweep already: its own run, and its trials', whole or half written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweepmark.tracking.interface import DELIVERED_TAG, TRIAL_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["Known", "search", "trial_number"]

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class Known:
    """What MLflow has of a sweep; true for as long as there is one writer."""

    parent: str | None = None
    whole: dict[int, str] = field(default_factory=dict)
    half: dict[int, str] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    ended: dict[int, int | None] = field(default_factory=dict)

    def is_current(self, number: int, ended: int) -> bool:
        """Return whether a trial's run is whole and of the outcome that came at a time."""
        is_whole = number in self.whole and number not in self.failed
        return is_whole and self.ended[number] == ended

    @classmethod
    def of(cls, runs: Iterator[Run]) -> Known:
        """Sort the runs of one sweep."""
        sweep = cls()
        for run in runs:
            tags, run_id = run.data.tags, run.info.run_id
            number = trial_number(tags)
            if TRIAL_TAG not in tags:
                sweep.parent = run_id
            elif number is None:
                continue  # somebody edited it: none of ours
            elif DELIVERED_TAG in tags and run.info.status != "RUNNING":
                sweep.whole[number] = run_id
                sweep.ended[number] = run.info.end_time
                if run.info.status == "FAILED":
                    sweep.failed.add(number)
            else:
                sweep.half[number] = run_id
        return sweep


def trial_number(tags: Mapping[str, str]) -> int | None:
    """Return the trial's number; None if there is none, or what stands there is no number."""
    text = tags.get(TRIAL_TAG, "")
    return int(text) if _NUMBER.fullmatch(text) else None


def search(client: MlflowClient, experiments: list[str], condition: str) -> Iterator[Run]:
    """Yield the runs that MLflow finds, page after page."""
    token = None
    while True:
        page = client.search_runs(experiments, condition, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
