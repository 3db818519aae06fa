"""Texts on the command line: taken as they were typed."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sweepmark.config import Composer, Folders, lookup, resolve, validate
from sweepmark.config.overrides import parse_overrides
from sweepmark.data import load
from sweepmark.errors import ConfigurationError
from tables import csv_config, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from program import Called

TABLE = "0,1,2\n0,4,5\n1,6,7\n0,3,3\n1,9,9\n"
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
HOSTILE = "\\'\"a ,:{}[]=()~$.1"
NAMES = (st.text(CHARACTERS, min_size=1, max_size=40) | st.text(HOSTILE, min_size=1)).filter(
    lambda name: len(name.encode()) < 256 and name not in {".", ".."}
)
READ_BY_HYDRA = re.compile(r"null|'.*'|\".*\"", re.DOTALL)


@pytest.fixture(scope="module")
def composer() -> Iterator[Composer]:
    with Composer(Folders()) as composer:
        yield composer


def text(composer: Composer, *words: str, key: str = "dataset.path") -> Any:
    found = lookup(resolve(composer.compose(["dataset=csv", *words])), key)
    assert found is None or isinstance(found, str)
    return found


@given(name=NAMES)
@example(name="train (1).csv")
@example(name="${seed}")
@example(name="\\${seed}\\")
@example(name="1,2")
@example(name="it's")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_file_name_that_there_can_be_opens_that_file(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    del empty_cache
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / name, TABLE)
    # As in a shell, ./ says that a name is meant where something else could be.
    typed = f"./{name}" if READ_BY_HYDRA.fullmatch(name) or name.startswith("~") else name
    (read,) = parse_overrides([f"dataset.path={typed}"])
    found = resolve({"path": read.value()})["path"]
    assert found == typed
    assert load(csv_config(found)).source == str(path)
    path.unlink()


@pytest.mark.parametrize("more", [(), ("++dataset.types={a:text}",)], ids=["placed", "merged"])
@pytest.mark.parametrize("typed", ["train (1).csv", "${seed}", "a\\${seed}", "???", "表 {1},=.csv"])
def test_hydra_composes_what_was_typed(
    composer: Composer, typed: str, more: tuple[str, ...]
) -> None:
    assert text(composer, f"dataset.path={typed}", *more) == typed


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ('"a b"', "a b"),
        ("'it\\'s'", "it's"),
        ("'a", "'a"),
        ("a\\ b", "a\\ b"),
        ("null", None),
        ("'null'", "null"),
        ("'${seed}/${seed}'", "0/0"),
        ("", ""),
    ],
)
def test_quotes_around_it_all_are_those_of_hydra(
    composer: Composer, typed: str, found: object
) -> None:
    assert text(composer, "seed=0", f"dataset.path={typed}") == found


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("dataset.label", "1"),
        ("++dataset.label", "true"),
        ("tracking.experiment", "mine (2)"),
        ("dataset.sources.npm.folder", "a b, c"),
        ("task.positive", "<=50K"),
        ("task.positive", "true"),
        ("task.positive", "01"),
    ],
)
def test_every_key_that_is_a_text_takes_what_was_typed(
    composer: Composer, key: str, typed: str
) -> None:
    where = ["dataset=mnist"] if "sources" in key else []
    assert text(composer, *where, f"{key}={typed}", key=key.strip("+")) == typed


def test_numbers_stay_numbers_where_a_key_takes_them(composer: Composer) -> None:
    tree = composer.compose(["task.positive=-5", "evaluation.threshold=0.5", "split.size=50"])
    assert (lookup(tree, "task.positive"), lookup(tree, "evaluation.threshold")) == (-5, 0.5)
    assert lookup(tree, "split.size") == 50


@pytest.mark.parametrize(
    "key",
    ["dataset.path", "dataset.test_path", "dataset.label", "dataset.name", "tracking.experiment"],
)
def test_an_empty_text_is_refused(composer: Composer, key: str) -> None:
    tree = composer.compose(["dataset=csv", f"{key}="])
    with pytest.raises(ConfigurationError, match=f"^{re.escape(key)} must "):
        validate(resolve(tree))


def test_home_is_expanded_and_other_people_are_file_names(
    composer: Composer, tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del empty_cache
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    for typed, path in (("~/a.csv", home / "a.csv"), ("~no such user", tmp_path / "~no such user")):
        write(path, TABLE)
        config = validate(resolve(composer.compose(["dataset=csv", f"dataset.path={typed}"])))
        assert load(config.dataset).source == str(path)


def test_a_column_whose_name_is_a_number_and_a_label_that_is_a_word(called: Called) -> None:
    rows = "".join(f"{n % 7},{'TRUE' if n % 3 else 'maybe'},{n % 5}\n" for n in range(60))
    write(called.folder / "a,b {c}.csv", "0,1,2\n" + rows)
    words = ("run", "dataset=csv", "dataset.path=a,b {c}.csv", "dataset.label=1")
    quick = ("engine=serial", "tracking=none", "grade=none", "classifier=dummy", "--json")
    finished = called.run(
        *words, "dataset.header=true", "task.positive=TRUE", *quick, "preprocess=none"
    )
    assert finished.document["trials"][0]["positive"] == "TRUE"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["run", "--store", ""], "the word after --store"),
        (["run", "--store="], "--store"),
        (["compare", ""], "the word after compare"),
        (["data", "export", "digits", "--count", "1", "-o", ""], "the word after -o"),
        (["run", "dataset=digits", "--config-dir", ""], "the word after --config-dir"),
        (["resume", "", "--trust="], "the word after resume"),
        (["grade", "--require="], "--require"),
        ([""], "the word after sweepmark"),
    ],
)
def test_empty_words_of_the_command_line_are_refused(
    called: Called, words: list[str], place: str
) -> None:
    finished = called.run(*words, code=2)
    assert f"error: {place} must not be empty" in " ".join(finished.err.split())
    assert called.left() == []


def test_a_name_that_is_no_unicode_is_refused_in_one_line(called: Called) -> None:
    with contextlib.suppress(OSError):
        write(called.folder / "a\udcff.csv", TABLE)
    finished = called.run("run", "dataset=csv", "dataset.path=a\udcff.csv", code=2)
    assert finished.err.startswith("error: dataset.path must be Unicode")
    assert len(finished.err.splitlines()) == 1


@pytest.mark.parametrize("option", ["store", "config_dir"])
def test_python_takes_no_empty_path(option: str) -> None:
    import sweepmark

    arguments: dict[str, Any] = {option: ""}
    with pytest.raises(ConfigurationError, match="must not be empty"):
        sweepmark.evaluate("dataset=digits", **arguments)


def test_output_in_the_home(called: Called) -> None:
    home = called.folder / "home"
    home.mkdir()
    words = ("data", "export", "digits", "--count", "1", "--output=~/rows.csv")
    assert str(home) in called.run(*words, HOME=str(home)).out
    assert [path.name for path in home.iterdir()] == ["rows.csv"]
    assert called.left() == ["home"]
    assert Path("~").is_dir() is False
