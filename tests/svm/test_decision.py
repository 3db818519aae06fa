"""Decision values: what they are shared under names everything they depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import svm_data
from sweepmark.cache import freeze
from sweepmark.svm.content import digest
from sweepmark.svm.decision import Trained, decide

X = np.random.default_rng(0).normal(size=(6, 2))
ASKED = np.random.default_rng(1).normal(size=(9, 2))
OTHER = freeze(X + 1)
TRAINED = Trained(
    X=freeze(X),
    content=digest(X),
    order=np.array([0, 2, 4, 1, 3, 5]),
    counts=(2, 2, 2),
    support=np.array([0, 2, 3, 4]),
    gamma=0.5,
)
MODEL = {"coefficients": np.arange(1.0, 9.0).reshape(2, 4), "intercepts": np.arange(3.0)}


@pytest.mark.parametrize(
    "changed",
    [
        {"X": OTHER, "content": digest(OTHER)},
        {"order": np.array([5, 2, 4, 1, 3, 0])},
        {"counts": (3, 2, 1)},
        {"support": np.array([0, 2, 3, 5])},
        {"gamma": 0.25},
        {"coefficients": np.ones((2, 4))},
        {"intercepts": np.ones(3)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_models_that_differ_in_one_thing_share_no_decision(changed: dict[str, Any]) -> None:
    trained = replace(TRAINED, **{k: v for k, v in changed.items() if k not in MODEL})
    model = MODEL | {k: v for k, v in changed.items() if k in MODEL}
    first = decide(ASKED, TRAINED, **MODEL)
    second = decide(ASKED, trained, **model)
    svm_data.forget()
    assert np.array_equal(second, decide(ASKED, trained, **model))
    assert not np.array_equal(first, second)
    assert np.array_equal(first[2], decide(ASKED[2:3], TRAINED, **MODEL)[0])
