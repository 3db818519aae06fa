"""Row 17: configurations that want something executed, read, written or exhausted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from program import Called, Program

TARGETS = (
    *("joblib.load", "numpy.load", "os.system", "builtins.open", "pathlib.Path.write_text"),
    *("multiprocessing.Process", "subprocess.Popen", "sklearn.utils._joblib.joblib.load"),
)


def check_refusal(program: Program, *words: object, says: str) -> None:
    """Run a command that must be refused before it leaves a trace."""
    refused = program.run(*words, code=2)
    assert says in " ".join(refused.err.split())
    assert "Traceback" not in refused.err
    assert refused.seconds < 30
    assert program.left() == []


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "own" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder / "own"


@pytest.mark.row(17, "_target_ of what executes, reads or writes, also nested")
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_target(program: Program, called: Called, tmp_path: Path, target: str) -> None:
    """A component, one nested in it, and one that a sweep would take."""
    program = program if target == TARGETS[0] else called
    canary = tmp_path / "canary"
    evil = f"_target_: {target}\nfilename: {canary}\nfile: {canary}\ncommand: touch {canary}\n"
    indented = evil.replace("\n", "\n  ").rstrip(" ")
    bagging = f"_target_: sklearn.ensemble.BaggingClassifier\nestimator:\n  {indented}"
    own = write(tmp_path, "classifier/evil", evil)
    write(tmp_path, "classifier/nested", bagging)
    write(
        tmp_path,
        "sweeps/evil",
        "# Evil\nsweep:\n  space:\n    classifier: {option: {dummy: {}, nested: {}}}\n",
    )
    options = ["dataset=digits", "split.size=200", "--config-dir", str(own)]
    options += ["engine=serial"] * (program is called)
    check_refusal(program, "run", "classifier=evil", *options, says=target)
    check_refusal(program, "run", "classifier=nested", *options, says=target)
    check_refusal(program, "sweep", "evil", *options, says=target)
    assert not canary.exists()


@pytest.mark.row(17, "../ in names")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "classifier=../../../etc/passwd"), 2),
        (("run", "dataset=digits", "dataset.name=../../escaped"), 0),
        (("run", "dataset=digits", "tracking.experiment=../../escaped"), 0),
        (("sweep", "../sweeps/svc_tpe"), 2),
        (("resume", "../../escaped"), 2),
        (("grade", "../../escaped"), 2),
        (("data", "describe", "../digits"), 2),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else str(value),
)
def test_way_up(program: Program, words: tuple[str, ...], code: int) -> None:
    """Refused, or taken for a name as good as any: nothing is written but in the store."""
    given = (*words, "classifier=dummy", "engine=serial") if "dataset=digits" in words else words
    finished = program.run(*given, code=code)
    assert "Traceback" not in finished.err
    assert program.left() == ([] if code else ["mlruns"])
    assert not list(program.folder.parent.rglob("*escaped*"))


@pytest.mark.row(17, "a grid of a million cells needs a word of consent")
def test_large_grid(program: Program) -> None:
    words = ("sweep", "svc_c_gamma", "dataset=digits", "split.size=200")
    values = ",".join(str(number) for number in range(1, 1001))
    space = [f"sweep.space.classifier.{name}=[{values}]" for name in ("C", "gamma")]
    check_refusal(program, *words, *space, says="1,000,000 cells")
    consented = program.run(*words, *space, "sweep.allow_large=true", "--cfg", "job")
    assert "allow_large: true" in consented.out


@pytest.mark.row(17, "YAML alias bombs")
@pytest.mark.parametrize("kind", ["classifier", "sweeps"])
def test_alias_bomb(program: Program, tmp_path: Path, kind: str) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    own = write(tmp_path, f"{kind}/bomb", "\n".join(["# Bomb", *lines]))
    words = ("sweep", "bomb") if kind == "sweeps" else ("run", "classifier=bomb")
    check_refusal(program, *words, "dataset=digits", "--config-dir", own, says="alias")
