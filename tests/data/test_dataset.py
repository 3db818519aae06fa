from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sweepmark.config import Folders, dataset_config
from sweepmark.data import Dataset, Part, is_cached, load, published_digest
from sweepmark.data.summary import describe
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _dataset(*, with_test: bool = True) -> Dataset:
    X = np.arange(20, dtype=np.uint8).reshape(10, 2)
    y = np.arange(10, dtype=np.int64) % 3
    return Dataset(
        name="x",
        digest="0" * 64,
        source="here",
        image_shape=(1, 2),
        files={"train_images": "1" * 64},
        train=Part(X[:6], y[:6]),
        test=Part(X[6:], y[6:] + 1) if with_test else None,
    )


@pytest.mark.parametrize(
    "rows", [[0, 1, 2], [5, 0, 5], [6, 7], [9, 6], [5, 6], [0, 9, 3, 6], [], list(range(10))]
)
def test_rows_are_numbered_through_both_parts(rows: list[int]) -> None:
    dataset = _dataset()
    wanted: NDArray[np.int64] = np.array(rows, dtype=np.int64)
    taken = dataset.take(wanted)
    np.testing.assert_array_equal(taken.X, np.arange(20).reshape(10, 2)[wanted])
    np.testing.assert_array_equal(taken.y, dataset.y[wanted])
    assert taken.X.dtype == np.uint8


def test_a_run_of_rows_is_not_copied() -> None:
    dataset = _dataset()
    assert np.shares_memory(dataset.take(np.arange(7, 9)).X, dataset.parts["test"].X)


@pytest.mark.parametrize("rows", [[-1], [10], [0, 10]])
def test_rows_that_are_not_there_are_refused(rows: list[int]) -> None:
    with pytest.raises(IndexError, match=r"rows must be in \[0, 10\)"):
        _dataset().take(np.array(rows))


def _frames(*, with_test: bool) -> Dataset:
    import pandas as pd

    X = pd.DataFrame({"age": np.arange(10.0), "port": list("abcdefghij")})
    y = np.arange(10, dtype=np.int64) % 2
    return replace(
        _dataset(),
        train=Part(X[:6], y[:6]) if with_test else Part(X, y),
        test=Part(X[6:].reset_index(drop=True), y[6:]) if with_test else None,
        feature_names=("age", "port"),
        label_names=("no", "yes"),
    )


@pytest.mark.parametrize("with_test", [False, True])
@pytest.mark.parametrize("rows", [[0, 1, 2], [5, 0, 5], [9, 6], [5, 6], [0, 9, 3, 6], []])
def test_rows_of_a_frame_are_taken_by_place(rows: list[int], *, with_test: bool) -> None:
    taken: Any = _frames(with_test=with_test).take(np.array(rows, dtype=np.int64))
    assert taken.is_frame
    assert taken.X["age"].tolist() == rows
    assert "".join(taken.X["port"]) == "".join("abcdefghij"[row] for row in rows)
    assert taken.y.tolist() == [row % 2 for row in rows]


def test_a_data_set_says_what_it_holds() -> None:
    assert (_dataset().dtype, _dataset().is_frame, _dataset().label_text(2)) == (
        "uint8",
        False,
        "2",
    )
    frames = _frames(with_test=False)
    assert (frames.dtype, frames.n_features, frames.label_text(1)) == ("mixed", 2, "yes")


def test_the_whole_is_described() -> None:
    document: dict[str, Any] = describe(_dataset(), published="0" * 64)
    assert document["published"]
    assert document["n_rows"] == 10
    assert document["bytes"] == 20 + 80
    assert document["parts"]["train"]["int64_bytes"] == 6 * 3 * 8
    assert document["classes"] == [0, 1, 2, 3]
    assert document["parts"]["train"]["labels"][0] == {"label": 0, "count": 2, "share": 1 / 3}
    assert list(describe(_dataset(with_test=False), published="")["parts"]) == ["train"]


@pytest.mark.parametrize("name", Folders().groups()["dataset"])
def test_every_published_data_set_has_a_digest_before_it_is_fetched(name: str) -> None:
    config = dataset_config(name)
    digest = published_digest(config)
    if config.files:
        assert digest is not None
        assert len(digest) == 64
        assert config.name == name
    else:
        assert digest is None
        assert not is_cached(config)


def test_an_incomplete_list_of_files_is_refused() -> None:
    config = dataset_config("mnist")
    files = {role: file for role, file in config.files.items() if role != "test_labels"}
    with pytest.raises(ConfigurationError, match="either both or none"):
        load(replace(config, files=files))


@pytest.mark.usefixtures("empty_cache")
def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    dataset = load(dataset_config("digits"))
    X, y = load_digits(return_X_y=True)
    np.testing.assert_array_equal(dataset.train.X, X)
    np.testing.assert_array_equal(dataset.train.y, y)
    assert dataset.test is None
    assert dataset.image_shape == (8, 8)
    assert dataset.source == "scikit-learn"
