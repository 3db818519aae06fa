from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from program import plant_modules
from sweepmark import tracking
from sweepmark.errors import NotFoundError
from sweepmark.tracking.server import HOST, free_port, server_command, start_server

if TYPE_CHECKING:
    from program import Called

SWEEPMARK = Path(sys.executable).with_name("sweepmark")
HOSTS = {
    **dict.fromkeys(("localhost", "localhost:8080", "127.0.0.1:1", "[::1]", "[::1]:8080"), 200),
    **dict.fromkeys(("example.org", "example.org:8080", "localhost.example.org", "10.0.0.1"), 403),
}
ENDED = pytest.mark.row(24, "the UI's program is ended or killed")


def test_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 100


def test_server_is_for_this_machine_only(tmp_path: Path) -> None:
    command = server_command(tmp_path, port=5000)
    assert command[command.index("--host") + 1] == "127.0.0.1"


def test_store_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no runs"):
        start_server(tmp_path / "mlruns", port=5000)
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize("ended", ["exit 0", "exit 1", "kill -9 $$"])
def test_server_that_ends_by_itself(
    called: Called, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    """Whatever its own exit code: 1 would say that the sweep came out short."""
    server = subprocess.Popen(["/bin/sh", "-c", ended], process_group=0, text=True)
    monkeypatch.setattr(tracking, "start_server", lambda *_, **__: server)
    monkeypatch.setattr(tracking, "wait_until_up", lambda *_, **__: None)
    monkeypatch.setattr(tracking, "runs_page", lambda _: "address")
    failed = called.run("ui", code=3)
    assert failed.err.startswith("error: the MLflow server ended by itself (exit code ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal_number", "code"),
    [
        (signal.SIGINT, 0),
        pytest.param(signal.SIGTERM, 143, marks=ENDED),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=ENDED),
    ],
)
def test_ui_answers_and_ends(
    store: Path, signal_number: int, code: int, request: pytest.FixtureRequest
) -> None:
    """Also in a folder with modules of all names, behind a tunnel, and beside other servers."""
    folder, imported = plant_modules(store.parent / "planted")
    elsewhere = {"MLFLOW_TRACKING_URI": "http://elsewhere.invalid"}
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [str(SWEEPMARK), "ui", "--store", str(store), "--port", str(port)]
        ui = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | elsewhere,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        request.addfinalizer(ui.kill)  # what a failed test leaves running
        assert ui.stdout is not None
        assert ui.stderr is not None
        line = ui.stdout.readline()
    address = line.split()[4]
    assert address.startswith(f"http://{HOST}:"), line
    assert ui.stderr.readline().startswith(f"Port {port} is taken")
    assert ui.stderr.readline().startswith("MLFLOW_TRACKING_URI: not used; runs go to /")
    assert requests.get(address, timeout=30).status_code == 200
    for host, status in HOSTS.items():
        found = requests.get(address, headers={"Host": host}, timeout=30)
        assert (host, found.status_code) == (host, status)
    assert not imported.exists()
    os.kill(ui.pid, signal_number)
    assert ui.wait(20) == code
    ui.stdout.close()
    ui.stderr.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            return
        time.sleep(0.1)
    pytest.fail("the server lives on")
