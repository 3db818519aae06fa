"""Whole processes: `sweepmark sweep` with start-up and all logging against plain scikit-learn.

Each side is a process of its own that starts from nothing but the data set in the cache; sweepmark
has a new store each time. Runs alternate; what is compared are medians::

    python benchmarks/svm_sweep.py grid --n 2000
    python benchmarks/svm_sweep.py grid --n 7500 --rounds 1
    python benchmarks/svm_sweep.py subsets --rounds 1
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PROGRAM = Path(sys.executable).with_name("sweepmark")
C = [0.01, 0.1, 1, 10, 100]
GAMMA = [0.0001, 0.0003, 0.001, 0.003, 0.01]
GIB = 2**30

LOADING = """
import json, sys
import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.svm import SVC
from sweepmark.config import dataset_config
from sweepmark.data import load
dataset = load(dataset_config("mnist"))
"""
GRID = """
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
n, C, gamma = json.loads(sys.argv[1])
X, y = np.asarray(dataset.train.X[:n], dtype=float), np.asarray(dataset.train.y[:n])
found = GridSearchCV(
    make_pipeline(StandardScaler(), SVC()), {"svc__C": C, "svc__gamma": gamma}, cv=5, n_jobs=-1
).fit(X, y)
print(json.dumps(found.cv_results_["mean_test_score"].tolist()))
"""
SUBSETS = """
scores = []
for n in json.loads(sys.argv[1]):
    X, y = dataset.train.X[: 3 * n // 4] / 256, dataset.train.y[: 3 * n // 4]
    model = SVC(random_state=2020).fit(X, y)
    predicted = model.predict(dataset.test.X[: n // 4] / 256)
    scores.append(accuracy_score(dataset.test.y[: n // 4], predicted))
print(json.dumps(scores))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: what it printed, how long it took, and how much memory it and its children."""

    document: Any
    seconds: float
    peak: int


def run(command: list[str]) -> Run:
    """Run a process to its end, looking at its memory ten times a second."""
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = psutil.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"{' '.join(command)[:200]}: exit {process.returncode}")
        out.seek(0)
        return Run(json.loads(out.read()), seconds, peak)


def _resident(process: psutil.Popen) -> int:
    try:
        those = [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in those)
    except psutil.Error:
        return 0


def sweep(name: str, *overrides: str) -> Run:
    """Run a sweep in a new store."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(PROGRAM), "sweep", name, *overrides, "--store", f"{folder}/store", "--json"]
        return run(words)


def plain(script: str, argument: Any) -> Run:
    """Run a script of scikit-learn's."""
    return run([sys.executable, "-c", LOADING + script, json.dumps(argument)])


def show(rounds: list[tuple[Run, Run]]) -> None:
    """Print both sides' medians."""
    print("| | seconds (median) | runs | peak memory, all processes | times as fast |")
    print("|---|---|---|---|---|")
    sides = dict(zip(("sweepmark sweep", "scikit-learn"), zip(*rounds, strict=True), strict=True))
    medians = {
        name: statistics.median(each.seconds for each in runs) for name, runs in sides.items()
    }
    for name, runs in sides.items():
        times = " ".join(f"{each.seconds:.1f}" for each in runs)
        peak = max(each.peak for each in runs) / GIB
        ratio = max(medians.values()) / medians[name]
        print(f"| {name} | {medians[name]:.1f} | {times} | {peak:.1f} GiB | {ratio:.1f} |")


def compare_grid(n: int, rounds: int) -> None:
    """Compare the search over C and gamma, five folds, the best refitted."""
    overrides = [
        f"split.size={n * 4 // 3 + (n * 4 % 3 > 0)}",
        f"sweep.space.classifier.C={C}",
        f"sweep.space.classifier.gamma={GAMMA}",
    ]
    pairs = [(sweep("svc_c_gamma", *overrides), plain(GRID, [n, C, GAMMA])) for _ in range(rounds)]
    print(f"C x gamma, n={n}, five folds, whole processes\n")
    show(pairs)
    ours, theirs = pairs[-1]
    scores = [trial["metrics"]["cv_accuracy"] for trial in ours.document["trials"]]
    differences = [abs(a - b) for a, b in zip(scores, theirs.document, strict=True)]
    images = max(differences) * n
    print(
        f"\nlargest difference of a mean score: {max(differences):.2g} ({images:.1f} images of {n})"
    )


def compare_subsets(sizes: list[int], rounds: int) -> None:
    """Compare growing subsets at 75:25."""
    overrides = [f"sweep.space.split.size={sizes}"]
    pairs = [(sweep("growing_subsets", *overrides), plain(SUBSETS, sizes)) for _ in range(rounds)]
    print(f"growing subsets {sizes}, whole processes\n")
    show(pairs)
    ours, theirs = pairs[-1]
    scores = [trial["metrics"]["accuracy"] for trial in ours.document["trials"]]
    print(f"\naccuracies {scores}, equal: {scores == theirs.document}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["grid", "subsets"])
    parser.add_argument("--n", type=int, default=2000, help="training images of the grid")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10000, 20000, 30000, 40000])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.what == "grid":
        compare_grid(arguments.n, arguments.rounds)
    else:
        compare_subsets(arguments.sizes, arguments.rounds)


if __name__ == "__main__":
    main()
