"""Every command that is advised works as it stands: pasted into a shell, it is no wrong use."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import sweepmark
from program import Called
from sweepmark.commands import calling, command_line
from sweepmark.report.remedy import failure_commands
from sweepmark.search.trial import Trial
from sweepmark.store import Store
from tables import write
from tiny import blueprint, changed, flaky, run, write_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

ADVISED = re.compile(r"`(sweepmark [^`]*)`|(?:next:|->|with:|^ {6}) (sweepmark .*)", re.MULTILINE)
WRITTEN = re.compile(
    r"sweepmark (run|sweep|plan|resume|compare|grade|report|predict|register|restore|forget"
    r"|doctor)\b"
)
ELSEWHERE = {"fashion_mnist", "kaggle_digits", "mnist", "titanic"}
QUICK = ("engine=serial", "split.size=200", "tracking=none")
OWN = """# Mine
defaults:
  - override /classifier: mine
  - override /evaluation: cv
  - override /engine: serial
  - override /tracking: none
split: {size: 200}
evaluation: {n_splits: 2}
sweep:
  space: {classifier: {n_neighbors: [1, 3, 1000]}}
  objective: cv_accuracy
"""
CLASSIFIER = "# Mine\n_target_: sklearn.neighbors.KNeighborsClassifier\nn_neighbors: 5\n"


def advised(text: str) -> list[str]:
    """Return the commands in what the program says."""
    return [quoted or line for quoted, line in ADVISED.findall(text)]


@pytest.fixture
def called(tmp_path: Path, digits_cache: Path) -> Called:
    """The program, whose folder has a blank in its name, as quotes are part of what works."""
    return Called(tmp_path / "a folder", cache=digits_cache)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = write_sweep(tmp_path / "my own", "own", OWN)
    (folder / "classifier").mkdir()
    write(folder / "classifier" / "mine.yaml", CLASSIFIER)
    return folder


def paste(called: Called, said: str, elsewhere: Path) -> list[str]:
    """Run every command that was said, in another folder, and return them; none is wrong use."""
    other = Called(elsewhere, cache=Path(called.environment["SWEEPMARK_CACHE"]))
    commands = advised(said)
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "sweepmark"
        if words[0] == "ui" or (words[:2] == ["data", "fetch"] and words[2] in ELSEWHERE):
            continue  # serves until it is stopped; tests fetch nothing
        code = _code(other, words)
        assert code in {0, 1}, f"{command}: exit code {code}"
    return commands


def _code(called: Called, words: list[str]) -> int:
    for code in (0, 1, 2):
        try:
            called.run(*words, code=code)
        except AssertionError:
            continue
        return code
    return 70


@pytest.mark.parametrize(
    "words",
    [
        ("classifier=knn,svc",),
        ("split.size=100,200",),
        ("classifier=knn", "classifier.n_neighbors=range(1,3)"),
        ("preprocess=none,scale", "seed=1,2"),
        ("+classifier.tol=1e-4,1e-3",),
        ("experiment=svc_raw,softmax_raw",),
        ("classifier.C=interval(1,10)", "evaluation=test"),
    ],
    ids=" ".join,
)
def test_several_values_are_advised_as_the_sweep_over_them(
    called: Called, tmp_path: Path, words: tuple[str, ...]
) -> None:
    store = tmp_path / "my store"
    more = ["dataset=digits", "engine=serial", "tracking=none"]
    refused = called.run("run", *words, *more, "--store", store, "--cfg", "job", code=2)
    (found,) = advised(refused.err)
    _, *pasted = shlex.split(found)
    assert pasted == ["sweep", "--store", str(store), *words, *more]
    called.run(*pasted, "--cfg", "job")


def test_commands_about_sweeps_of_ones_own_name_store_and_folder(
    called: Called, tmp_path: Path, mine: Path
) -> None:
    store = tmp_path / "my store"
    place = ("--store", store, "--config-dir", mine)
    short = called.run("sweep", "own", "dataset=digits", *place, code=1)
    (retry,) = paste(called, short.out, tmp_path / "elsewhere")
    assert "--retry-failed" not in retry  # it would fail alike
    assert "'sweep.space.classifier.n_neighbors=[1, 3]'" in retry
    sweep_id = Store(store).sweep_ids()[0]
    image = write(tmp_path / "x.csv", ",".join(["0"] * 64) + "\n")
    for words in (("predict", f"{sweep_id}/1", image), ("predict", f"{sweep_id}/2", image)):
        refused = called.run(*words, "--store", store, code=2)
        (command,) = paste(called, refused.err, tmp_path / "elsewhere")
        assert "--config-dir" in command
        assert "--store" in command
    named = called.run("run", "own", "dataset=digits", *place, code=2)
    assert len(paste(called, named.err, tmp_path / "elsewhere")) == 1


def test_commands_about_classes_of_others_trust_them(
    tmp_path: Path, digits_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPMARK_CACHE", str(digits_cache))
    store = Store(tmp_path / "my store")
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    result = run(flaky(obstacle), store, trusted=("flaky",))
    (failed,) = [trial for trial in result.trials if trial.status == "failed"]
    assert failed.reason == "error"
    (command,) = failure_commands(
        result.blueprint, result.sweep_id, result.trials, store=store.root
    )
    assert shlex.split(command)[-2:] == ["--trust", "flaky"]
    called = Called(tmp_path, cache=digits_cache)
    image = write(tmp_path / "x.csv", ",".join(["0"] * 64) + "\n")
    refused = called.run("predict", f"{result.sweep_id}/2", image, "--store", store.root, code=2)
    (alone,) = advised(refused.err)
    assert shlex.split(alone)[-2:] == ["--trust", "flaky"]


@pytest.mark.parametrize(
    ("reasons", "commands"),
    [
        ({}, []),
        ({0: "timeout"}, ["resume"]),
        ({0: "killed", 1: "memory"}, ["resume"]),
        ({0: "error"}, []),  # neither its C nor its gamma fails always
        ({0: "error", 1: "error"}, ["sweep.space.classifier.C=[10.0]"]),
        ({0: "error", 2: "error"}, ["sweep.space.classifier.gamma=[0.1]"]),
        ({0: "error", 1: "nan", 2: "data"}, ["resume", "sweep.space.classifier.C=[10.0]"]),
        (dict.fromkeys(range(4), "error"), []),
    ],
)
def test_only_what_may_pass_is_tried_again(
    reasons: dict[int, str], commands: list[str], tmp_path: Path
) -> None:
    space = {"classifier": {"C": [1.0, 10.0], "gamma": [0.01, 0.1]}}
    asked = changed(blueprint("svc_c_gamma"), sweep__space=space)
    trials = [
        Trial(
            number=number,
            status="failed" if number in reasons else "complete",
            reason=reasons.get(number),
            params=params,
        )
        for number, params in enumerate(asked.space.cells())
    ]
    found = failure_commands(asked, "svc_c_gamma-1", trials, store=tmp_path)
    assert len(found) == len(commands)
    for line, part in zip(found, commands, strict=True):
        words = shlex.split(line)
        assert part in words
        assert ("--retry-failed" in words) == (part == "resume")


def test_failures_of_an_option_are_left_out_as_the_space_has_them(tmp_path: Path) -> None:
    asked = blueprint("which_classifier")
    trials = [
        Trial(number=0, status="failed", reason="error", params={"classifier": "svc"}),
        Trial(number=1, status="complete", params={"classifier": "knn"}),
    ]
    (found,) = failure_commands(asked, "x-1", trials, store=tmp_path)
    assert shlex.split(found)[-1] == "~sweep.space.classifier.option.svc"


def test_an_empty_store_and_a_lost_evaluation(called: Called, tmp_path: Path) -> None:
    store = tmp_path / "my store"
    empty = called.run("resume", "--store", store, code=2)
    assert len(paste(called, empty.err, tmp_path / "elsewhere")) == 1
    called.run("run", "dataset=digits", "classifier=knn", *QUICK, "--store", store)
    shutil.rmtree(store / "evaluations")
    lost = called.run("compare", "--store", store, code=3)
    (command,) = paste(called, lost.err, tmp_path / "elsewhere")
    assert shlex.split(command)[:4] == ["sweepmark", "resume", "--store", str(store)]
    called.run("compare", "--store", store)


def test_what_is_not_in_the_cache_is_fetched_by_its_option(tmp_path: Path) -> None:
    called = Called(tmp_path, cache=tmp_path / "cache")
    rows = "".join(f"{i % 2},{i}\n" for i in range(40))
    path = write(tmp_path / "my table.csv", f"y,a\n{rows}")
    words = ("dataset=csv", f"dataset.path={path}", "dataset.name=mine", "engine=serial")
    called.run("run", *words, "tracking=none", "classifier=knn")
    shutil.rmtree(tmp_path / "cache")
    refused = called.run("predict", "latest", path, code=2)
    paste(called, refused.err, tmp_path)
    called.run("predict", "latest", path)


def test_python_advises_its_own_store(
    tmp_path: Path, digits_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPMARK_CACHE", str(digits_cache))
    store = tmp_path / "my store"
    with pytest.raises(sweepmark.errors.ConfigurationError) as error:
        sweepmark.evaluate("classifier=knn,svc", dataset="digits", store=store, progress=False)
    (command,) = advised(str(error.value))
    assert shlex.split(command)[2:4] == ["--store", str(store)]


@pytest.mark.parametrize("verb", ["run", "sweep", "resume", "predict", "grade", "data", "doctor"])
def test_a_command_repeats_the_options_that_its_verb_takes(called: Called, verb: str) -> None:
    with calling(store=Path("/s"), config_dirs=["/c"], trusted=["p"]):
        words = shlex.split(command_line(verb))
    shown = called.run(verb, *(["fetch"] if verb == "data" else []), "--help").out
    for option in ("--config-dir", "--trust"):
        assert (option in words) == (option in shown)
    assert ("--store" in words) == (verb != "data")


def test_no_other_place_writes_a_command() -> None:
    """A text that is put together elsewhere would lack what the command needs."""
    allowed = {"commands.py": {"sweepmark"}, "archive.py": {"sweepmark sweep 1"}}  # a format
    source = Path(sweepmark.__file__).parent
    found = [
        f"{path.relative_to(source)}: {text}"
        for path in sorted(source.rglob("*.py"))
        for text in _texts(ast.parse(path.read_text()))
        if WRITTEN.search(text) and text not in allowed.get(path.name, set())
    ]
    assert found == []


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module, but for docstrings."""
    documented: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documented.add(node.value)
        elif isinstance(node, ast.Constant) and node not in documented:
            yield str(node.value)


def test_what_the_doctor_advises_mends(called: Called, tmp_path: Path) -> None:
    store = tmp_path / "my store"
    words = ("run", "dataset=digits", "classifier=dummy", "engine=serial", "split.size=200")
    next_lines = called.run(*words, "--store", store).out
    assert [shlex.split(line)[1] for line in advised(next_lines)] == ["ui"]
    (store / "mlflow.db").unlink()
    found = called.run("doctor", "--store", store, code=1).out
    commands = paste(called, found, tmp_path / "elsewhere")
    assert f"sweepmark doctor --store {shlex.quote(str(store))} --rebuild" in commands
    called.run("doctor", "--store", store)
