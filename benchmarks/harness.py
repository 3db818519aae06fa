"""What the harness itself costs, on whole processes of the installed program.

Run it with ``make bench`` while nothing else runs. Each figure is printed beside its bound.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
PROGRAM = Path(sys.executable).with_name("sweepmark")
MIB = 2**20

SWEEPS = {
    "overhead": """# dummy classifiers that differ in their seed
defaults:
  - override /dataset: digits
  - override /classifier: dummy
  - override /sampler: random
  - override /engine: serial
sweep:
  space:
    seed: {low: 0, high: 1000000000}
  n_trials: 100
""",
    "sleep": """# trials that take a second
defaults:
  - override /dataset: digits
  - override /preprocess: none
  - override /classifier: sleeper
  - override /sampler: random
sweep:
  space:
    seed: {low: 0, high: 1000000000}
  n_trials: 20
""",
}
SLEEPER = "# sleeps for a second\n_target_: sleeper.SleepingClassifier\nseconds: 1.0\n"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    bound: float
    unit: str
    is_floor: bool = False

    def line(self) -> str:
        """Return the line."""
        holds = self.value >= self.bound if self.is_floor else self.value <= self.bound
        sign = ">=" if self.is_floor else "<="
        verdict = "" if holds else "  MISSED"
        return f"{self.name:<58} {self.value:>9.3f} {self.unit:<5} {sign} {self.bound:g}{verdict}"


def run(folder: Path, *arguments: str) -> float:
    """Run the program in a folder; return the wall seconds of the process."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    started = time.perf_counter()
    done = subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"sweepmark {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return seconds


def configurations(folder: Path) -> Path:
    """Write the sweeps of this benchmark as a user's own folder."""
    root = folder / "own"
    (root / "sweeps").mkdir(parents=True)
    (root / "classifier").mkdir()
    (root / "classifier" / "sleeper.yaml").write_text(SLEEPER)
    for name, text in SWEEPS.items():
        (root / "sweeps" / f"{name}.yaml").write_text(text)
    return root


def start_up(folder: Path) -> list[Figure]:
    """Time the help, and one small run on an empty store."""
    helps = [run(folder, "--help") for _ in range(5)]
    runs = [
        run(folder, "run", "dataset=digits", "--store", str(folder / f"cold{number}"))
        for number in range(3)
    ]
    return [
        Figure("sweepmark --help", statistics.median(helps), 0.3, "s"),
        Figure("sweepmark run dataset=digits, cold store", statistics.median(runs), 6, "s"),
    ]


def fitting_seconds(store: Path) -> float:
    """Return the seconds that the last sweep's journal gives to fit and predict."""
    journal = max((store / "sweeps").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    done = [entry for entry in entries if entry["event"] == "evaluation"]
    return sum(float(entry["fit_seconds"] + entry["predict_seconds"]) for entry in done)


def overhead(folder: Path, own: Path, artifacts: str, bound: float) -> Figure:
    """Return the slope of wall - fit - predict between 100 and 300 trials, in milliseconds."""
    rest: dict[int, float] = {}
    for n_trials in (100, 300):
        store = folder / f"overhead-{artifacts}-{n_trials}"
        wall = run(
            folder,
            "sweep",
            "overhead",
            *("--config-dir", str(own), "--store", str(store)),
            f"sweep.n_trials={n_trials}",
            f"tracking.artifacts={artifacts}",
        )
        rest[n_trials] = wall - fitting_seconds(store)
    slope = 1000 * (rest[300] - rest[100]) / 200
    return Figure(f"added to a trial, tracking.artifacts={artifacts}", slope, bound, "ms")


def thousand(folder: Path, own: Path) -> Figure:
    """Return the seconds of a whole sweep of 1,000 trials of milliseconds on 2 workers."""
    wall = run(
        folder,
        "sweep",
        "overhead",
        *("--config-dir", str(own), "--store", str(folder / "thousand")),
        *("engine=local", "engine.workers=2", "sweep.n_trials=1000"),
    )
    return Figure("1,000 trials of milliseconds on 2 workers", wall, 110, "s")


def throughput(folder: Path, own: Path) -> Figure:
    """Return the share of the ideal throughput that trials of one second reach on 2 workers."""
    walls = {
        n_trials: run(
            folder,
            "sweep",
            "sleep",
            *("--config-dir", str(own), "--store", str(folder / f"sleep{n_trials}")),
            *("--trust", "sleeper", "engine.workers=2", f"sweep.n_trials={n_trials}"),
        )
        for n_trials in (20, 60)
    }
    ideal = (60 - 20) / 2
    share = ideal / (walls[60] - walls[20])
    return Figure(
        "throughput of 1 s trials on 2 workers, of the ideal", share, 0.95, "", is_floor=True
    )


def peak_worker_memory(folder: Path, *overrides: str) -> float:
    """Return the peak resident bytes of the one worker of a run."""
    store = folder / f"memory{time.monotonic_ns()}"
    process = psutil.Popen(
        [PROGRAM, "run", "engine.workers=1", "tracking=none", "--store", str(store), *overrides],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while process.poll() is None:
        for child in process.children(recursive=True):
            try:
                peak = max(peak, child.memory_info().rss)
            except psutil.Error:
                continue
        time.sleep(0.02)
    if process.returncode:
        sys.exit(f"sweepmark run {' '.join(overrides)}: exit {process.returncode}")
    return float(peak)


def memory(folder: Path) -> Figure:
    """Return what scale + svc on 30,000 images take above a worker with its imports."""
    n_train = 30_000
    idle = peak_worker_memory(folder, "dataset=digits", "classifier=dummy")
    busy = peak_worker_memory(folder, "classifier=svc_libsvm", f"split.size={n_train * 4 // 3}")
    name = f"memory of a worker, scale + svc_libsvm, {n_train:,} images"
    return Figure(name, (busy - idle) / MIB, 2 * n_train * 784 * 8 / MIB, "MiB")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = configurations(folder)
        for figure in start_up(folder):
            print(figure.line(), flush=True)
        print(overhead(folder, own, "standard", 200).line(), flush=True)
        print(overhead(folder, own, "none", 80).line(), flush=True)
        print(thousand(folder, own).line(), flush=True)
        print(throughput(folder, own).line(), flush=True)
        print(memory(folder).line(), flush=True)


if __name__ == "__main__":
    main()
