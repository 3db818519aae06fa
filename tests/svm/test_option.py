"""The shared SVC as an option of group ``classifier``: same figures, plain model."""

from __future__ import annotations

import pytest

from sweepmark.config import Composer, Folders, resolve, validate
from sweepmark.data import load
from sweepmark.evaluation.evaluate import evaluate
from sweepmark.specification.models import load as load_model
from sweepmark.specification.specify import specify


@pytest.mark.parametrize("method", ["test", "cv"])
def test_svc_scores_as_libsvm_does(method: str) -> None:
    figures = {}
    for classifier in ("svc", "svc_libsvm"):
        with Composer(Folders()) as composer:
            overrides = ["dataset=digits", f"classifier={classifier}", f"evaluation={method}"]
            config = validate(resolve(composer.compose(overrides)))
        specifications = specify(config, load(config.dataset))
        figures[classifier] = [evaluate(each).metrics["accuracy"] for each in specifications]
    assert figures["svc_libsvm"] == figures["svc"]


def test_its_model_needs_no_sweepmark_classifier() -> None:
    with Composer(Folders()) as composer:
        config = validate(resolve(composer.compose(["dataset=digits", "classifier=svc"])))
    dataset = load(config.dataset)
    (specification,) = specify(config, dataset)
    card = evaluate(specification, keep_model=True)
    assert card.model is not None
    pipeline = load_model(card.model)
    assert type(pipeline.steps[-1][1]).__module__ == "sklearn.svm._classes"
    scored = dataset.take(card.predictions.rows).X
    assert (pipeline.predict(scored) == card.predictions.y_pred).all()
