"""Real small data, and a cache of one's own, for every test that asks."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import os
import shutil
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from preforked import Forker
from program import Called, Program
from sweepmark.sources import idx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fill = Callable[[Path], object]

N_TRAIN = 1437

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_sessionstart() -> None:
    """Collect garbage as rarely as the program does: the libraries' own objects stay anyway."""
    gc.set_threshold(50_000)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, in each process its share, so that none is left for the end."""
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.timeout(7500))
    n_processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    rows = [item for item in items if item.get_closest_marker("row") and item not in slow]
    long = [*slow, *rows]
    quick = [item for item in items if item not in set(long)]
    bounds = [len(quick) * place // n_processes for place in range(n_processes + 1)]
    items[:] = [
        item
        for place in range(n_processes)
        for item in (*long[place::n_processes], *quick[bounds[place] : bounds[place + 1]])
    ]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Fill], Path]:
    """Makes a folder for all processes of a session: one fills it, the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def make(name: str, fill: Fill) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with (root / f"{name}.lock").open("w") as lock:
            _lock(lock)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what a failure left
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


def _lock(file: IO[str], *, seconds: float = 300) -> None:
    """Wait for a lock that another process of the session holds."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert time.monotonic() < deadline, f"{file.name} has been locked for {seconds:g} s"
        time.sleep(0.05)


@pytest.fixture(scope="session", autouse=True)
def _forked_programs(shared: Callable[[str, Fill], Path]) -> Iterator[None]:
    """Have programs forked, on Linux, from a process that starts when it is first needed."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def forker() -> Forker:
            folder = shared("forker", lambda folder: Forker(folder).begin())
            return stack.enter_context(contextlib.closing(Forker(folder)))

        if hasattr(os, "pidfd_open"):
            Program.forker = staticmethod(forker)
        yield
        Program.forker = None


@pytest.fixture(scope="session")
def digits_idx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four IDX files: scikit-learn's 8x8 digits, the first 1,437 to train, the last 360 to test."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    folder = tmp_path_factory.mktemp("digits_idx")
    for name, rows in (("train", slice(None, N_TRAIN)), ("t10k", slice(N_TRAIN, None))):
        for kind, array in (("images-idx3", digits.images), ("labels-idx1", digits.target)):
            content = idx.encode(array[rows].astype(np.uint8))
            (folder / f"{name}-{kind}-ubyte").write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def fashion_idx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four IDX files of Fashion-MNIST's form, which is not fetched: a bright row per label."""
    folder = tmp_path_factory.mktemp("fashion_idx")
    rng = np.random.default_rng(0)
    for name, n_rows in (("train", 600), ("t10k", 100)):
        labels = np.arange(n_rows, dtype=np.uint8) % 10
        images = rng.integers(0, 128, (n_rows, 28, 28), dtype=np.uint8)
        images[np.arange(n_rows), 2 * labels + 4] += 100
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (folder / f"{name}-{kind}-ubyte").write_bytes(idx.encode(array))
    return folder


@pytest.fixture(scope="session")
def migrated_store(shared: Callable[[str, Fill], Path]) -> Path:
    """A store with MLflow's and Optuna's databases, not to be written to: making them takes 2 s."""
    return shared("migrated", lambda folder: _migrate(folder / "mlruns")) / "mlruns"


def _migrate(folder: Path) -> None:
    from sweepmark.ledger import ledger_database
    from sweepmark.ledger import storage as studies
    from sweepmark.tracking import mlflow_database
    from sweepmark.tracking import storage as runs

    runs.create_database(mlflow_database(folder))
    studies.create_database(ledger_database(folder))


@pytest.fixture
def store(migrated_store: Path, tmp_path: Path) -> Path:
    """A store of one's own with both databases."""
    return Path(shutil.copytree(migrated_store, tmp_path / "mlruns"))


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache for the whole session, so that no test reads or fills the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SWEEPMARK_CACHE", str(folder))
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, which this test and the programs it starts use."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SWEEPMARK_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def digits_cache(shared: Callable[[str, Fill], Path]) -> Path:
    """A cache that holds the digits, for programs that are no test of fetching."""
    return shared("digits", lambda root: _fetch("digits", root)) / "cache"


def _fetch(name: str, root: Path) -> None:
    fetched = Program(root, cache=root / "cache").run("data", "fetch", name)
    assert "the SHA-256 of every file matches" in fetched.out


@pytest.fixture
def program(tmp_path: Path, digits_cache: Path) -> Iterator[Program]:
    """The installed program in an empty folder."""
    with contextlib.closing(Program(tmp_path, cache=digits_cache)) as program:
        yield program


@pytest.fixture
def called(tmp_path: Path, digits_cache: Path) -> Called:
    """The program in an empty folder, called in this process."""
    return Called(tmp_path, cache=digits_cache)


@pytest.fixture(scope="session")
def mnist_cache(shared: Callable[[str, Fill], Path]) -> Path:
    """A cache that MNIST was fetched into, in the way that works on this machine."""
    return shared("mnist", lambda root: _fetch("mnist", root)) / "cache"


@pytest.fixture
def on_mnist(tmp_path: Path, mnist_cache: Path) -> Iterator[Program]:
    """The installed program in an empty folder, MNIST in its cache."""
    with contextlib.closing(Program(tmp_path, cache=mnist_cache)) as program:
        yield program
