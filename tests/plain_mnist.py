"""What anyone would write with scikit-learn alone; sweepmark has to give the same figures.

Nothing of sweepmark is used here. What it prints is kept in ``plain_mnist.json``, because it takes
minutes; a test marked ``full`` makes it anew and compares. ::

    python tests/plain_mnist.py FOLDER > tests/plain_mnist.json

FOLDER holds the four files of MNIST as published, decompressed.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


def read(folder: Path, part: str) -> tuple[Any, Any]:
    """Return pictures, one a row, and labels: headers of 16 and 8 bytes, then bytes."""
    images = np.fromfile(folder / f"{part}-images-idx3-ubyte", dtype=np.uint8)[16:]
    labels = np.fromfile(folder / f"{part}-labels-idx1-ubyte", dtype=np.uint8)[8:]
    return images.reshape(-1, 28 * 28), labels


def growing_subsets(folder: Path, sizes: list[int]) -> dict[str, Any]:
    """Return the accuracies of an SVC on the first 75 % training and 25 % test pictures."""
    from sklearn.metrics import accuracy_score
    from sklearn.svm import SVC

    (train_images, train_labels), (test_images, test_labels) = (
        read(folder, "train"),
        read(folder, "t10k"),
    )
    accuracies = {}
    for size in sizes:
        n_train, n_test = size * 3 // 4, size // 4
        classifier = SVC(random_state=2020)
        classifier.fit(train_images[:n_train] / 256, train_labels[:n_train])
        predicted = classifier.predict(test_images[:n_test] / 256)
        accuracies[str(size)] = accuracy_score(test_labels[:n_test], predicted)
    return accuracies


def svc_c_gamma(folder: Path, size: int) -> dict[str, Any]:
    """Return the published grid's mean scores, and the best cell's score on the test pictures."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    (train_images, train_labels), (test_images, test_labels) = (
        read(folder, "train"),
        read(folder, "t10k"),
    )
    n_train, n_test = size * 3 // 4, size // 4
    values = [0.01, 0.1, 1, 10, 100]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC()), {"svc__C": values, "svc__gamma": values}, cv=5
    )
    search.fit(train_images[:n_train], train_labels[:n_train])
    cells = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    return {
        "cells": [[cell["svc__C"], cell["svc__gamma"], score] for cell, score in cells],
        "test": search.score(test_images[:n_test], test_labels[:n_test]),
    }


def everything(folder: Path) -> dict[str, Any]:
    """Return what is kept, with the versions that made it."""
    sizes = [2_000, 4_000, 6_000, 10_000, 20_000, 30_000, 40_000]
    return {
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        "growing_subsets": growing_subsets(folder, sizes),
        "svc_c_gamma": {str(size): svc_c_gamma(folder, size) for size in (400, 2_000)},
    }


if __name__ == "__main__":
    json.dump(everything(Path(sys.argv[1])), sys.stdout, indent=1)
    sys.stdout.write("\n")
