"""The wheel, installed: configurations and sweeps travel in it, the repository is not needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from program import Program
from sweepmark import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without a download."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory, digits_cache: Path
) -> Iterator[Program]:
    """The program in an environment of its own, which borrows our libraries, not our code."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *options, str(wheel)], check=True, capture_output=True, timeout=300)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "borrowed.pth").write_text("\n".join(ours))  # .pth files in there do not count
    program = Program(
        tmp_path_factory.mktemp("empty"),
        cache=digits_cache,
        executable=folder / "bin" / "sweepmark",
    )
    yield program
    program.close()


def test_wheel_carries_every_yaml(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    files = [*(ROOT / "conf").rglob("*.yaml"), *(ROOT / "sweeps").rglob("*.yaml")]
    assert files
    assert {f"sweepmark/{path.relative_to(ROOT)}" for path in files} <= carried
    pages = [*(ROOT / "src").rglob("*.j2"), *(ROOT / "src").rglob("*.js")]
    assert pages
    assert {str(path.relative_to(ROOT / "src")) for path in pages} <= carried
    assert "sweepmark/py.typed" in carried
    assert {name.partition("/")[0] for name in carried} == {
        "sweepmark",
        f"sweepmark-{__version__}.dist-info",
    }
    assert not [name for name in carried if "__pycache__" in name]


def test_every_library_that_is_imported_is_declared() -> None:
    """What comes along with something else today may not tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["gp"]]
    declared = {normal(re.split(r"[<>=~! \[]", each)[0]) for each in wanted}
    distributions = packages_distributions()
    for package in imported(ROOT / "src") - set(sys.stdlib_module_names) - {"sweepmark"}:
        owners = {normal(name) for name in distributions.get(package, [package])}
        assert owners & declared, f"{package} is imported, but none of {owners} is declared"


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


def imported(folder: Path) -> set[str]:
    """Return the packages that modules import, but for those that only type checkers see."""
    found = set()
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                node.body = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.slow
def test_installed_program_needs_no_repository(installed: Program) -> None:
    listed = installed.run("sweep", "--list").out
    assert [line.split()[0] for line in listed.splitlines()] == sorted(
        path.stem for path in (ROOT / "sweeps").glob("*.yaml")
    )
    code = "import sweepmark; print(sweepmark.__file__)"
    python = installed.executable.with_name("python")
    found = subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert Path(found.stdout.strip()).is_relative_to(python.parents[1])
    shown = installed.run("run", "dataset=digits", "grade=course", "tracking=none")
    assert "grade: 90 points" in shown.out
    assert installed.left() == ["mlruns"]
