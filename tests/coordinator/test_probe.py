"""Probes: small evaluations that share no work of others, and what a learning search tries."""

from __future__ import annotations

from typing import Any

import pytest

from sweepmark.coordinator.agenda import Agenda, Family
from sweepmark.coordinator.miniatures import miniatures
from sweepmark.coordinator.plan import _scales
from sweepmark.coordinator.probe import Probed, Sample
from sweepmark.engine import Job
from sweepmark.engine.work import probe_job
from sweepmark.search import create_search
from sweepmark.specification.specify import specify
from tiny import blueprint, config, digits, grid, load_digits


def test_a_probe_says_its_memory_and_shares_only_with_the_same_rows() -> None:
    small, large = (
        specify(config("preprocess=standard", "classifier=knn", split__size=size), digits())[0]
        for size in (120, 240)
    )
    shared = [probe_job(Job(specification=item)).work for item in (small, small, large, small)]
    hits = [work["prepared_hits"] for work in shared]
    assert hits[1] > hits[0] == hits[2] == hits[3]
    assert all(work["peak_bytes"] > 10 * 2**20 for work in shared)
    assert shared[2]["cache_bytes"] > shared[0]["cache_bytes"] > 0


def test_every_size_has_the_same_trials_in_the_same_order_kernels_together() -> None:
    asked = grid(split__size=800)
    params: list[dict[str, Any]] = [
        {"classifier.C": C, "classifier.gamma": gamma} for C in (1.0, 10.0) for gamma in (0.01, 0.1)
    ]
    specifications = specify(asked.config_at(params[0]), digits())
    family = Family("SVC", "sweepmark.svm.SVC", params, list(specifications))
    sizes = miniatures(family, asked, load_digits, ())
    assert [size[0].split["n_train"] for size in sizes] == [150, 300, 600]
    orders = {
        tuple((item.classifier["C"], item.classifier["gamma"]) for item in size) for size in sizes
    }
    assert len(orders) == 1
    gammas = [gamma for _, gamma in next(iter(orders))]
    assert gammas in ([0.01, 0.01, 0.1, 0.1], [0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize(("others", "n_good"), [(0.3, 1), (0.88, 2)])
def test_a_search_that_learns_goes_on_with_what_did_well(others: float, n_good: int) -> None:
    asked = blueprint("which_classifier")
    search = create_search(asked.space, asked.config.sampler, asked.sweep, seed=0)
    assert (search.n_trials, search.n_before_learning) == (30, 10)
    labels = ("knn", "softmax", "svc")
    families = {label: Family(label, label, params=[{}] * 10) for label in labels}
    agenda = Agenda(n_trials=30, n_examined=30, n_drawn=30, families=families)
    probed = {label: Probed() for label in labels}
    for label, accuracy in zip(labels, (0.9, others, 0.2), strict=True):
        probed[label].samples[150].append(Sample(1.0, 0.0, 1, 1, 1, accuracy))
    scales = _scales(agenda, probed, search)
    assert 10 * sum(scales.values()) == pytest.approx(30)
    assert scales["svc"] == pytest.approx(1 / 3)
    assert scales["knn"] == pytest.approx(1 / 3 + 2 / n_good)
