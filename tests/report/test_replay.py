"""A journal is data: whatever it says, the answer is a result or a clear error, and no more."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damage import forge
from sweepmark.coordinator import LaunchOptions, resume
from sweepmark.errors import ConfigurationError, StoreError, SweepmarkError
from sweepmark.report.replay import read_sweep
from sweepmark.report.results import read_result
from sweepmark.report.summary import result_document, result_table
from sweepmark.search.blueprint import Blueprint
from sweepmark.store import Store, owned, read_journal
from tiny import Listener, blueprint, run, seal_lines, write_sweep

if TYPE_CHECKING:
    from pathlib import Path

Entries = list[dict[str, Any]]

SWEEP = """\
# How many neighbours?
defaults:
  - override /classifier: knn
  - override /evaluation: cv
sweep:
  space:
    classifier:
      n_neighbors: [3, 1]
  objective: cv_accuracy
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one finished sweep, not to be written to."""
    root = tmp_path_factory.mktemp("replay")
    folder = write_sweep(root / "own", "near", SWEEP)
    store = Store(root / "mlruns")
    plan = blueprint("near", "evaluation.n_splits=2", "split.size=100", folder=folder)
    return store.root, run(plan, store).sweep_id


@pytest.fixture
def foreign(finished: tuple[Path, str], tmp_path: Path) -> tuple[Store, str]:
    """The same store, come from elsewhere."""
    root, sweep_id = finished
    return Store(shutil.copytree(root, tmp_path / "mlruns")), sweep_id


def journal(store: Store, sweep_id: str) -> Entries:
    return read_journal(store.journal_path(sweep_id))


def rewrite(store: Store, sweep_id: str, entries: Entries) -> None:
    """Write a journal that says something else, its digests in order: a forger has the program."""
    with suppress(Exception):  # so too the key of what can be a blueprint
        entries[0]["sweep_key"] = Blueprint.from_document(entries[0]["blueprint"]).key
    store.journal_path(sweep_id).write_bytes(seal_lines(entries))


def again(store: Store, sweep_id: str) -> None:
    """Do with a sweep all that a user can do with it."""
    result = resume(sweep_id, store=store, options=LaunchOptions(), progress=Listener())
    json.dumps(result_document(result), allow_nan=False)
    result_table(read_result(store, sweep_id))


def trees(entries: Entries) -> dict[str, Any]:
    found: dict[str, Any] = entries[0]["blueprint"]["trees"]["{}"]
    return found


# What a hostile hand would write

TARGETS = [
    "os.system",
    "builtins.open",
    "joblib.load",
    "numpy.load",
    "pathlib.Path.write_text",
    "multiprocessing.Process",
    "sklearn.utils._joblib.Memory",
    "sweepmark.cli.main",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("place", ["classifier", "step"])
def test_target_of_a_journal_is_built_no_more_than_one_of_a_yaml(
    target: str, place: str, foreign: tuple[Store, str], tmp_path: Path
) -> None:
    store, sweep_id = foreign
    canary = tmp_path / "canary"
    entries = [entry for entry in journal(store, sweep_id) if entry["event"] == "opened"]
    component = {"_target_": target, "command": f"touch {canary}", "filename": str(canary)}
    node = trees(entries)
    if place == "classifier":
        node["classifier"] = {"n_neighbors": 1, **component}
    else:
        node["preprocess"]["evil"] = component
    rewrite(store, sweep_id, entries)
    with pytest.raises(ConfigurationError, match="_target_"):
        again(store, sweep_id)
    assert not canary.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]


@pytest.mark.parametrize(
    "name", ["../../escaped", "/etc/escaped", "near\0", "", "..", "near/../near"]
)
def test_name_of_a_journal_leads_nowhere(
    name: str, foreign: tuple[Store, str], tmp_path: Path
) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    entries[0]["blueprint"]["name"] = name
    entries[0]["versions"] = {"numpy": "0"}
    for said in (sweep_id, f"{name}-20200101-000000-000aa"):
        entries[0]["sweep_id"] = said
        rewrite(store, sweep_id, entries[:1])
        with pytest.raises(StoreError, match=r"must be of the sweep"):
            resume(
                sweep_id,
                store=store,
                options=LaunchOptions(accept_versions=True),
                progress=Listener(),
            )
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]


@pytest.mark.parametrize("key", ["../../../etc", "0" * 63, "g" * 64, "A" * 64, None, 7])
def test_keys_are_no_paths(key: Any, foreign: tuple[Store, str]) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    outcome = next(entry for entry in entries if entry["event"] == "outcome")
    outcome["keys"] = [key]
    rewrite(store, sweep_id, entries)
    with pytest.raises(StoreError, match=r"'keys\.0' must be "):
        read_sweep(store, sweep_id)


ABSURD = {
    "split.size": 10**18,
    "evaluation.n_splits": 10**9,
    "engine.workers": 10**9,
    "engine.threads": 10**9,
    "sweep.n_trials": 10**12,
    "sampler.lag": 10**18,
    "seed": -1,
    "dataset.files.train_images.name": "../../escaped",
    "dataset.files.train_images.sha256": "../" * 21 + "x",
    "dataset.files.train_images.size": 10**30,
}


@pytest.mark.parametrize(("path", "value"), ABSURD.items(), ids=ABSURD.keys())
def test_absurd_values_are_refused_before_anything_starts(
    path: str, value: Any, foreign: tuple[Store, str]
) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)[:1]
    *parents, last = path.split(".")
    node = trees(entries)
    for parent in parents:
        node = node[parent]
    node[last] = value
    rewrite(store, sweep_id, entries)
    before = store.journal_path(sweep_id).read_bytes()
    with pytest.raises((ConfigurationError, StoreError)):
        again(store, sweep_id)
    assert store.journal_path(sweep_id).read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"event":"opened","at":NaN}',
        b'{"event":"trial","at":1,"number":' + b"9" * 5000 + b',"params":{}}',
        b'{"event":"trial","at":1e999,"number":0,"params":{}}',
        b'{"event":"warning","at":1,"kind":"x","message":"\\ud800"}',
        b'{"event":"warning","at":1,"kind":"x","message":"\xff"}',
        b'{"event":"stop","at":1}',
        b'{"at":1}',
        b"{}",
        b"null",
        b"",
        b"\0" * 1000,
    ],
)
def test_lines_that_no_journal_has(line: bytes, foreign: tuple[Store, str]) -> None:
    store, sweep_id = foreign
    path = store.journal_path(sweep_id)
    written = path.read_bytes()
    number = written.count(b"\n") + 1
    said = line.removesuffix(b"}")
    last = written.splitlines()[-1].decode()[-66:-2]
    digest = hashlib.sha256(last.encode() + said).hexdigest()
    for end in (b"", f',"digest":"{digest}"}}'.encode()):  # as it is, and sealed by a forger
        path.write_bytes(written + said + end + b"\n")
        with pytest.raises(StoreError, match=rf"is no journal of a sweep: line {number}:"):
            again(store, sweep_id)


def test_links_of_a_foreign_store_are_not_followed(
    foreign: tuple[Store, str], tmp_path: Path
) -> None:
    store, sweep_id = foreign
    precious = tmp_path / "precious"
    precious.write_text("mine")
    lock = store.lock_path(sweep_id)
    lock.unlink()
    lock.symlink_to(precious)
    with pytest.raises(StoreError, match=lock.name), owned(lock):
        pass
    with pytest.raises(StoreError):
        again(store, sweep_id)
    path = store.journal_path(sweep_id)
    for target in (precious, "/dev/zero"):
        path.unlink()
        path.symlink_to(target)
        with pytest.raises(StoreError, match="no file of its own"):
            read_sweep(store, sweep_id)
    assert precious.read_text() == "mine"


def test_fifo_in_place_of_a_journal_keeps_nobody_waiting(foreign: tuple[Store, str]) -> None:
    store, sweep_id = foreign
    path = store.journal_path(sweep_id)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError, match="no file of its own"):
        read_sweep(store, sweep_id)
    with pytest.raises(SweepmarkError):
        store.match(None)


# What a careful hand would write: every line possible by itself, its digests in order


def swap(entries: Entries, event: str, name: str) -> None:
    one, two = [entry for entry in entries if entry["event"] == event][:2]
    one[name], two[name] = two[name], one[name]


def tamper(entries: Entries, what: str) -> None:
    (final,) = [entry for entry in entries if entry["event"] == "final"]
    outcome = next(entry for entry in entries if entry["event"] == "outcome")
    match what:
        case "swapped parameters":
            swap(entries, "trial", "params")
        case "swapped keys":
            swap(entries, "outcome", "keys")
        case "keys in another order":
            outcome["keys"].reverse()
        case "fewer keys":
            del outcome["keys"][1:], outcome["results"][1:]
        case "more keys":
            outcome["keys"].append(outcome["keys"][0])
            outcome["results"].append(outcome["results"][0])
        case "another final key":
            final["key"] = outcome["keys"][0]
        case "another evaluation":
            next(e for e in entries if e["event"] == "evaluation")["key"] = "0" * 64
        case "another final evaluation":
            [e for e in entries if e["event"] == "evaluation"][-1]["key"] = "0" * 64


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("swapped parameters", r"line \d+: (evaluation \w+ is not one|the evaluations of trial)"),
        ("swapped keys", r"line \d+: the evaluations of trial \d are not those"),
        ("keys in another order", r"line \d+: the evaluations of trial \d are not those"),
        ("fewer keys", r"line \d+: trial \d must have 2 evaluations, not 1"),
        ("more keys", r"line \d+: trial \d must have 2 evaluations, not 3"),
        ("another final key", r"line \d+: the final evaluation is not the one"),
        ("another evaluation", r"line \d+: evaluation 000000000000 is not one"),
        ("another final evaluation", r"line \d+: evaluation 000000000000 is not one"),
    ],
)
def test_keys_are_those_that_the_parameters_specify(
    what: str, says: str, foreign: tuple[Store, str]
) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    tamper(entries, what)
    rewrite(store, sweep_id, entries)
    written = store.journal_path(sweep_id).read_bytes()
    with pytest.raises(StoreError, match=says):
        read_sweep(store, sweep_id)
    with pytest.raises(StoreError, match=says):
        again(store, sweep_id)
    assert store.journal_path(sweep_id).read_bytes() == written


@pytest.mark.parametrize("name", ["digest", "fit_seconds", "predict_seconds"])
def test_evaluation_that_came_to_something_says_to_what(
    name: str, foreign: tuple[Store, str]
) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    next(entry for entry in entries if entry["event"] == "evaluation")[name] = None
    rewrite(store, sweep_id, entries)
    with pytest.raises(StoreError, match=r"line \d+: an evaluation that came to something must"):
        read_sweep(store, sweep_id)


@pytest.mark.parametrize("what", ["fewer keys", "more keys"])
def test_number_of_keys_is_checked_where_they_cannot_be_told(
    what: str, foreign: tuple[Store, str]
) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    entries[0]["versions"]["numpy"] = "0"
    tamper(entries, what)
    rewrite(store, sweep_id, entries)
    with pytest.raises(StoreError, match="must have 2 evaluations"):
        read_sweep(store, sweep_id)


def test_seed_changed_in_the_blueprint_is_not_the_sweeps(foreign: tuple[Store, str]) -> None:
    store, sweep_id = foreign
    entries = journal(store, sweep_id)
    trees(entries)["seed"] = 1
    store.journal_path(sweep_id).write_bytes(seal_lines(entries))
    with pytest.raises(StoreError, match=r"line 1: its blueprint is not the one"):
        read_sweep(store, sweep_id)


# What nobody thought of

HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1, 10**30, 1e308, -0.5, "", "x", "../..", "\0", "\ud800", [], {}),
    *([[]], {"x": {}}, "${seed}", "${oc.env:HOME}", "${nowhere}", "???", "cv", ["a"] * 50),
    *("os.system", {"_target_": "os.system"}, {"option": ["a"]}, {"low": 0, "high": 1}),
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a plain one."""
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    else:
        return [path]
    return [path] * bool(path) + [p for key, item in items for p in places(item, (*path, key))]


