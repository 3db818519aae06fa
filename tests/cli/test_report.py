"""``sweepmark report`` as a user calls it: what the page says, where it lies, what is refused."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from program import Called
from tiny import write_sweep

GRID = (
    *("sweep", "svc_c_gamma", "dataset=digits", "split.size=200", "engine=serial"),
    *("evaluation.n_splits=2", "sweep.space.classifier.C=[0.1,10]"),
    "sweep.space.classifier.gamma=[0.01,0.1,1.0]",
)
KNN = ("run", "dataset=digits", "split.size=200", "classifier=knn", "engine=serial")


def page(program: Called, *words: str) -> str:
    """Make a report and return what it holds."""
    line = program.run("report", *words).out.splitlines()[0]
    return Path(line.removeprefix("wrote ")).read_text(encoding="utf-8")


def figures(text: str) -> dict[str, Any]:
    """Return the figures of a page, by name."""
    found = re.findall(r'<script type="application/json" id="(\w+)-data">(.*?)</script>', text)
    return {name: json.loads(content) for name, content in found}


def read(text: str) -> str:
    """Return a page's text without scripts, styles and tags."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> tuple[Called, str]:
    """A store with a grid of six cells, and the sweep's id."""
    program = Called(tmp_path_factory.mktemp("swept"), cache=digits_cache)
    return program, program.run(*GRID, "--json").document["sweep_id"]


def test_page_of_a_sweep_has_every_part(swept: tuple[Called, str]) -> None:
    program, sweep_id = swept
    shown = program.run("report", sweep_id[:14])
    path = program.store.parent / f"{sweep_id}.html"
    assert shown.out.startswith(f"wrote {path}\nlogged in MLflow: report.html of run ")
    content = path.read_bytes()
    assert len(content) < 8_000_000
    text = content.decode()
    said = read(text)
    for part in ("Leaderboard", "Parameter importances", "Confusion matrix", "Errors", "Reproduce"):
        assert part in said
    assert "RBF SVC over the published C x gamma grid" in said
    assert "6 of 6 planned" in said
    assert "points" in said
    assert "scikit-learn 1.9" in said
    assert f"sweepmark {' '.join(GRID[:2])} dataset=digits" in said
    assert "'sweep.space.classifier.C=[0.1,10]'" in said
    assert "data:image/png;base64," in text
    drawn = figures(text)
    assert drawn.keys() == {"sweep", "importances", "confusion"}
    (cells,) = drawn["sweep"]["data"]
    assert [len(row) for row in cells["z"]] == [3, 3]
    shares = drawn["importances"]["data"][0]["x"]
    assert sum(shares) == pytest.approx(1)


def test_page_is_logged_on_the_sweeps_own_run_once(swept: tuple[Called, str]) -> None:
    program, sweep_id = swept
    first = program.run("report", sweep_id).out
    assert program.run("report", sweep_id).out == first
    logged = list(program.store.glob("artifacts/**/report.html"))
    assert len(logged) == 1
    assert logged[0].read_bytes() == (program.store.parent / f"{sweep_id}.html").read_bytes()
    assert logged[0].parent.joinpath("leaderboard.csv").exists()


def test_page_asks_for_nothing_from_elsewhere(swept: tuple[Called, str]) -> None:
    program, sweep_id = swept
    text = page(program, sweep_id)
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", outside)
    assert "default-src 'none'" in unescape(outside)


def test_author_names_page_and_file(swept: tuple[Called, str]) -> None:
    program, sweep_id = swept
    metrics = program.run("grade", sweep_id, "--json").document
    said = read(page(program, sweep_id, "--author", "anna b"))
    percent = int(100 * metrics["value"] + 1e-9)
    assert (program.store.parent / f"{percent}%_anna b.html").exists()
    assert f"{sweep_id} by anna b" in said


