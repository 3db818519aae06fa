"""``python -m sweepmark``: the program, which imports nothing from the current folder."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # that folder, in which a signal.py or a mlflow.py may lie

from sweepmark.cli import run

if __name__ == "__main__":
    sys.exit(run())
