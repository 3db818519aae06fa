"""The cache under two processes, kills, damage and disks that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import published
import tiny
from published import WebServer, dripping, whole
from sweepmark import data
from sweepmark.data import cache, entry, integrity
from sweepmark.errors import ConfigurationError, DataError, NotFoundError
from sweepmark.evaluation import evaluate
from sweepmark.specification.specify import specify
from tiny import dataset_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sweepmark.config.schema import DatasetConfig

LOAD = """
import json, sys
from sweepmark.config.registry import SOURCES
from sweepmark.config.schema import DatasetConfig, FileConfig
from sweepmark.data import load
values = json.load(sys.stdin)
values["files"] = {role: FileConfig(**file) for role, file in values["files"].items()}
values["sources"] = {
    name: SOURCES.find(name).options(**options) for name, options in values["sources"].items()
}
dataset = load(DatasetConfig(**values), report=lambda line: print(line, flush=True))
print("loaded", dataset.n_rows, flush=True)
"""


def _start(config: DatasetConfig, program: str = LOAD) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(config)))
    process.stdin.close()
    process.stdin = None
    return process


@pytest.fixture
def config(digits_idx: Path) -> DatasetConfig:
    """A data set that is in the cache already, from nowhere in particular."""
    return published.dataset_config(digits_idx)


@pytest.fixture
def cached(config: DatasetConfig, digits_idx: Path, empty_cache: Path) -> Path:
    """The entry of that data set in the cache."""
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        dataset = data.load(published.dataset_config(digits_idx, mirror=(web.url,)))
    folder = empty_cache / "datasets" / dataset.digest
    assert dataset.digest == data.published_digest(config)
    assert folder.is_dir()
    return folder


@pytest.mark.usefixtures("empty_cache")
def test_of_two_processes_one_fetches_and_the_other_waits(digits_idx: Path) -> None:
    with WebServer() as web:
        web.publish(digits_idx, page=lambda body: whole(body, seconds=0.3))
        config = published.dataset_config(digits_idx, mirror=(web.url,))
        processes = [_start(config), _start(config)]
        outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sorted(web.requested) == sorted(f"/{path.name}.gz" for path in digits_idx.iterdir())
    assert sum("tiny: another process is fetching it; waiting" in text for text in outputs) == 1
    assert all("loaded 1797" in text for text in outputs)


def test_a_kill_in_the_middle_leaves_nothing_that_looks_whole(
    digits_idx: Path, empty_cache: Path
) -> None:
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        web.publish(digits_idx, "/slow/", page=dripping)
        config = published.dataset_config(digits_idx, mirror=(f"{web.url}slow/",))
        process = _start(config)
        digest = data.published_digest(config)
        assert digest is not None
        work = empty_cache / "unfinished" / digest / "files"
        _wait_for(lambda: work.is_dir() and any(work.iterdir()))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        assert [path.name for path in work.iterdir()] == ["train-images-idx3-ubyte.part"]
        assert not data.is_cached(config)

        dataset = data.load(published.dataset_config(digits_idx, mirror=(web.url,)))
    assert dataset.n_rows == 1797
    assert list((empty_cache / "unfinished").iterdir()) == []


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_opened_is_what_was_published(cached: Path, digits_idx: Path) -> None:
    dataset = data.open_dataset(cached.name)
    content = (digits_idx / "t10k-images-idx3-ubyte").read_bytes()
    assert dataset.test is not None
    assert dataset.test.X.tobytes() == content[16:]
    assert dataset.test.y.dtype == np.int64
    assert dataset.image_shape == (8, 8)
    assert not dataset.train.X.flags.writeable
    assert dataset.source.startswith("mirror http://127.0.0.1")


def _remove(path: Path) -> None:
    path.unlink()


def _shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2)


def _lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def _replace(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3, dtype=np.float32))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", ["train_X.npy", "test_y.npy", "meta.json"])
@pytest.mark.parametrize("damage", [_remove, _shorten, _lengthen, _replace, _empty])
def test_a_damaged_entry_is_noticed_and_fetched_again(
    cached: Path, digits_idx: Path, damage: Callable[[Path], None], name: str
) -> None:
    damage(cached / name)
    with pytest.raises(DataError, match=rf"{cached} is damaged.*sweepmark doctor"):
        data.open_dataset(cached.name)
    lines: list[str] = []
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        config = published.dataset_config(digits_idx, mirror=(web.url,))
        assert data.load(config, report=lines.append).n_rows == 1797
    assert "is damaged" in lines[0]
    assert data.open_dataset(cached.name).n_rows == 1797


@pytest.mark.parametrize("name", ["train_X.npy", "test_y.npy"])
def test_a_changed_bit_is_noticed_when_it_is_looked_for(
    cached: Path, digits_idx: Path, name: str
) -> None:
    entry.verify(data.open_dataset(cached.name))
    content = bytearray((cached / name).read_bytes())
    content[-8] ^= 1
    (cached / name).write_bytes(content)
    with pytest.raises(DataError, match=r"must have SHA-256 .*, found"):
        entry.verify(data.open_dataset(cached.name))
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        config = published.dataset_config(digits_idx, mirror=(web.url,))
        entry.verify(data.mend(config))


def _edit(path: Path, place: int = -8) -> None:
    """Change one byte, as somebody does who sets the time of modification back."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _forge(folder: Path) -> None:
    """Have the cache remember an entry as it is now: what rots on the disk leaves no trace."""
    record = cache.record_file(folder.name)
    document = json.loads(record.read_bytes()) | {"stamps": integrity.stamps_of(folder)}
    record.write_text(json.dumps(document))