def test_page_goes_where_it_is_told(swept: tuple[Called, str], tmp_path: Path) -> None:
    program, sweep_id = swept
    for output in (tmp_path, tmp_path / "own.html"):
        page(program, sweep_id, "-o", str(output))
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["own.html", f"{sweep_id}.html"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("svc_c_gama",), "Did you mean svc_c_gamma-"),
        (("svc_c_gamma-2/0",), "a report is of a whole sweep"),
        (("nothing",), "there is no sweep 'nothing'"),
        (("-o", "report.pdf"), "-o must name an .html file or an existing folder"),
        (("-o", "mlruns/report.html"), "-o must be outside of the store"),
        (("-o", "gone/report.html"), "Name another place"),
        (("--author", "a/b"), "--author must be a name"),
        (("--author", ""), "the word after --author must not be empty"),
        (("--author", "../x"), "--author must be a name"),
        (("--config-dir", "gone"), "--config-dir must name a folder"),
    ],
)
def test_what_cannot_be_is_refused(
    swept: tuple[Called, str], words: tuple[str, ...], message: str
) -> None:
    program, _ = swept
    before = sorted(program.store.parent.glob("**/*.html"))
    refused = program.run("report", *words, code=2)
    assert refused.out == ""
    assert message in refused.err
    assert sorted(program.store.parent.glob("**/*.html")) == before


def test_page_of_a_single_run(called: Called) -> None:
    called.run(*KNN)
    said = read(page(called))
    assert "Confusion matrix" in said
    assert "sweepmark run dataset=digits" in said
    assert len(list(called.store.glob("artifacts/**/report.html"))) == 1


@pytest.mark.parametrize(
    ("words", "title", "kinds"),
    [
        (("growing_subsets", "sweep.space.split.size=[100,200]"), "Learning curve", ["scatter"]),
        (
            ("svc_tpe", "split.size=100", "evaluation.n_splits=2", "sampler=random"),
            "cv_accuracy over classifier.C and classifier.gamma",
            ["scatter", "scatter"],
        ),
        (
            (
                *("which_classifier", "split.size=100", "evaluation.n_splits=2", "sampler=random"),
                "~sweep.space.classifier.option.random_forest",
            ),
            "parameters",
            ["scatter", "scatter", "scatter"],
        ),
    ],
)
def test_figure_fits_the_space(
    called: Called, words: tuple[str, ...], title: str, kinds: list[str]
) -> None:
    trials = [] if words[0] == "growing_subsets" else ["sweep.n_trials=5"]
    called.run("sweep", *words, *trials, "dataset=digits", "tracking=none", "engine=serial")
    text = page(called)
    assert title in read(text)
    assert [each["type"] for each in figures(text)["sweep"]["data"]] == kinds
    assert "not logged in MLflow: tracking=none" in called.run("report").out


def test_cells_that_are_drawn_twice_are_counted_once(called: Called) -> None:
    drawn_by = ("sampler=random", "sweep.n_trials=8", "tracking=none")
    trials = called.run(*GRID, *drawn_by, "--json").document["trials"]
    numbers = {json.dumps(each["params"]): each["number"] for each in reversed(trials)}
    n_drawn = len(numbers)
    assert n_drawn < 6, "some cell is drawn twice, and some never"
    text = page(called)
    (cells,) = figures(text)["sweep"]["data"]
    assert sum(value is None for row in cells["z"] for value in row) == 6 - n_drawn
    shown = {int(n) for row in cells["hovertext"] for n in re.findall(r"trial (\d+):", str(row))}
    assert shown == {*numbers.values()}, "the first trial of each cell"
    assert f"The best cell is framed. {6 - n_drawn} cells are empty." in read(text)


def test_failed_trials_are_named(called: Called) -> None:
    called.run(*GRID, "+sweep.space.classifier.kernel=[rbf,precomputed]", "tracking=none", code=1)
    said = read(page(called))
    assert "6 of 12 trials failed" in said
    assert "square matrix" in said


