"""Data and splits that cannot be used: refused by the command before anything is begun.

Every other way in which a table can be wrong is in test_table.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tables import write

if TYPE_CHECKING:
    from program import Called

GOOD = "label,a,b\n" + "0,1,2\n1,3,4\n" * 20


@pytest.mark.row(15, "CSV that is wrong starts nothing")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "0,1\n", "row 41 (line 42): must have 3 columns"),
        (GOOD + "0,1,two\n", "row 41 (line 42), column 'b': must be a number as 40 others of"),
        (GOOD + "2,1,1\n", "row 41 (line 42), column 'label': a label must be in [0, 1]"),
    ],
    ids=["ragged", "text", "label out of range"],
)
def test_a_wrong_table_starts_nothing(called: Called, text: str, says: str) -> None:
    path = write(called.folder / "table.csv", text)
    finished = called.run(
        *("run", "dataset=csv", f"dataset.path={path}", "dataset.n_classes=2"), code=2
    )
    assert says in " ".join(finished.err.split())
    assert called.left() == ["table.csv"]


@pytest.mark.row(15, "CSV with a byte order mark is fine")
def test_a_byte_order_mark_is_fine(called: Called) -> None:
    path = write(called.folder / "table.csv", b"\xef\xbb\xbf" + GOOD.encode())
    finished = called.run(
        *("run", "dataset=csv", f"dataset.path={path}", "classifier=dummy", "engine=serial"),
        *("tracking=none", "grade=none", "--json"),
    )
    assert finished.document["state"] == "complete"


@pytest.mark.row(16, "a split that cannot be")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("split.size=1798",), "split.size must be at most 1797"),
        (("split.train_ratio=0",), "split.train_ratio must be greater than 0"),
        (("split.train_ratio=1",), "split.train_ratio must be less than 1"),
        (("split.size=1",), "both parts must have rows"),
        (("split.size=40", "split.train_ratio=0.1"), "rows lack"),
        (
            ("split.size=100", "evaluation=cv", "evaluation.n_splits=20"),
            "every class must have at least evaluation.n_splits=20 training rows",
        ),
    ],
    ids=["too many", "ratio 0", "ratio 1", "one row", "class missing", "too many folds"],
)
def test_a_split_that_cannot_be_starts_nothing(
    called: Called, words: tuple[str, ...], says: str
) -> None:
    finished = called.run("run", "dataset=digits", *words, code=2)
    assert says in " ".join(finished.err.split())
    assert called.left() == []
