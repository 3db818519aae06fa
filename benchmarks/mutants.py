"""How many small changes of the code the tests notice: a random sample, and a floor.

cosmic-ray says what can be changed and changes it; its own runner mutates the working tree, knows
one test command for all modules and draws no sample. Here a copy is changed, each room is tested
by its own test modules, and places are drawn first, so that an operator with eleven replacements
counts once. What only annotations would notice is left out.

    python benchmarks/mutants.py --size 60 --seed 0
    python benchmarks/mutants.py --room grade --size 10
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "conf", "sweeps", "docs", "benchmarks")
ROOMS = {
    "svm": (["svm/*"], ["svm/*"]),
    "store": (["store/*"], ["store/*", "report/test_replay", "test_files"]),
    "scores": (["scores/*"], ["scores/*", "evaluation/test_evaluate"]),
    "folds": (["specification/folds"], ["specification/test_folds", "specification/test_split"]),
    "split": (["specification/split"], ["specification/test_folds", "specification/test_split"]),
    "grade": (["report/grade", "scores/bands"], ["report/test_grade", "cli/test_grade"]),
    "search": (["search/*"], ["search/*", "api/test_evaluate"]),
}
"""The modules of each, and the test modules that hold what they promise."""

OF_ALL = "test_conventions"
"""The test module of what all rooms promise."""

SECONDS = 120.0
"""Given to a mutant at least; or five times what its tests take without one."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something can be changed."""

    room: str
    module: str
    line: int
    column: int


Change = tuple[str, int]
"""An operator of cosmic-ray's and which of its occurrences in the module."""


def find_places(rooms: list[str], scratch: Path) -> dict[Place, list[Change]]:
    """Return every place of the rooms' modules with what can be done to it."""
    found: dict[Place, list[Change]] = defaultdict(list)
    for room in rooms:
        modules = [
            path
            for pattern in ROOMS[room][0]
            for path in sorted((ROOT / "src" / "sweepmark").glob(f"{pattern}.py"))
        ]
        with use_db(scratch / f"{room}.sqlite", WorkDB.Mode.create) as database:
            init(modules, database, {})
            for item in database.work_items:
                for change in item.mutations:
                    module = str(Path(change.module_path).relative_to(ROOT))
                    place = Place(room, module, *change.start_pos)
                    found[place].append((change.operator_name, change.occurrence))
    return {place: sorted(changes) for place, changes in found.items()}


def apply(source: str, change: Change) -> str | None:
    """Return a module's changed source; None if no run of it could tell."""
    name, occurrence = change
    changed = mutate_code(source, get_operator(name)(), occurrence)
    if changed is None:
        return None
    try:
        return None if _behaviour(changed) == _behaviour(source) else str(changed)
    except SyntaxError:
        return None


class _Stripped(ast.NodeTransformer):
    """Takes away what has no effect at run time: annotations, docstrings, typing-only imports."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:  # ast's name
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(value=None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        return None if "TYPE_CHECKING" in names else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)


def _behaviour(source: str) -> str:
    return ast.dump(_Stripped().visit(ast.parse(source)))


class Copy:
    """A copy of the repository with an environment that imports it, borrowing our libraries."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "repository"
        self._root.mkdir()
        ignored = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, self._root / name, ignore=ignored)
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy(path, self._root)
        environment = folder / "environment"
        venv.create(environment, with_pip=False)
        self._python = environment / "bin" / "python"
        packages = next(environment.glob("lib/python*/site-packages"))
        borrowed = [path for path in sys.path if path.endswith("site-packages")]
        (packages / "borrowed.pth").write_text("\n".join([str(self._root / "src"), *borrowed]))
        program = environment / "bin" / "sweepmark"
        program.write_text(f"#!{self._python}\nfrom sweepmark.cli import run\nrun()\n")
        program.chmod(0o755)
        self._stamp = int(time.time())

    def write(self, module: str, source: str) -> None:
        """Change a module; its time changes too, as compiled files are told apart by seconds."""
        path = self._root / module
        path.write_text(source, encoding="utf-8")
        self._stamp += 2
        os.utime(path, (self._stamp, self._stamp))

    def passes(self, room: str, seconds: float) -> bool | None:
        """Return whether a room's tests pass; None if they take too long."""
        names = [
            str(path.relative_to(self._root))
            for pattern in (*ROOMS[room][1], OF_ALL)
            for path in sorted((self._root / "tests").glob(f"{pattern}.py"))
        ]
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not full and not slow"]
        command = [str(self._python), "-m", "pytest", *options, *dict.fromkeys(names)]
        with subprocess.Popen(
            command,
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        ) as process:
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                return None
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def draw(places: dict[Place, list[Change]], n: int, seed: int) -> list[tuple[Place, str]]:
    """Return a random sample of changed modules, one change a place."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    order = sorted(places)
    rng.shuffle(order)
    drawn: list[tuple[Place, str]] = []
    for place in order:
        if len(drawn) == n:
            break
        changes = places[place]
        source = (ROOT / place.module).read_text(encoding="utf-8")
        for change in rng.sample(changes, len(changes)):
            if (changed := apply(source, change)) is not None:
                drawn.append((place, changed))
                break
    return sorted(drawn)


def describe(place: Place, changed: str) -> str:
    """Return where a change is and what it is."""
    before = (ROOT / place.module).read_text(encoding="utf-8").splitlines()
    lines = list(difflib.unified_diff(before, changed.splitlines(), n=0, lineterm=""))[3:]
    old = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    new = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return f"{place.module}:{place.line}\n    - {old}\n    + {new}"


def main() -> int:
    """Try the sample and return 1 if too much of it went unnoticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=60, help="how many changes are tried")
    parser.add_argument("--seed", type=int, default=None, help="of the sample; random if not given")
    parser.add_argument("--floor", type=float, default=0.85, help="what share must be noticed")
    parser.add_argument("--room", choices=ROOMS, action="append", help="these rooms only")
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed  # noqa: S311
    rooms = args.room or list(ROOMS)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        places = find_places(rooms, Path(scratch))
        sample = draw(places, args.size, seed)
        print(f"{len(sample)} of {len(places)} places, --seed {seed}", flush=True)
        copy = Copy(Path(scratch))
        limits: dict[str, float] = {}
        for room in dict.fromkeys(place.room for place, _ in sample):
            began = time.monotonic()
            if not copy.passes(room, 1800):
                print(f"the tests of {room} fail as it is: mend them first")
                return 2
            limits[room] = max(SECONDS, 5 * (time.monotonic() - began))
        survivors = []
        for place, changed in sample:
            copy.write(place.module, changed)
            verdict = copy.passes(place.room, limits[place.room])
            copy.write(place.module, (ROOT / place.module).read_text(encoding="utf-8"))
            said = {True: "SURVIVED", False: "killed", None: "killed (time)"}[verdict]
            print(f"{said:<14} {place.module}:{place.line}", flush=True)
            if verdict:
                survivors.append(describe(place, changed))
    killed = 1 - len(survivors) / max(len(sample), 1)
    print(*(["", "survivors:", *survivors] if survivors else []), sep="\n")
    print(f"{killed:.0%} of {len(sample)} killed; at least {args.floor:.0%} must be")
    return int(killed < args.floor)


if __name__ == "__main__":
    sys.exit(main())