@pytest.mark.parametrize("name", ["train_y.npy", "test_y.npy", "train_X.npy", "test_X.npy"])
def test_edited_entry_is_refused_when_it_is_opened_and_fetched_again(
    cached: Path, digits_idx: Path, name: str
) -> None:
    before = data.open_dataset(cached.name).y.tobytes()
    _edit(cached / name)
    with pytest.raises(DataError, match=rf"{cached} is damaged: .* must have SHA-256"):
        data.open_dataset(cached.name)
    lines: list[str] = []
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        config = published.dataset_config(digits_idx, mirror=(web.url,))
        assert data.load(config, report=lines.append).y.tobytes() == before
    assert [line for line in lines if "is damaged" in line] == lines[:1]
    assert lines[0].endswith("it is fetched again")


def test_edited_meta_is_refused(cached: Path) -> None:
    path = cached / "meta.json"
    path.write_text(path.read_text().replace("mirror http", "mirror ftp"))
    with pytest.raises(DataError, match=r"meta\.json is not what was written"):
        data.open_dataset(cached.name)


def test_labels_are_hashed_and_features_are_where_it_is_asked_for_though_nothing_seems_changed(
    cached: Path,
) -> None:
    _edit(cached / "train_X.npy")
    _forge(cached)
    dataset = data.open_dataset(cached.name)
    with pytest.raises(DataError, match="train_images must have SHA-256"):
        entry.verify(dataset)
    _edit(cached / "train_X.npy")
    _edit(cached / "train_y.npy")
    _forge(cached)
    with pytest.raises(DataError, match="train_labels must have SHA-256"):
        data.open_dataset(cached.name)


def test_label_beyond_its_type_is_no_other_label(cached: Path) -> None:
    _edit(cached / "train_y.npy", -7)  # of int64: 256 more
    with pytest.raises(DataError, match="train_labels has elements that are no uint8"):
        data.open_dataset(cached.name)