@st.composite
def mutated(draw: st.DrawFn, entries: Entries) -> Entries:
    """Return a journal with some values replaced, dropped, or lines out of place."""
    entries = deepcopy(entries)
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places(entries)))
        *parents, last = where
        node: Any = entries
        for parent in parents:
            node = node[parent]
        match draw(st.sampled_from(["replace", "replace", "drop", "double", "swap"])):
            case "replace":
                node[last] = deepcopy(draw(st.sampled_from(HOSTILE) | st.integers() | st.text()))
            case "drop":
                del node[last]
            case "double":
                entries.insert(draw(st.integers(0, len(entries))), deepcopy(entries[where[0]]))
            case "swap" if isinstance(node, dict):
                others = st.sampled_from(sorted(node, key=str))
                node[last] = deepcopy(node[draw(others)])
        if not entries or not all(isinstance(entry, dict) for entry in entries):
            break
    return entries


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_mutated_journal_gives_a_result_or_a_clear_error(
    data: st.DataObject, finished: tuple[Path, str], tmp_path: Path
) -> None:
    root, sweep_id = finished
    entries = data.draw(mutated(journal(Store(root), sweep_id)))
    shutil.rmtree(tmp_path / "mlruns", ignore_errors=True)
    store = Store(shutil.copytree(root, tmp_path / "mlruns"))
    rewrite(store, sweep_id, entries)
    try:
        again(store, sweep_id)
    except SweepmarkError as error:
        assert error.exit_code in {2, 3}  # noqa: PT017 -- either way is fine
        str(error).encode(errors="surrogateescape")
    assert [path.name for path in tmp_path.iterdir()] == ["mlruns"]
    known = {"evaluations", "metrics", "sweeps", "mlflow.db", "optuna.db", "artifacts"}
    assert {path.name for path in store.root.iterdir() if path.name[0] != "."} <= known


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_change_of_any_byte_of_a_journal_is_refused_with_its_line(
    data: st.DataObject, finished: tuple[Path, str], tmp_path: Path
) -> None:
    """But for its last line feed: a line without one was torn by a kill."""
    root, sweep_id = finished
    written = Store(root).journal_path(sweep_id).read_bytes()
    content = bytearray(written)
    place = data.draw(st.integers(0, len(content) - 2))
    line = written[:place].count(b"\n") + 1
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != written[place]))
    match data.draw(st.sampled_from(["change", "change", "remove", "insert"])):
        case "change":
            content[place] = byte
        case "remove":
            del content[place]
        case "insert":
            content.insert(place, byte)
    store = Store(tmp_path / "mlruns")
    path = store.journal_path(sweep_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=rf"is no journal of a sweep: line {line}: "):
        read_sweep(store, sweep_id)
    assert path.read_bytes() == content


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_evaluation_is_read_or_called_damaged(
    data: st.DataObject, finished: tuple[Path, str], tmp_path: Path
) -> None:
    root, _ = finished
    key = Store(root).evaluations.keys()[0]
    folder = tmp_path / "evaluations" / key
    shutil.rmtree(tmp_path / "evaluations", ignore_errors=True)
    shutil.copytree(root / "evaluations" / key, folder)
    figures = json.loads((folder / "evaluation.json").read_text())
    changed = next(iter(data.draw(mutated([figures]) | st.just([figures]))), None)
    (folder / "evaluation.json").write_text(json.dumps(changed))
    content = bytearray((folder / "predictions.npz").read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    (folder / "predictions.npz").write_bytes(content)
    forge(folder)
    evaluations = Store(tmp_path).evaluations
    try:
        evaluations.find(key)
        evaluations.verify(key)
    except StoreError as error:
        assert "is damaged" in str(error)  # noqa: PT017 -- either way is fine
