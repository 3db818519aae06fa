"""Reading a digit file of 42,000 rows and 785 columns, beside pandas and plain Arrow.

Run it with ``make bench`` while nothing else runs. The readers take turns, so that what else
happens on the machine happens to all of them; medians are compared. A file is read once, by Arrow;
every later command opens what was decoded, which has to be far faster than pandas.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyarrow import csv

from sweepmark.config.schema import DatasetConfig
from sweepmark.data import load
from sweepmark.data.table import read_table

if TYPE_CHECKING:
    from collections.abc import Callable

N_ROWS, N_PIXELS, ROUNDS = 42_000, 784, 7
AT_LEAST = 50.0
SHARE = 0.19  # of MNIST's pixels that are not 0


def write_digits(path: Path) -> None:
    """Write a file like Kaggle's train.csv: label,pixel0,…; most pixels are 0."""
    generator = np.random.default_rng(0)
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(["label", *(f"pixel{place}" for place in range(N_PIXELS))]) + "\n")
        for _ in range(N_ROWS):
            shown = generator.random(N_PIXELS) < SHARE
            pixels = generator.integers(1, 256, N_PIXELS) * shown
            file.write(f"{generator.integers(10)},{','.join(map(str, pixels.tolist()))}\n")


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> None:
    """Print the medians, and exit 1 if ours is not fast enough."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["SWEEPMARK_CACHE"] = f"{name}/cache"
        path = Path(name) / "train.csv"
        write_digits(path)
        config = DatasetConfig(name="digits", format="csv", path=str(path))
        readers: dict[str, Callable[[], object]] = {
            "sweepmark": lambda: read_table(path, config),
            "pandas.read_csv": lambda: pd.read_csv(path),
            "pyarrow.csv.read_csv": lambda: csv.read_csv(path),
        }
        seconds: dict[str, list[float]] = {reader: [] for reader in readers}
        for number in range(ROUNDS + 1):
            for reader, action in readers.items():
                taken = timed(action)
                if number:  # the first round warms up
                    seconds[reader].append(taken)
        for reader, values in seconds.items():
            print(f"{reader:<24} {statistics.median(values):.3f} s")
        load(config)
        opened = statistics.median(timed(lambda: load(config)) for _ in range(ROUNDS))
        print(f"{'opened again':<24} {opened:.4f} s")
        ratio = statistics.median(seconds["pandas.read_csv"]) / opened
        print(f"opened again {ratio:.0f} times as fast as pandas (at least {AT_LEAST:g})")
        if ratio < AT_LEAST:
            sys.exit(1)


if __name__ == "__main__":
    main()
