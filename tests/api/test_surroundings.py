"""Where Python runs it: beside another's Hydra, in an event loop, in a notebook, interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

import sweepmark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]

QUICK = ("dataset=digits", "split.size=200", "tracking=none", "engine=serial", "classifier=knn")

SLOW = """
import sweepmark
found = sweepmark.sweep(
    "svc_c_gamma", "dataset=digits", "split.size=300", "evaluation.n_splits=2", "tracking=none",
    "preprocess=none", "engine.workers=2",
    {"sweep": {"space": {"classifier": {"C": [1, 10, 100, 1000], "gamma": [0.01, 0.1, 1]}}}},
    {"classifier": {"_target_": "estimators.SlowSVC", "C": 1.0, "gamma": 1.0, "seconds": 0.4}},
    trust="estimators",
)
print("finished", len(found.trials), found.result.n_reused)
"""


@pytest.mark.usefixtures("folder")
def test_anothers_hydra_is_left_as_it_was(tmp_path: Path) -> None:
    from hydra import compose, initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra
    from hydra.version import getbase

    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "theirs.yaml").write_text("defaults: [sweep: mine, _self_]\nsize: 3\n")
    repo = ConfigStore.instance().repo
    ConfigStore.instance().store(group="sweep", name="mine", node={"a": 1})
    ConfigStore.instance().store(group="classifier", name="knn", node={"a": 1})
    try:
        with initialize_config_dir(str(tmp_path / "conf"), version_base="1.2"):
            instance, hydra, base = GlobalHydra.instance(), GlobalHydra.instance().hydra, getbase()
            before = {group: dict(repo[group]) for group in ("sweep", "classifier")}
            card = sweepmark.evaluate(*QUICK, progress=False)
            with pytest.raises(sweepmark.errors.ConfigurationError):
                sweepmark.evaluate("classifier=none_such", progress=False)
            assert GlobalHydra.instance() is instance
            assert instance.hydra is hydra
            assert getbase() == base
            assert {group: dict(repo[group]) for group in ("sweep", "classifier")} == before
            assert compose("theirs") == {"sweep": {"a": 1}, "size": 3}
        assert sweepmark.evaluate(*QUICK, progress=False).keys == card.keys
    finally:
        for group in ("sweep", "classifier"):
            repo.pop(group, None)


@pytest.mark.usefixtures("folder")
def test_a_running_event_loop_does_no_harm() -> None:
    async def cell() -> Any:
        card = sweepmark.evaluate(*QUICK, progress=False)
        await asyncio.sleep(0)
        return card

    assert asyncio.run(cell()).metrics["accuracy"] > 0.8


@pytest.mark.usefixtures("folder")
def test_threads_may_call_it() -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda seed=seed: found.append(
                sweepmark.evaluate(*QUICK, f"seed={seed}", progress=False)
            )
        )
        for seed in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len({card.id for card in found}) == 2


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "tests"), "PYTHONUNBUFFERED": "1"}


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_finished(folder: Path, n_trials: int) -> bool:
    journals = list((folder / "mlruns" / "sweeps").glob("*.jsonl"))
    return bool(journals) and journals[0].read_text().count('"event":"outcome"') >= n_trials


def are_gone(children: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != "zombie" for each in children)


@pytest.mark.slow
def test_ctrl_c_reaches_the_caller_of_an_unguarded_script(folder: Path) -> None:
    """The workers are gone, the handlers are as they were, and the same script goes on with it."""
    (folder / "script.py").write_text(
        "import signal\nsignal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "before = [signal.getsignal(each) for each in (2, 15, 1)]\n"
        f"try:\n{''.join(f'    {line}' for line in SLOW.splitlines(keepends=True))}"
        "except KeyboardInterrupt as stop:\n"
        "    print('caller', [signal.getsignal(each) for each in (2, 15, 1)] == before)\n"
        "    print(*stop.__notes__)\n"
    )
    command = [sys.executable, "script.py"]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(lambda: has_finished(folder, 2))
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert children
    assert are_gone(children)
    assert process.returncode == 0
    caller, note = out.splitlines()
    assert caller == "caller True"
    assert note.startswith("What is finished is kept: the same call goes on with it, and so does ")
    again = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=120, check=True
    )
    assert again.stdout.split()[:2] == ["finished", "12"]
    assert len(list((folder / "mlruns" / "sweeps").glob("*.jsonl"))) == 1


@pytest.fixture
def kernel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KernelManager]:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_interrupting_a_cell_leaves_a_sweep_that_goes_on(
    kernel: KernelManager, folder: Path
) -> None:
    client = kernel.blocking_client()
    client.start_channels()
    client.wait_for_ready(60)
    asked = client.execute(SLOW)
    wait_for(lambda: has_finished(folder, 2))
    (pid,) = (
        each.pid for each in psutil.Process().children() if "ipykernel" in str(each.cmdline())
    )
    children = psutil.Process(pid).children(recursive=True)
    kernel.interrupt_kernel()
    reply = client.get_shell_msg(timeout=60)
    while reply["parent_header"]["msg_id"] != asked:  # one that asked whether it was ready
        reply = client.get_shell_msg(timeout=60)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert children
    wait_for(lambda: are_gone(children), 10)
    outputs: list[Any] = []
    reply = client.execute_interactive(SLOW, timeout=120, output_hook=outputs.append)
    assert reply["content"]["status"] == "ok"
    assert "finished 12" in "".join(each["content"].get("text", "") for each in outputs)
    assert len(list((folder / "mlruns" / "sweeps").glob("*.jsonl"))) == 1
    client.stop_channels()


@pytest.mark.slow
def test_the_quickstart_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    text = (ROOT / "examples" / "quickstart.ipynb").read_text()
    notebook: Any = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    assert all(cell.get("outputs", []) == [] for cell in notebook.cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    pages = [output.data.get("text/html", "") for output in outputs if "data" in output]
    assert any('class="sweepmark"' in page and "cv_accuracy" in page for page in pages)
    assert any("best cv_accuracy" in page for page in pages)  # the bar, by rich
    assert [path.name for path in folder.iterdir()] == ["mlruns"]
