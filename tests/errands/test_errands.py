"""The errands of CONTRIBUTING: each is a stored patch, small enough, that does what it is for.

A patch is applied to a copy of src/, conf/ and sweeps/, and the copy's program is run. One that
does not apply any more is made anew: do the errand by its section of CONTRIBUTING, and store what
``git diff`` prints.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.datasets import load_digits

from program import Program
from sweepmark.sources import idx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from program import Called

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent

GOALS = {
    "engine": (3, "### An engine"),
    "interval": (1, "### The level of the intervals"),
    "metric": (1, "### A metric"),
    "picture": (2, "### A picture"),
    "sampler": (3, "### A sampler"),
    "source": (3, "### A source of data"),
    "verb": (3, "### A verb"),
}
"""For each errand, the most files of src and conf that it may touch, and its section."""

SMALL = ("dataset=digits", "split.size=200", "tracking=none")


@pytest.fixture
def extended(tmp_path: Path, digits_cache: Path) -> Iterator[Callable[[str], Program]]:
    """Return the program of a copy that the patch of an errand was applied to."""
    with contextlib.ExitStack() as stack:

        def extend(errand: str) -> Program:
            copy = tmp_path / "copy"
            for name in ("src", "conf", "sweeps"):
                unwanted = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
            patch = PATCHES / f"{errand}.patch"
            subprocess.run(
                [str(shutil.which("git")), "apply", str(patch)], cwd=copy, check=True, timeout=60
            )
            program = Program(tmp_path, cache=digits_cache, anew=True)
            program.environment["PYTHONPATH"] = str(copy / "src")
            return stack.enter_context(contextlib.closing(program))

        yield extend


def test_each_patch_is_an_errand_with_a_section() -> None:
    assert sorted(GOALS) == sorted(path.stem for path in PATCHES.glob("*.patch"))
    lines = (ROOT / "CONTRIBUTING.md").read_text().splitlines()
    for _, section in GOALS.values():
        assert section in lines


@pytest.mark.parametrize("errand", GOALS)
def test_touches_few_files(errand: str) -> None:
    text = (PATCHES / f"{errand}.patch").read_text()
    touched = set(re.findall(r"^\+\+\+ b/(.*)$", text, re.MULTILINE))
    assert touched
    assert len([path for path in touched if path.startswith(("src/", "conf/"))]) <= GOALS[errand][0]
    assert all(path.startswith(("src/", "conf/")) for path in touched)


def test_level_of_the_intervals(extended: Callable[[str], Program], called: Called) -> None:
    words = ("grade", "--accuracy", "0.957", "--n-test", "10000")
    program = extended("interval")
    assert "95 % interval" in called.run(*words).out
    assert "90 % interval" in program.run(*words).out
    usual = called.run(*words, "--json").document["interval"]
    narrower = program.run(*words, "--json").document["interval"]
    assert usual[0] < narrower[0] < 0.957 < narrower[1] < usual[1]


def test_engine(extended: Callable[[str], Program], tmp_path: Path) -> None:
    program = extended("engine")
    run = ("run", *SMALL, "--json", "--fresh")
    in_a_thread = program.run(*run, "engine=thread").document
    elsewhere = program.run(*run, "engine=serial").document
    for name in ("accuracy", "f1_macro", "roc_auc"):
        assert figure(in_a_thread, name) == figure(elsewhere, name)
    assert "engine.timeout=2" in program.run(*run, "engine=thread", "+engine.timeout=2", code=2).err
    contract = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "thread"),
            *("--basetemp", str(tmp_path / "contract"), "tests/contracts/test_engine.py"),
        ],
        cwd=ROOT,
        env=program.environment,
        timeout=300,
        capture_output=True,
        text=True,
        check=False,
    )
    assert contract.returncode == 0, contract.stdout
    assert " passed" in contract.stdout


def test_metric(extended: Callable[[str], Program], called: Called) -> None:
    """A store of before has it at the next command, and nothing is computed again."""
    sweep = ("sweep", "svc_c_gamma", *SMALL, "sweep.space.classifier.C=[1]", "--json")
    before = called.run(*sweep).document
    kept = contents(called.store / "evaluations")
    program = extended("metric")
    after = program.run(*sweep).document
    assert after["n_reused"] == after["n_trials"] == before["n_trials"]
    assert contents(program.store / "evaluations") == kept
    for old, new in zip(before["trials"], after["trials"], strict=True):
        added = new["metrics"].keys() - old["metrics"].keys()
        assert "cv_cohen_kappa" in added
        assert -1 <= new["metrics"]["cv_cohen_kappa"] <= 1
        assert {name: new["metrics"][name] for name in old["metrics"]} == old["metrics"]
    assert "cohen_kappa" in program.run("compare", "latest", "--json").out
    assert "cv_cohen_kappa" in program.run("sweep", *sweep[1:-1]).out


def test_picture(extended: Callable[[str], Program]) -> None:
    words = ("run", "dataset=digits", "split.size=200", "task=is_digit", "task.positive=8")
    program = extended("picture")
    program.run(*words, "classifier=logistic")
    (picture,) = (program.store / "artifacts").rglob("scores.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_sampler(extended: Callable[[str], Program]) -> None:
    program = extended("sampler")
    sweep = ("sweep", "svc_tpe", *SMALL, "sampler=halton", "sweep.n_trials=3", "--json")
    trials = program.run(*sweep).document["trials"]
    assert len({trial["params"]["classifier.C"] for trial in trials}) == 3
    with_one_worker = program.run(*sweep, "engine=serial", "--fresh").document["trials"]
    assert [trial["params"] for trial in with_one_worker] == [trial["params"] for trial in trials]
    assert "halton" in program.run(*sweep, "sampler=haltn", code=2).err  # a suggestion


def test_source(extended: Callable[[str], Program], tmp_path: Path) -> None:
    path = tmp_path / "digits.tar.gz"
    digits = load_digits()
    with tarfile.open(path, "w:gz") as archive:
        for kind, array in (("images-idx3", digits.images), ("labels-idx1", digits.target)):
            content = idx.encode(array.astype("u1"))
            member = tarfile.TarInfo(f"digits/digits-{kind}-ubyte")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    program = extended("source")
    program.environment["SWEEPMARK_CACHE"] = str(tmp_path / "empty")
    words = ("data", "fetch", "digits", "dataset.sources.bundled=null")
    place = f"+dataset.sources.archive.path={path}"
    assert "archive.folder must be given" in program.run(*words, place, code=2).err
    place_in_it = "+dataset.sources.archive.folder=digits"
    assert f"1,797 rows from archive {path}" in program.run(*words, place, place_in_it).out


def test_verb(extended: Callable[[str], Program]) -> None:
    program = extended("verb")
    assert "versions" in program.run("--help").out
    assert program.run("versions", "--json").document["numpy"] in program.run("versions").out
    answers = program.folder / "answers"
    program.run(
        COMP_LINE="sweepmark vers",
        COMP_POINT="14",
        _ARGCOMPLETE="1",
        _ARGCOMPLETE_STDOUT_FILENAME=str(answers),
    )
    assert answers.read_text().strip() == "versions"


def figure(document: dict[str, Any], name: str) -> float:
    (trial,) = document["trials"]
    return float(trial["metrics"][name])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