def test_what_is_lost_is_named(called: Called) -> None:
    document = called.run(*GRID, "tracking=none", "--json").document
    sweep_id, best = document["sweep_id"], document["best"]["number"]
    keys = {
        entry["number"]: entry["keys"]
        for entry in called.journal(sweep_id)
        if entry["event"] == "outcome"
    }
    shutil.rmtree(called.store / "evaluations" / keys[best][0])
    text = page(called)
    assert "1 results are lost" in read(text)
    assert f"trial {best} has no figures" in read(text)
    assert "Confusion matrix" in read(text), "the final test is still there"
    shutil.rmtree(called.store / "evaluations")
    said = read(page(called))
    assert "the final test has no figures" in said
    assert "the figure of the sweep" in said


def test_data_that_are_gone_are_named(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    called.run(*KNN, "tracking=none")
    monkeypatch.setitem(called.environment, "SWEEPMARK_CACHE", str(called.folder / "nothing"))
    said = read(page(called))
    assert "the pictures of errors: digits is not in the cache any more" in said
    assert "sweepmark data fetch digits" in said


def test_a_table_that_is_gone_is_read_again_from_its_file(
    called: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(["label,value", *(f"{'ab'[i % 2]},{i % 7}" for i in range(60)), ""]))
    called.run("run", "dataset=csv", f"dataset.path={table}", "classifier=knn", "tracking=none")
    monkeypatch.setitem(called.environment, "SWEEPMARK_CACHE", str(called.folder / "nothing"))
    assert f"`sweepmark data fetch csv dataset.path={table}`" in read(page(called))


@pytest.mark.parametrize("is_stopped", [False, True])
def test_page_of_an_unfinished_sweep_says_so(called: Called, is_stopped: bool) -> None:  # noqa: FBT001
    sweep_id = called.run(*GRID, "tracking=none", "--json").document["sweep_id"]
    journal = called.store / "sweeps" / f"{sweep_id}.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    n_kept = next(i for i, line in enumerate(lines) if b'"outcome"' in line) + 1
    journal.write_bytes(b"".join(lines[: n_kept if is_stopped else 1]))
    said = read(page(called))
    assert f"This sweep is not finished: {int(is_stopped)} trials are" in said
    assert f"sweepmark resume {sweep_id}" in said


def test_a_sweep_of_an_own_folder_is_repeated_with_it(called: Called, tmp_path: Path) -> None:
    text = "# Mine\nsweep: {space: {classifier.n_neighbors: [1, 3]}}\n"
    folder = write_sweep(tmp_path / "my own", "own", text)
    words = ("sweep", "own", "dataset=digits", "split.size=200", "classifier=knn")
    called.run(*words, "tracking=none", "--config-dir", str(folder))
    assert f"{shlex.join(words[1:])} tracking=none --config-dir '{folder}'" in read(page(called))


HOSTILE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a\u2028b")


def test_labels_stay_text(called: Called, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    rows = [f'"{HOSTILE[i % 3]}",{i % 3 if i % 5 else 1}' for i in range(90)]
    table.write_text("\n".join(["label,value", *rows, ""]), encoding="utf-8")
    own = (f"dataset.path={table}", "dataset=csv", "dataset.table=mixed", "classifier=knn")
    called.run("run", *own, "tracking=none", "engine=serial")
    text = page(called, "--author", "a<script>alert(1)<script>")
    assert text.count("<script>") == 2, "Plotly's script and ours"
    assert "<img src=x" not in text
    assert "\u2028" not in text
    said = read(text)
    assert all(name in said for name in HOSTILE[:2])
    assert "a\\u2028b" in said


def test_page_is_made_although_the_store_takes_no_file(called: Called) -> None:
    called.run(*KNN)
    (artifacts,) = {path.parent for path in called.store.glob("artifacts/**/config.yaml")}
    shutil.rmtree(artifacts)
    artifacts.touch()
    shown = called.run("report", "-o", "page.html").out
    assert shown.startswith("wrote page.html\nnot logged in MLflow: ")
    assert str(artifacts) in shown


def test_runs_that_somebody_deleted_cost_no_page(called: Called) -> None:
    called.run(*KNN)
    for database in called.store.glob("mlflow.db*"):
        database.unlink()
    assert "not logged in MLflow: there is no run of run-" in called.run("report").out
