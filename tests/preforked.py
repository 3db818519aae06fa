"""Programs forked from one process that has imported everything: what most tests start.

A program is a process of its own, in a process group of its own, with its own folder, environment
and streams; it is signalled, killed and waited for like any other. Only its imports are done
already, which take five of its seven seconds of processor time. Where something about starting is
tested, or something in the environment that libraries look at while they are imported, a new
interpreter is started (see :mod:`program`).

What a program has forked by its helper process is forked from this one's imports as well.

The process that forks runs this module and has one thread. All test processes of a session use
the same one, which ends with the session.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LONGEST = 1 << 20
_N_DESCRIPTORS = 3  # the control socket, standard output, standard error
_PATIENCE = 120.0  # seconds: importing everything on a busy machine


class ForkedProcess:
    """A forked program, with what tests use of :class:`subprocess.Popen`.

    Its process id stays its own until somebody has waited for it or closed it.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self.returncode: int | None = None
        self.pid: int = self._told(_PATIENCE)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""
        if self.returncode is None:
            self.returncode = self._told(timeout)
            self.close()
        return self.returncode

    def close(self) -> None:
        """Forget it; kill it before."""
        self._control.close()

    def send_signal(self, number: int) -> None:
        """Signal it, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _told(self, timeout: float | None) -> int:
        if not select.select([self._control], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        told = self._control.recv(_LONGEST)
        assert told, "the process that forks has ended"
        return int(told)


class Forker:
    """The process that forks, as a test process sees it.

    Parameters
    ----------
    folder : Path
        Of its own, the same for all test processes of a session.
    """

    def __init__(self, folder: Path) -> None:
        self._address = folder / "socket"
        self._log = folder / "log"
        self._connection: socket.socket | None = None

    def begin(self) -> None:
        """Start the process."""
        left_out = ("PYTHON", "COV_", "SWEEPMARK_", "MLFLOW_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
        flags = os.O_WRONLY | os.O_CREAT
        starter = os.posix_spawn(
            sys.executable,
            [sys.executable, __file__, str(self._address), str(session)],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setpgroup=0,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP],  # whatever nohup ignores
        )
        os.waitpid(starter, 0)  # it leaves the process behind: nobody's child, for tests count them
        deadline = time.monotonic() + _PATIENCE
        while not self._address.exists():
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def close(self) -> None:
        """Hang up; the process ends with the session."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._connection.connect(str(self._address))
        return self._connection

    def start(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int
    ) -> ForkedProcess:
        """Fork a program.

        Parameters
        ----------
        words : sequence of str
            The program's path, and what stands behind it on the command line.
        folder : Path
            Where it works.
        environment : mapping of str to str
            All of it.
        out, err : int
            Descriptors of its standard output and error.
        """
        request = {"words": words, "folder": str(folder), "environment": dict(environment)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            content = [json.dumps(request).encode()]
            socket.send_fds(self._connect(), content, [theirs.fileno(), out, err])
        return ForkedProcess(ours)


def _import_everything() -> None:
    """Import every module that sweepmark imports anywhere, also where it does so late."""
    import sweepmark
    from sweepmark.tracking.storage import configure

    configure()
    names = set()
    for path in Path(sweepmark.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    for name in sorted(names):
        with contextlib.suppress(ImportError):  # an extra that is not installed
            importlib.import_module(name)


def _serve(address: Path, session: int) -> tuple[Any, list[int]]:
    """Fork what is asked for until a process has ended; in a fork, return what was asked for."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{address}.new")
    listener.listen()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    session_end = os.pidfd_open(session)
    selector.register(session_end, selectors.EVENT_READ)
    children: dict[int, socket.socket] = {}
    connections: set[socket.socket] = set()
    Path(f"{address}.new").rename(address)
    while True:
        for key, _ in selector.select():
            if isinstance(key.data, int):
                number, control = key.data, children[key.data]
                selector.unregister(key.fileobj)
                if key.fileobj is not control:  # it has ended
                    os.close(key.fd)
                    _tell_end(number, control)
                    selector.register(control, selectors.EVENT_READ, number)
                else:  # and who asked for it knows
                    os.waitpid(number, 0)
                    children.pop(number).close()
            elif key.fd == session_end:
                os._exit(0)
            elif key.fileobj is listener:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ, connection)
                connections.add(connection)
            else:
                content, descriptors, _, _ = socket.recv_fds(key.data, _LONGEST, _N_DESCRIPTORS)
                if content:
                    number = os.fork()
                    if not number:
                        selector.close()
                        for each in (listener, *connections, *children.values()):
                            each.close()
                        return json.loads(content), descriptors
                    children[number] = _adopt(number, descriptors)
                    selector.register(os.pidfd_open(number), selectors.EVENT_READ, number)
                    continue
                selector.unregister(key.data)
                key.data.close()
                connections.remove(key.data)


def _adopt(number: int, descriptors: list[int]) -> socket.socket:
    """Tell who asked for a child which one it is; return the socket on which its end is told."""
    with contextlib.suppress(OSError):  # it has done so itself
        os.setpgid(number, number)
    control = socket.socket(fileno=descriptors[0])
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    control.send(str(number).encode())
    return control


def _tell_end(number: int, control: socket.socket) -> None:
    """Tell how a child ended, and leave it its process id: it may be signalled still."""
    ended = os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    is_exit = ended.si_code == os.CLD_EXITED
    with contextlib.suppress(OSError):  # nobody waits for it any more
        control.send(str(ended.si_status if is_exit else -ended.si_status).encode())


class _Helper:
    """A program's helper process, forked; with what is used of :class:`subprocess.Popen`."""

    def __init__(self, descriptor: int, preload: str | None) -> None:
        lifeline, writer = os.pipe()
        self.stdin = open(writer, "wb", 0)  # noqa: PTH123, SIM115
        self.pid = os.fork()
        if not self.pid:
            _end_with(lambda: _help(lifeline, [str(descriptor), *filter(None, [preload])]))
        os.close(lifeline)
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self._is_over = False

    def wait(self) -> None:
        if not self._is_over:
            os.waitpid(self.pid, 0)
            self._is_over = True


def _end_with(run: Callable[[], object]) -> NoReturn:
    """Run something, in a fork, and nothing of what its parent does afterwards."""
    try:
        run()
        os._exit(0)
    except BaseException:  # noqa: BLE001 -- as the interpreter does
        traceback.print_exc()
        os._exit(1)


def _help(lifeline: int, words: list[str]) -> None:
    """Be the helper process, whose fork server is a fork of it."""
    from multiprocessing import util

    from sweepmark.engine import helper, process

    os.setpgid(0, 0)
    os.dup2(lifeline, 0)
    os.dup2(2, 1)
    _close_all_but(0, 1, 2, int(words[0]))
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(process._VARIABLES)  # noqa: SLF001
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv = ["-c", *words]
    spawn = util.spawnv_passfds

    def fork(path: bytes, args: Any, passfds: Any) -> int:
        """Fork what would be a new interpreter, if that is the fork server."""
        call = ast.parse(args[-1]).body[-1]
        if "forkserver" not in args[-1]:
            return spawn(path, args, passfds)
        number = os.fork()
        if not number:
            _close_all_but(0, 1, 2, *passfds)
            assert isinstance(call, ast.Expr)
            assert isinstance(call.value, ast.Call)
            values = [ast.literal_eval(value) for value in call.value.args]
            _end_with(lambda: forkserver.main(*values))
        return number

    util.spawnv_passfds = fork
    helper.main()


def _close_all_but(*descriptors: int) -> None:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names, the listing's own among them
        if int(name) not in descriptors:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _become(request: Any, descriptors: list[int]) -> int:
    """Be what the program is when its first line runs, then run it."""
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, descriptor in enumerate((nothing, *descriptors[1:])):
        os.dup2(descriptor, target)
    _close_all_but(0, 1, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = request["words"]
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [str(Path(sys.argv[0]).parent), *filter(None, own)]
    from sweepmark.cli import run
    from sweepmark.engine import process

    process._launch = _Helper  # type: ignore[assignment] # noqa: SLF001
    return run()


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    gc.disable()
    _import_everything()
    gc.freeze()
    gc.enable()
    sys.exit(_become(*_serve(Path(sys.argv[1]), int(sys.argv[2]))))
