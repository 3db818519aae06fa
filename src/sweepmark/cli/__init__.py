"""The command line: one program, verbs as subcommands."""

from __future__ import annotations

from sweepmark.cli.program import main, run

__all__ = ["main", "run"]
