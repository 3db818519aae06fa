"""A sweep in one file, and back: the same sweep, checked as foreign, done again after a kill."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from sweepmark.coordinator import archive, restore
from sweepmark.errors import ConfigurationError, DataError, NotFoundError, OwnedError, StoreError
from sweepmark.failpoints import FAILPOINTS
from sweepmark.ledger import study_sizes
from sweepmark.report.results import read_result
from sweepmark.report.summary import result_document
from sweepmark.store import Store, owned
from sweepmark.tracking import run_folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from program import Called, Program

    Files = dict[str, bytes]

KILLS = tuple(name for name in FAILPOINTS if name.startswith("restore."))
MANIFEST = "manifest.json"


@pytest.fixture
def origin(two_sweeps: Path) -> Store:
    return Store(two_sweeps)


@pytest.fixture
def packed(origin: Store, tmp_path: Path) -> Path:
    path = tmp_path / "first.zip"
    archive(origin, origin.sweep_ids()[0], path)
    return path


def silent(_: str) -> None:
    pass


def files(store: Store, *patterns: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(store.root)): path.read_bytes()
        for pattern in patterns
        for path in store.root.glob(pattern)
        if path.is_file()
    }


def read(path: Path) -> Files:
    with zipfile.ZipFile(path) as found:
        return {name: found.read(name) for name in found.namelist()}


def write(path: Path, content: Files, *, how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as found:
        for name, each in content.items():
            found.writestr(name, each)
    return path


def declared(content: Files, **changes: Any) -> Files:
    """Return an archive whose manifest is of its files, as whoever forges one would make it."""
    manifest = json.loads(content[MANIFEST]) | changes
    manifest["files"] = {
        name: {"size": len(each), "sha256": hashlib.sha256(each).hexdigest()}
        for name, each in content.items()
        if name != MANIFEST
    }
    return {**content, MANIFEST: json.dumps(manifest).encode()}


def test_a_restored_sweep_is_the_same(
    origin: Store, program: Program, called: Called, two_sweeps: Path
) -> None:
    """Each kill hits what has survived the kills before it."""
    first = origin.sweep_ids()[0]
    said = called.run("archive", first[:-2], "one.zip", "--store", two_sweeps).out
    assert f"wrote one.zip: {first}, " in said
    assert "its data set digits is not in the archive (SHA-256 " in said
    assert "`sweepmark data fetch digits`" in said
    file = called.folder / "one.zip"
    for stop in KILLS:
        killed = program.start("restore", file, SWEEPMARK_KILL_AT=stop).end()
        assert killed.code == -signal.SIGKILL, stop
    store = Store(program.store)
    assert "evaluations added: 0, were there: 5" in program.run("restore", file).out
    patterns = f"sweeps/{first}.jsonl", "evaluations/*/*"
    restored = files(store, *patterns)
    assert restored == {name: files(origin, *patterns)[name] for name in restored}
    assert len([*store.evaluations.keys()]) == 5
    assert not list(store.root.glob(".restoring*"))
    assert len(run_folders(store.root, first)) == 3
    assert study_sizes(store.root) == {first: 2}
    documents = [result_document(read_result(each, first)) for each in (origin, store)]
    assert documents[0] == documents[1]
    program.run("doctor")
    program.run("archive", first, "two.zip")
    assert (program.folder / "two.zip").read_bytes() == file.read_bytes()
    program.run("forget", first, "--yes")
    assert not store.sweep_ids()
    assert "evaluations added: 5, were there: 0" in program.run("restore", file).out


def test_a_single_run_keeps_its_model(origin: Store, tmp_path: Path) -> None:
    single, store = origin.sweep_ids()[-1], Store(tmp_path / "mlruns")
    archive(origin, single, tmp_path / "run.zip")
    assert restore(store, tmp_path / "run.zip", say=silent).problem is None
    (key,) = store.evaluations.keys()
    assert store.evaluations.model(key) == origin.evaluations.model(key) is not None


def test_what_both_sweeps_use_is_kept(origin: Store, packed: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "mlruns")
    archive(origin, origin.sweep_ids()[1], tmp_path / "second.zip")
    restore(store, packed, say=silent)
    before = files(store, "evaluations/*/*")
    found = restore(store, tmp_path / "second.zip", say=silent)
    assert (found.n_new, found.n_kept) == (2, 3)
    assert {name: files(store, "evaluations/*/*")[name] for name in before} == before


def test_a_file_that_exists_is_not_replaced(origin: Store, packed: Path, tmp_path: Path) -> None:
    first = origin.sweep_ids()[0]
    before = packed.read_bytes()
    with pytest.raises(ConfigurationError, match=r"exists already\. Name another file, or add"):
        archive(origin, first, packed)
    for place in (tmp_path, tmp_path / "nowhere" / "x.zip"):
        with pytest.raises(ConfigurationError, match="must be a file in a folder that exists"):
            archive(origin, first, place, replace=True)
    archive(origin, first, packed, replace=True)
    assert packed.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["first.zip"]


def test_a_lost_evaluation_is_not_left_out(origin: Store, tmp_path: Path) -> None:
    copy = Store(tmp_path / "mlruns")
    shutil.copytree(origin.root, copy.root)
    first = copy.sweep_ids()[0]
    path = next(copy.root.glob("evaluations/*/predictions.npz"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    for sweep in copy.sweep_ids():
        target = tmp_path / f"{sweep}.zip"
        try:
            archive(copy, sweep, target)
        except StoreError as error:
            command = f"`sweepmark resume --store {copy.root} {sweep}`"
            assert command in str(error)  # noqa: PT017
            assert not target.exists()
            return
    pytest.fail(f"{first} was archived with a damaged evaluation")


def test_another_sweep_of_its_name_is_not_changed(packed: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "mlruns")
    sweep_id = restore(store, packed, say=silent).sweep_id
    journal = store.journal_path(sweep_id)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    before = files(store, "**/*")
    with pytest.raises(
        DataError, match=f"forget --store {store.root} {sweep_id}`, or restore into"
    ):
        restore(store, packed, say=silent)
    assert files(store, "sweeps/*.jsonl", "evaluations/*/*") == {
        name: each
        for name, each in before.items()
        if name.startswith(("evaluations", "sweeps/s")) and not name.endswith(".lock")
    }
    with owned(store.lock_path(sweep_id)), pytest.raises(OwnedError):
        restore(store, packed, say=silent)


def renamed(old: str, new: str) -> Callable[[Files], Files]:
    def change(content: Files) -> Files:
        (name,) = [name for name in content if name.startswith(old)][:1]
        return declared({**{k: v for k, v in content.items() if k != name}, new: content[name]})

    return change


def changed(ending: str, *, and_declared: bool) -> Callable[[Files], Files]:
    def change(content: Files) -> Files:
        name = next(name for name in content if name.endswith(ending))
        found = {**content, name: content[name].replace(b"8", b"9")}
        return declared(found) if and_declared else found

    return change


def without(ending: str) -> Callable[[Files], Files]:
    def change(content: Files) -> Files:
        folder = next(name for name in content if name.endswith(ending)).rpartition("/")[0]
        return declared({k: v for k, v in content.items() if not k.startswith(folder)})

    return change


FORGED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "no manifest": (lambda c: {k: v for k, v in c.items() if k != MANIFEST}, "has no manifest"),
    "manifest no JSON": (lambda c: c | {MANIFEST: b"{"}, "it cannot be right"),
    "other format": (lambda c: declared(c, format="other"), "format cannot be right"),
    "id with a path": (lambda c: declared(c, sweep_id="../x"), "sweep_id cannot be right"),
    "another id": (lambda c: declared(c, sweep_id="x-1"), "has no sweeps/x-1.jsonl"),
    "surplus file": (lambda c: {**c, "evaluations/x": b""}, "files are not those of its manifest"),
    "missing file": (lambda c: dict([*c.items()][1:]), "files are not those of its manifest"),
    "traversal": (renamed("evaluations/", "../../evil"), "is no file of a sweep"),
    "absolute": (renamed("evaluations/", "/tmp/evil"), "is no file of a sweep"),  # noqa: S108
    "other file": (lambda c: declared({**c, f"evaluations/{'0' * 64}/x.py": b""}), "is no file of"),
    "changed": (changed("evaluation.json", and_declared=False), "not what its SHA-256 says"),
    "forged": (changed("evaluation.json", and_declared=True), "SHA-256 has changed"),
    "forged journal": (changed(".jsonl", and_declared=True), "is no journal of a sweep"),
    "lacks one": (without("evaluation.json"), "lacks the evaluation"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_no_archive_is_refused(name: str, packed: Path, tmp_path: Path) -> None:
    forge, message = FORGED[name]
    forged = write(tmp_path / "forged.zip", forge(read(packed)))
    assert_refused(forged, tmp_path / "mlruns", message)
    assert not (tmp_path / "evil").exists()


def assert_refused(path: Path, root: Path, message: str) -> None:
    with pytest.raises((DataError, NotFoundError), match=message):
        restore(Store(root), path, say=silent)
    assert not [each for each in root.rglob("*") if each.is_file()]


def test_nothing_unpacks_to_more_than_it_is(packed: Path, tmp_path: Path) -> None:
    root, content = tmp_path / "mlruns", read(packed)
    bomb = write(tmp_path / "bomb.zip", content, how=zipfile.ZIP_DEFLATED)
    assert_refused(bomb, root, "compressed")
    twice = write(tmp_path / "twice.zip", content)
    with zipfile.ZipFile(twice, "a") as found, pytest.warns(UserWarning, match="Duplicate"):
        found.writestr(MANIFEST, content[MANIFEST])
    assert_refused(twice, root, "each once")
    large = json.loads(content[MANIFEST])
    next(iter(large["files"].values()))["size"] += 1
    forged = write(tmp_path / "large.zip", {**content, MANIFEST: json.dumps(large).encode()})
    assert_refused(forged, root, "not of the size")


@pytest.mark.parametrize("ending", [MANIFEST, "evaluation.json"])
def test_a_name_that_is_no_text_is_refused(ending: str, packed: Path, tmp_path: Path) -> None:
    """The name before a member's bytes is another one than that in the directory at the end."""
    with zipfile.ZipFile(packed) as found:
        member = next(each for each in found.infolist() if each.filename.endswith(ending))
    content = bytearray(packed.read_bytes())
    content[member.header_offset + 7] |= 0x08  # the name is UTF-8
    content[member.header_offset + 30] = 0xFF
    forged = tmp_path / "forged.zip"
    forged.write_bytes(content)
    assert_refused(forged, tmp_path / "mlruns", "is no archive of a sweep")


