"""The search over C and gamma alone: sweepmark.svm.SVC against GridSearchCV(n_jobs=-1).

Both score the same cells on the same folds of the first n MNIST training images, StandardScaler
fitted on each fold's training part. Runs alternate; what is compared are medians::

    python benchmarks/svm_grid.py --n 2000
    python benchmarks/svm_grid.py --n 7500 --rounds 1 --with-sweep
    python benchmarks/svm_grid.py --n 2000 --grid published
    python benchmarks/svm_grid.py --fit 15000 5000
    python benchmarks/svm_grid.py --growth 2000 15000

``--with-sweep`` times the whole `sweepmark sweep` process besides, which also starts, logs
everything, and scores the best cell on the test part; GridSearchCV is timed without start or refit.
A third peer of the single fit is scikit-learn-intelex, on as many threads
(``pip install -e '.[bench]' -c constraints.txt``).
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC as PLAIN_SVC
from threadpoolctl import threadpool_limits

from sweepmark import cache, svm
from sweepmark.cache import freeze
from sweepmark.config import dataset_config
from sweepmark.data import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sweepmark.data import Dataset

_C = (0.01, 0.1, 1.0, 10.0, 100.0)
_GAMMAS = {
    "reference": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "published": (0.01, 0.1, 1.0, 10.0, 100.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What is searched: the first folds of five over the first n images."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    gammas: tuple[float, ...]


def shared(search: Search) -> NDArray[np.float64]:
    """Score every cell as sweepmark's workers do: what shares a fold and a gamma together."""
    lock = Lock()

    @lru_cache(maxsize=2)
    def scaled(fold: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        train, test = search.folds[fold]
        scaler = StandardScaler()
        X_train, X_test = scaler.fit_transform(search.X[train]), scaler.transform(search.X[test])
        return freeze(X_train), freeze(X_test)

    def score(fold: int, gamma: float) -> list[float]:
        with lock:
            X_train, X_test = scaled(fold)
        y_train, y_test = (search.y[rows] for rows in search.folds[fold])
        models = (svm.SVC(C=C, gamma=gamma).fit(X_train, y_train) for C in _C)
        return [float(np.mean(model.predict(X_test) == y_test)) for model in models]

    cache.configure(memory=0)  # nothing is left from the run before
    cache.configure()
    cells = [(fold, gamma) for fold in range(len(search.folds)) for gamma in search.gammas]
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        scores = list(pool.map(lambda cell: score(*cell), cells))
    return np.reshape(scores, (len(search.folds), len(search.gammas), len(_C)))


def separate(search: Search) -> NDArray[np.float64]:
    """Score every cell by GridSearchCV on all cores."""
    found = GridSearchCV(
        make_pipeline(StandardScaler(), PLAIN_SVC()),
        {"svc__C": _C, "svc__gamma": search.gammas},
        cv=search.folds,
        n_jobs=-1,
        refit=False,
    ).fit(search.X, search.y)
    scores = [found.cv_results_[f"split{k}_test_score"] for k in range(len(search.folds))]
    cells = np.reshape(scores, (len(search.folds), len(_C), len(search.gammas)))
    return cells.transpose(0, 2, 1)


def whole_sweep(n: int, gammas: tuple[float, ...]) -> None:
    """Run `sweepmark sweep` on the same images in a new store, with all logging."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(str(Path(sys.executable).with_name("sweepmark")), "sweep", "svc_c_gamma"),
            f"split.size={n * 4 // 3 + (n * 4 % 3 > 0)}",
            f"sweep.space.classifier.C={list(_C)}",
            f"sweep.space.classifier.gamma={list(gammas)}",
            *("--store", f"{folder}/store", "--json"),
        ]
        subprocess.run(command, check=True, capture_output=True)


def fit_and_predict(model: Any, train: Any, X_test: NDArray[np.float64]) -> NDArray[np.int64]:
    """Fit one model and predict, from an empty store."""
    cache.configure(memory=0)
    cache.configure()
    return np.asarray(model.fit(*train).predict(X_test))


def compare(peers: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    """Run the peers in turn, print their medians, and return what each found."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    cpu: dict[str, list[float]] = {name: [] for name in peers}
    found = {}
    for _ in range(rounds):
        for name, peer in peers.items():
            before, started = os.times(), time.perf_counter()
            found[name] = peer()
            seconds[name].append(time.perf_counter() - started)
            after = os.times()
            cpu[name].append(after.user + after.system - before.user - before.system)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    slowest = max(medians.values())
    print("| | seconds (median) | runs | CPU seconds here | times as fast |\n|---|---|---|---|---|")
    for name, median in medians.items():
        runs = " ".join(f"{taken:.2f}" for taken in seconds[name])
        own = f"{statistics.median(cpu[name]):.2f}"
        print(f"| {name} | {median:.2f} | {runs} | {own} | {slowest / median:.1f} |")
    return found


def compare_searches(X: Any, y: Any, arguments: argparse.Namespace) -> None:
    """Compare the searches, and their scores image by image."""
    n = arguments.n
    data = np.asarray(X[:n], dtype=np.float64), np.asarray(y[:n])
    folds = list(StratifiedKFold(5).split(*data))[: arguments.folds]
    search = Search(*data, folds, _GAMMAS[arguments.grid])
    Parallel(n_jobs=-1)(delayed(abs)(0) for _ in range(8))  # the peer's processes are up
    print(f"{arguments.grid} grid, n={n}, {len(folds)} folds, search alone\n")
    peers: dict[str, Callable[[], Any]] = {"sweepmark.svm": partial(shared, search)}
    if arguments.with_sweep:
        peers["sweepmark sweep, whole process"] = partial(whole_sweep, n, search.gammas)
    if not arguments.alone:
        peers["GridSearchCV(n_jobs=-1)"] = partial(separate, search)
    found = compare(peers, arguments.rounds)
    print(f"\n{cache.statistics()}")
    if not arguments.alone:
        sizes = np.array([len(test) for _, test in folds])[:, np.newaxis, np.newaxis]
        one, other = found["sweepmark.svm"], found["GridSearchCV(n_jobs=-1)"]
        images = np.rint(np.abs(one - other) * sizes)
        print(
            f"folds that differ: {np.count_nonzero(images)}, by at most {images.max():.0f} images"
        )


def compare_fits(dataset: Dataset, arguments: argparse.Namespace) -> None:
    """Compare one fit and prediction on the first images of both files, pixels / 256."""
    n_train, n_test = arguments.fit
    X, y = (
        np.concatenate([getattr(part, name) for part in (dataset.train, dataset.test)])
        for name in ("X", "y")
    )
    data = X[: n_train + n_test].astype(np.float64) / 256
    train = data[:n_train], y[:n_train]
    print(f"one fit and prediction, {n_train} / {n_test}\n")
    models = {"sweepmark.svm": svm.SVC(), "scikit-learn": PLAIN_SVC(), **intelex()}
    found = compare(
        {
            name: partial(fit_and_predict, model, train, data[n_train:])
            for name, model in models.items()
        },
        arguments.rounds,
    )
    for name, labels in found.items():
        n_other = np.count_nonzero(labels != found["scikit-learn"])
        print(f"{name}: {n_other} of {len(labels)} predictions are not scikit-learn's")
    print(f"\n{cache.statistics()}")


def intelex() -> dict[str, Any]:
    """Return Intel's SVC, which computes in the type of its data: here in float64."""
    try:
        from sklearnex.svm import SVC
    except ImportError:
        print("without scikit-learn-intelex: pip install -e '.[bench]' -c constraints.txt\n")
        return {}
    return {"scikit-learn-intelex, float64": SVC()}


def show_growth(X: Any, y: Any, arguments: argparse.Namespace) -> None:
    """Print how the time of the search grows between two numbers of images."""
    seconds = {}
    for n in arguments.growth:
        data = np.asarray(X[:n], dtype=np.float64), np.asarray(y[:n])
        folds = list(StratifiedKFold(5).split(*data))
        search = Search(*data, folds, _GAMMAS[arguments.grid])
        taken = []
        for _ in range(arguments.rounds if n == min(arguments.growth) else 1):
            started = time.perf_counter()
            shared(search)
            taken.append(time.perf_counter() - started)
        seconds[n] = statistics.median(taken)
        print(f"{arguments.grid} grid, n={n}: {seconds[n]:.1f} s, {cache.statistics()}")
    few, many = sorted(seconds)
    exponent = math.log(seconds[many] / seconds[few]) / math.log(many / few)
    print(f"\nthe time grows with n to the power of {exponent:.2f}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=2000, help="images searched on")
    parser.add_argument("--grid", choices=_GAMMAS, default="reference")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five to compute")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fit", type=int, nargs=2, metavar=("TRAIN", "TEST"), help="one fit")
    parser.add_argument("--growth", type=int, nargs=2, metavar="N", help="how the time grows")
    parser.add_argument("--with-sweep", action="store_true", help="and a whole sweep")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    arguments = parser.parse_args()
    dataset = load(dataset_config("mnist"))
    train = dataset.train
    if arguments.growth:
        show_growth(train.X, train.y, arguments)
    elif arguments.fit:
        compare_fits(dataset, arguments)
    else:
        compare_searches(train.X, train.y, arguments)


if __name__ == "__main__":
    main()
