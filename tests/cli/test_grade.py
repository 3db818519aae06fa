"""``sweepmark grade`` as a user calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from program import Called

if TYPE_CHECKING:
    from pathlib import Path


Graded = tuple[Called, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> Graded:
    """A store with three runs, the last on another test set, and their sweep and run ids."""
    program = Called(tmp_path_factory.mktemp("graded"), cache=digits_cache)
    running = [
        program.start("run", "dataset=digits", "engine=serial", own, "--json")
        for own in ("classifier=svc", "classifier=knn", "split.size=800")
    ]  # at once, on a store that none of them finds
    documents = [each.end().document for each in running]
    entries = [(document["sweep_id"], document["trials"][0]["run_id"]) for document in documents]
    return program, entries


def test_grade_of_a_number(called: Called) -> None:
    words = ("grade", "--accuracy", "0.957", "--n-test", "10000")
    document = called.run(*words, "--json").document
    assert (document["points"], document["band"]) == (85, "95 % to 96 %")
    assert document["interval"] == pytest.approx([0.95285, 0.96080], abs=1e-5)
    assert document["undecided"] is True
    assert "85 points" in called.run(*words).out
    assert called.left() == []


def test_require(called: Called) -> None:
    words = ("grade", "--accuracy", "0.957", "--n-test", "10000", "--require")
    assert called.run(*words, "0.95").err == ""
    short = called.run(*words, "0.96", code=1)
    assert "0.957 is below the required 0.96" in short.err
    assert "85 points" in short.out


def test_grade_of_the_last_sweep(graded: Graded) -> None:
    program, entries = graded
    shown = program.run("grade").out
    assert shown.splitlines()[0] == max(entries, key=lambda entry: entry[0])[0]
    assert program.run("grade", "--require", "0.96", "--json").document["points"] == 90
    assert program.run("grade", "--require", "0.999", code=1).out == shown


def test_two_are_ranked_by_sweep_id_and_by_run_id(
    graded: Graded,
) -> None:
    program, entries = graded
    by_sweep = program.run("grade", entries[0][0], entries[1][0], "--json").document["grades"]
    assert [(each["points"], each["rank"]) for each in by_sweep] == [(100, 1), (90, 2)]
    run_id = entries[1][1][:8]
    by_run = program.run("grade", entries[0][0], run_id, "--json").document["grades"]
    assert [each["value"] for each in by_run] == [each["value"] for each in by_sweep]
    assert by_run[1]["entry"] == run_id
    alone = program.run("grade", run_id)
    assert "rank decides" in alone.out


def test_different_test_sets_are_refused(
    graded: Graded,
) -> None:
    program, entries = graded
    refused = program.run("grade", entries[0][0], entries[2][0], code=2)
    assert refused.out == ""
    assert "same test set" in refused.err
    assert program.run("grade", "run-nothing", code=2).err.startswith("error: there is no sweep")


@pytest.mark.parametrize(
    ("own", "code", "reason"),
    [
        ("evaluation=cv", 0, "evaluation=test"),
        ("classifier.kernel=precomputed", 1, "It fails alike whenever it is tried"),
    ],
)
def test_what_has_no_test_figures_is_told_why(
    called: Called, own: str, code: int, reason: str
) -> None:
    called.run("run", "dataset=digits", "tracking=none", "engine=serial", own, code=code)
    refused = called.run("grade", code=2)
    assert reason in refused.err


@pytest.mark.parametrize("required", ["96", "-0.1", "nan", "inf"])
def test_what_no_figure_can_be_held_against_is_refused(called: Called, required: str) -> None:
    words = ("grade", "--accuracy", "0.957", "--n-test", "10000", f"--require={required}")
    refused = called.run(*words, code=2)
    assert refused.out == ""
    assert "--require must be a figure of accuracy, which is in [0, 1]" in refused.err
    assert "Write 0.96 for 96 %" in refused.err


@pytest.mark.parametrize(
    ("metric", "words", "message"),
    [
        ("f1_macro", ("--accuracy", "0.9", "--n-test", "100"), "--accuracy grades an accuracy"),
        ("log_loss", (), "more must be better of"),
        ("f1_marco", (), "Did you mean 'f1_macro'?"),
    ],
)
def test_a_rule_is_held_to_its_metric(
    called: Called, tmp_path: Path, metric: str, words: tuple[str, ...], message: str
) -> None:
    rule = tmp_path / "own" / "grade" / "mine.yaml"
    rule.parent.mkdir(parents=True)
    rule.write_text(
        f"# Mine\nname: mine\nmetric: {metric}\nbands: [{{minimum: 0.5, points: 10}}]\n"
    )
    options = ("--rule", "mine", "--config-dir", str(rule.parents[1]))
    refused = called.run("grade", *options, *words, code=2)
    assert message in refused.err


@pytest.mark.parametrize("positive", ["churned", "stayed"])
def test_a_figure_of_the_positive_class_names_it(
    called: Called, tmp_path: Path, positive: str
) -> None:
    rule = tmp_path / "own" / "grade" / "mine.yaml"
    rule.parent.mkdir(parents=True)
    rule.write_text("# Mine\nname: mine\nmetric: f1\nbands: [{minimum: 0.5, points: 10}]\n")
    own = ("--config-dir", rule.parents[1])
    labels = [("churned", "stayed")[(i % 7 < 5) != (i % 9 == 0)] for i in range(70)]
    lines = ["label,pixel", *(f"{label},{i % 7}" for i, label in enumerate(labels))]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([*lines, ""]))
    words = (
        "dataset=csv",
        f"dataset.path={path}",
        "dataset.table=mixed",
        f"task.positive={positive}",
        "classifier=knn",
    )
    engine = ("tracking=none", "engine=serial")
    ran = called.run("run", *words, *engine, "grade=mine", *own)
    assert f"; positive class: {positive}\n" in ran.out
    shown = called.run("grade", "--rule", "mine", *own)
    assert f"; positive class: {positive}\n" in shown.out
    document = called.run("grade", "--rule", "mine", *own, "--json").document
    assert (document["metric"], document["positive"]) == ("f1", positive)
    short = called.run("grade", "--rule", "mine", *own, "--require", "1", code=1)
    assert f"(positive class: {positive}) is below the required 1" in short.err
    assert called.run("grade", "--json").document["positive"] is None
