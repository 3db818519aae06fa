"""``sweepmark register``: a run's model in MLflow's registry, as a user calls it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from program import Called
from sweepmark.report.runs import find_run
from sweepmark.specification import models
from sweepmark.store import Store
from sweepmark.store.database import database_uri
from sweepmark.tracking import mlflow_database
from tiny import blueprint, changed, digits, grid, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlflow import MlflowClient

TRACKED = {"name": "mlflow", "artifacts": "none"}


@dataclass(frozen=True)
class Kept:
    """A program whose store has a sweep, a single run, and one that MLflow was not told of."""

    program: Called
    sweep: str
    single: str
    untold: str

    @property
    def store(self) -> Store:
        return Store(self.program.store)

    def register(self, *words: object, code: int = 0) -> Any:
        return self.program.run("register", *words, code=code)

    def client(self) -> MlflowClient:
        from mlflow import MlflowClient

        uri = database_uri(mlflow_database(self.store.root))
        return MlflowClient(uri, registry_uri=uri)


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory, session_cache: Path, migrated_store: Path
) -> Iterator[Kept]:
    program = Called(tmp_path_factory.mktemp("registered"), cache=session_cache)
    shutil.copytree(migrated_store, program.store)
    store = Store(program.store)
    one = changed(blueprint(None), tracking=TRACKED, split__size=120)
    single = run(one, store)
    untold = run(changed(one, tracking={"name": "none"}, seed=1), store)
    sweep = run(grid(tracking=TRACKED), store)
    yield Kept(program, sweep.sweep_id, single.sweep_id, untold.sweep_id)
    program.close()


@pytest.mark.filterwarnings("ignore")  # MLflow's own, while it is imported
@pytest.mark.parametrize("kind", ["sweep", "single"])
def test_registered_model_is_loaded_by_its_alias(
    kept: Kept, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import mlflow

    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", elsewhere)
    sweep_id = getattr(kept, kind)
    said = kept.register(sweep_id, kind).out
    assert "registered as version 1 of" in said
    assert f"models:/{kind}@champion" in said
    assert not (tmp_path / "elsewhere.db").exists()

    version = kept.client().get_model_version_by_alias(kind, "champion")
    assert version.source is not None
    assert version.source.startswith(kept.store.root.as_uri())
    uri = database_uri(mlflow_database(kept.store.root))
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", uri)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    loaded = mlflow.sklearn.load_model(f"models:/{kind}@champion")
    X = digits().train.X[:50]
    found = find_run(sweep_id, kept.store)
    np.testing.assert_array_equal(loaded.predict(X), models.load(found.kept_model).predict(X))


def test_the_same_model_is_registered_once(kept: Kept) -> None:
    first = kept.register(kept.single, "once", "--json").document
    assert (first["version"], first["is_new"], first["uri"]) == (1, True, "models:/once@champion")
    again = kept.register("latest", "once", "--alias", "next", "--json").document
    assert again["sweep_id"] == kept.sweep  # the last of the store
    assert (again["version"], again["is_new"]) == (2, True)
    assert "is already version 1 of once" in kept.register(kept.single, "once").out
    aliases = kept.client().get_registered_model("once").aliases
    assert {alias: int(number) for alias, number in aliases.items()} == {"champion": 1, "next": 2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a/b",), "MODEL must be a name"),
        (("",), "must not be empty"),
        (("it's",), "MODEL must be a name"),
        ((" x",), "MODEL must be a name"),
        (("x" * 256,), "MODEL must be a name"),
        (("x\n",), "MODEL must be a name"),
        (("x", "--alias", "v1"), "--alias must be 1 to 255 letters"),
        (("x", "--alias", "Latest"), "--alias must be 1 to 255 letters"),
        (("x", "--alias", "a b"), "--alias must be 1 to 255 letters"),
    ],
)
def test_wrong_names_are_refused(kept: Kept, words: tuple[str, ...], message: str) -> None:
    answer = kept.register(kept.single, *words, code=2)
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_a_run_without_a_model_says_how_to_get_one(kept: Kept) -> None:
    answer = kept.register(f"{kept.sweep}/1", "x", code=2)
    assert "was not kept" in answer.err
    assert "`sweepmark sweep svc_c_gamma" in answer.err


def test_a_run_that_mlflow_lacks_says_so(kept: Kept) -> None:
    answer = kept.register(kept.untold, "x", code=2)
    assert f"MLflow must have the model of {kept.untold}, but lacks it" in answer.err
    assert not [each.name for each in kept.client().search_registered_models() if each.name == "x"]


def test_a_moved_store_takes_its_registry_along(kept: Kept, tmp_path: Path) -> None:
    kept.register(kept.single, "moving")
    kept.register(kept.sweep, "moving", "--alias", "next")
    shutil.copytree(kept.store.root, tmp_path / "folder" / "mlruns")
    moved = Called(tmp_path, cache=tmp_path / "cache")
    there = Kept(moved, kept.sweep, kept.single, kept.untold)
    told = there.register(kept.single, "moving").out
    moved.close()
    assert "is already version 1 of moving" in told
    for alias, number in {"champion": 1, "next": 2}.items():
        version = there.client().get_model_version_by_alias("moving", alias)
        assert int(version.version) == number
        assert version.source is not None
        assert version.source.startswith(there.store.root.as_uri())