def test_unchanged_entry_is_hashed_once_also_where_nothing_can_be_remembered(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.open_dataset(cached.name)
    asked: list[str] = []
    verify = entry._verify_roles  # noqa: SLF001

    def note(dataset: data.Dataset, meta: Any, roles: Iterable[str]) -> None:
        asked.extend(roles)
        verify(dataset, meta, roles)

    monkeypatch.setattr(entry, "_verify_roles", note)
    data.open_dataset(cached.name)
    assert asked == []
    monkeypatch.setattr(integrity, "_checked", {})  # another process
    data.open_dataset(cached.name)
    assert sorted(asked) == ["test_labels", "train_labels"]
    monkeypatch.setattr(integrity, "_checked", {})
    shutil.rmtree(cache.record_file(cached.name).parent)
    cache.record_file(cached.name).parent.write_text("no folder")
    asked.clear()
    data.open_dataset(cached.name)
    data.open_dataset(cached.name)
    assert len(asked) == 4


@pytest.mark.parametrize("kind", ["link", "pipe", "linked folder"])
def test_links_and_pipes_in_a_cache_are_not_followed(
    cached: Path, tmp_path: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = cached / "train_y.npy"
    match kind:
        case "link":
            path.rename(elsewhere)
            path.symlink_to(elsewhere)
        case "pipe":
            path.unlink()
            os.mkfifo(path)
        case _:
            cached.rename(elsewhere)
            cached.symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(DataError, match=r"is damaged: .*no (file|folder) of its own"):
        data.open_dataset(cached.name)


def test_evaluation_is_not_computed_from_an_edited_data_set(
    digits_cache: Path, empty_cache: Path
) -> None:
    shutil.copytree(digits_cache, empty_cache, dirs_exist_ok=True)
    asked = tiny.config("classifier=dummy")
    dataset = data.load(asked.dataset)
    (specification,) = specify(asked, dataset)
    right = evaluate.evaluate(specification)
    _edit(empty_cache / "datasets" / dataset.digest / "train_y.npy")
    with pytest.raises(DataError, match="is damaged"):
        evaluate.evaluate(specification)
    lines: list[str] = []
    data.load(asked.dataset, report=lines.append)
    assert "it is fetched again" in lines[0]
    assert evaluate.evaluate(specification).metrics["accuracy"] == right.metrics["accuracy"]


@pytest.mark.usefixtures("empty_cache")
def test_edited_copy_of_a_users_own_table_is_made_anew_and_said_so(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("a,b,label\n1,2,no\n3,4,yes\n5,6,no\n")
    config = replace(dataset_config("csv"), path=str(file), label="label")
    dataset = data.load(config)
    folder = cache.entry_folder(dataset.digest)
    for damage in (
        lambda: _edit(folder / "train_y.npy"),
        lambda: _edit(folder / "train_X.npy"),
        lambda: (folder / "meta.json").write_text(
            (folder / "meta.json").read_text().replace('"no"', '"on"')
        ),
    ):
        damage()
        lines: list[str] = []
        again = data.load(config, report=lines.append)
        assert lines[0].startswith(f"csv: the cached data set {folder} is damaged")
        assert lines[0].endswith("it is made anew")
        assert (again.y.tolist(), again.label_names) == ([0, 1, 0], ("no", "yes"))
        lines.clear()
        data.load(config, report=lines.append)
        assert lines == []


@pytest.mark.usefixtures("empty_cache")
def test_what_a_file_was_decoded_to_cannot_be_exchanged(tmp_path: Path) -> None:
    configs = []
    for name, label in (("one", "x"), ("two", "y")):
        file = tmp_path / f"{name}.csv"
        file.write_text(f"a,label\n1,{label}\n2,z\n")
        configs.append(replace(dataset_config("csv"), path=str(file), label="label"))
    names = [data.load(config).label_names for config in configs]
    one, two = (cache.root() / "folders").iterdir()
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    assert [data.load(config).label_names for config in configs] == names


@pytest.mark.usefixtures("empty_cache")
def test_an_unknown_digest_says_how_to_fetch() -> None:
    with pytest.raises(NotFoundError, match="`sweepmark data list`"):
        data.open_dataset("0" * 64)


def test_of_two_that_publish_the_first_stays(empty_cache: Path) -> None:
    target = empty_cache / "datasets" / "x"
    for content in ("first", "second"):
        with cache.claim(content, on_wait=lambda: None) as work:
            (work / "entry").mkdir()
            (work / "entry" / "file").write_text(content)
            cache.publish(work / "entry", target)
    assert (target / "file").read_text() == "first"


def test_a_cache_that_cannot_be_written_says_what_to_set(
    config: DatasetConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWEEPMARK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ConfigurationError, match=r"file/cache cannot be written: .*Set SWEEPMARK_"):
        data.load(config)


@pytest.mark.usefixtures("empty_cache")
def test_a_full_disk_is_the_environments_fault(digits_idx: Path) -> None:
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "import sweepmark.errors\n"
        f"try:\n    exec({LOAD!r})\n"
        "except sweepmark.errors.StoreError as error:\n    print('StoreError', error)\n"
    )
    with WebServer() as web:
        web.publish(digits_idx, page=whole)
        process = _start(published.dataset_config(digits_idx, mirror=(web.url,)), limited)
        output, _ = process.communicate(timeout=60)
    assert "StoreError the cache folder" in output
    assert "Free some space" in output


def test_the_cache_is_the_platforms_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEPMARK_CACHE", "~/elsewhere")
    assert cache.root() == Path.home() / "elsewhere"
    monkeypatch.delenv("SWEEPMARK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.root().name == "sweepmark"


def test_a_worker_opens_a_data_set_without_heavy_imports(cached: Path) -> None:
    program = f"""
import sys
import numpy
before = set(sys.modules)
from sweepmark.data import open_dataset
open_dataset({cached.name!r})
print(*(name for name in set(sys.modules) - before if "." not in name))
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=120)
    heavy = {"requests", "urllib3", "bs4", "sklearn", "PIL", "rich", "hydra", "omegaconf"}
    assert not heavy & set(output.split())