def test_a_place_before_the_file_is_refused(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    content[-22 + 16 : -22 + 20] = (1 << 31).to_bytes(4, "little")  # of the directory
    forged = tmp_path / "forged.zip"
    forged.write_bytes(content)
    assert_refused(forged, tmp_path / "mlruns", "is no archive of a sweep")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert_refused(path, tmp_path / "mlruns", "is no archive of a sweep")
    assert_refused(tmp_path, tmp_path / "mlruns", "is no archive of a sweep")
    assert_refused(tmp_path / "nothing", tmp_path / "mlruns", "there is no file")


def test_a_journal_that_is_a_link_is_not_read(packed: Path, origin: Store, tmp_path: Path) -> None:
    sweep_id = origin.sweep_ids()[0]
    store = Store(tmp_path / "mlruns")
    journal = store.journal_path(sweep_id)
    journal.parent.mkdir(parents=True)
    for place in (origin.journal_path(sweep_id), tmp_path / "nothing"):
        journal.symlink_to(place)
        with pytest.raises(DataError, match="is no file of its own"):
            restore(store, packed, say=silent)
        assert not list(store.root.glob("evaluations/*"))
        journal.unlink()


def test_links_in_the_store_are_not_followed(packed: Path, tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "mlruns", tmp_path / "elsewhere"
    elsewhere.mkdir()
    root.mkdir()
    (root / "evaluations").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="must be a folder of its own"):
        restore(Store(root), packed, say=silent)
    assert not any(elsewhere.iterdir())
