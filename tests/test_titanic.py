"""The Titanic's table: mixed columns become numbers, when fitted and when loaded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark import data
from sweepmark.errors import DataError
from sweepmark.specification import models
from sweepmark.specification.recipe import build_pipeline
from sweepmark.specification.specify import specify_test
from tables import PASSENGERS, titanic_config, write
from tiny import config, dataset_config, digits

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called

COLUMNS = [
    *("numeric__Age", "numeric__SibSp", "numeric__Parch", "numeric__Fare"),
    *("categorical__Pclass_1.0", "categorical__Pclass_2.0", "categorical__Pclass_3.0"),
    *("categorical__Sex_female", "categorical__Sex_male"),
    *("categorical__Embarked_C", "categorical__Embarked_Q", "categorical__Embarked_S"),
]


def pipeline() -> Any:
    groups = ("preprocess=titanic", "classifier=logistic")
    return build_pipeline(specify_test(config(*groups), digits()))


def test_columns_are_filled_and_categories_become_columns_of_their_own(tmp_path: Path) -> None:
    passengers = data.load(titanic_config(write(tmp_path / "p.csv", PASSENGERS))).train.X
    columns = pipeline()["columns"].fit(passengers)
    matrix = columns.transform(passengers)
    assert list(columns.get_feature_names_out()) == COLUMNS
    assert matrix[2].tolist() == [35.0, 0, 0, 7.92, 0, 0, 1, 1, 0, 0, 0, 1]  # no age: the median
    assert matrix[3].tolist() == [35.0, 1, 0, 53.1, 1, 0, 0, 1, 0, 0, 0, 1]  # no port: most are S


def test_category_that_training_rows_lack_is_none_of_them(tmp_path: Path) -> None:
    passengers = data.load(titanic_config(write(tmp_path / "p.csv", PASSENGERS))).train.X
    columns = pipeline()["columns"].fit(passengers[passengers["Embarked"] != "Q"])
    assert columns.transform(passengers)[4].tolist() == [4.5, 0, 2, 8.05, 0, 0, 1, 0, 1, 0, 0]


def test_run_leaves_a_model_that_predicts_passengers(called: Called, tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", PASSENGERS + more_passengers())
    options = (f"dataset.path={path}", "preprocess=titanic", "classifier=logistic", "grade=none")
    called.run("run", "dataset=titanic", *options, "engine=serial", "tracking=none")
    (file,) = tmp_path.rglob("model.skops")
    model = models.load(file.read_bytes())
    passengers = data.load(titanic_config(path)).train
    assert model.score(passengers.X, passengers.y) > 0.9


def more_passengers() -> str:
    """Return passengers of whom the women survive."""
    lines = PASSENGERS.splitlines(keepends=True)[1:]
    return "".join(
        line.replace(line.partition(",")[0], str(10 * copy + number), 1)
        for copy in range(1, 8)
        for number, line in enumerate(lines)
    )


@pytest.mark.full
def test_real_passengers_become_the_published_matrix() -> None:
    path = os.environ.get("SWEEPMARK_TITANIC")
    try:
        real: Any = data.load(titanic_config(path) if path else dataset_config("titanic"))  # type: ignore[arg-type]
    except DataError as error:
        pytest.skip(f"Kaggle's file is not to be had; set SWEEPMARK_TITANIC to it: {error}")
    columns = pipeline()["columns"]
    assert columns.fit_transform(real.train.X).shape == (891, 12)
    assert list(columns.get_feature_names_out()) == COLUMNS
    assert np.bincount(real.train.y).tolist() == [549, 342]
