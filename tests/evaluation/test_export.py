"""Models as files: in scikit-learn's own classes, wherever ours lie in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn.svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingClassifier, GradientBoostingClassifier, VotingClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from sweepmark.estimators import Scale
from sweepmark.evaluation.export import dump_pipeline, to_sklearn
from sweepmark.specification import models
from sweepmark.svm import SVC

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def data() -> tuple[NDArray[Any], NDArray[Any]]:
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300] % 3


NESTED = [
    OneVsRestClassifier(SVC()),
    VotingClassifier([("a", SVC()), ("b", make_pipeline(Scale(), SVC()))]),
    BaggingClassifier(SVC(), n_estimators=2, random_state=0),
    CalibratedClassifierCV(SVC(), cv=2),
    make_pipeline(ColumnTransformer([("some", Scale(), [1, 2, 3])]), SVC()),
]


@pytest.mark.parametrize("classifier", NESTED, ids=lambda each: type(each).__name__)
def test_our_svc_within_others_is_scikit_learns_in_the_file(
    data: tuple[NDArray[Any], NDArray[Any]], classifier: Any
) -> None:
    X, y = data
    pipeline = Pipeline([("classifier", classifier)]).fit(X, y)
    content = dump_pipeline(pipeline)
    back = models.load(content)
    np.testing.assert_array_equal(back.predict(X), pipeline.predict(X))
    assert not any(name.startswith("sweepmark.svm") for name in models.named_types(content))


def test_the_original_stays(data: tuple[NDArray[Any], NDArray[Any]]) -> None:
    X, y = data
    voting = VotingClassifier([("a", make_pipeline(Scale(), SVC()))]).fit(X, y)
    exported = to_sklearn(voting)
    assert type(exported.estimators_[0][-1]) is sklearn.svm.SVC
    assert type(exported.named_estimators_["a"][-1]) is sklearn.svm.SVC
    assert type(voting.estimators_[0][-1]) is SVC
    assert type(voting.named_estimators_["a"][0]) is Scale


@pytest.mark.parametrize("plain", [GradientBoostingClassifier(n_estimators=2), Birch()], ids=str)
def test_what_has_none_of_ours_is_not_copied(
    data: tuple[NDArray[Any], NDArray[Any]], plain: Any
) -> None:
    plain.fit(*data)
    assert to_sklearn(plain) is plain
