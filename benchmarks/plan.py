"""Plans against reality: the real time is within the range, and the middle near it.

For each sweep the plan is made first, then the sweep is run on a new store; ``ok`` means that the
real seconds lie within the range, the middle within a factor of 1.5 of them, that high is at most
three times low, and that planning was quick. Let nothing else run meanwhile::

    python benchmarks/plan.py
    python benchmarks/plan.py svc_c_gamma split.size=2000
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("sweepmark")
CASES = (
    ("svc_c_gamma", "split.size=2000"),
    ("svc_c_gamma", "split.size=8000"),
    ("classifiers",),
    ("which_classifier",),
)
_FACTOR = 1.5
_WIDEST = 3.001
_PLANNING = 20.0  # seconds of the whole process, of which the probe takes ten at most


def run(folder: Path, *words: str) -> tuple[str, float]:
    """Run the program in a folder; return its output and its wall seconds."""
    started = time.perf_counter()
    command = [str(PROGRAM), *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout, time.perf_counter() - started


def line(case: tuple[str, ...]) -> str:
    """Plan and run a sweep; return the line about it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out, planning = run(folder, "plan", *case)
        plan = json.loads(out)
        _, real = run(folder, "sweep", *case)
    seconds = plan["seconds"]
    if seconds is None:
        return f"{' '.join(case):<28} unknown, really {real:.0f} s  MISSED"
    low, middle, high = (seconds[end] for end in ("low", "middle", "high"))
    is_ok = (
        low <= real <= high
        and real / _FACTOR <= middle <= real * _FACTOR
        and high <= _WIDEST * low
        and planning <= _PLANNING
        and not plan["untimed"]
    )
    return (
        f"{' '.join(case):<28} {low:>6.0f} to {high:>6.0f} s, middle {middle:>6.0f} s, really "
        f"{real:>6.0f} s, planned in {planning:.0f} s  {'ok' if is_ok else 'MISSED'}"
    )


def main() -> None:
    """Print a line a case."""
    named = sys.argv[1:]
    for case in (tuple(named),) if named else CASES:
        print(line(case), flush=True)


if __name__ == "__main__":
    main()
