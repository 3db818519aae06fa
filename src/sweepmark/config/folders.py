"""The folders of configurations: the package's conf/ and sweeps/, and the user's own."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sweepmark.config.places import given_path
from sweepmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EXPERIMENT", "Folders", "SweepFile", "description"]

_LONGEST_DESCRIPTION = 1_000
_PACKAGE = re.compile(r"#\s*@package\b")

EXPERIMENT = "experiment"
"""The group of presets that choose options of other groups."""


@dataclass(frozen=True, slots=True)
class SweepFile:
    """A YAML of sweeps/."""

    name: str
    description: str
    path: Path


def description(path: Path) -> str:
    """Return the description of a YAML file: its first line, if that is a comment.

    What tells Hydra a package (``# @package _global_``) stands before it.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline(_LONGEST_DESCRIPTION).strip()
        if _PACKAGE.match(first):
            first = file.readline(_LONGEST_DESCRIPTION).strip()
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def _yamls(folder: Path) -> list[Path]:
    """Return the YAML files of a folder; only regular files, since reading a pipe could block."""
    return [path for path in sorted(folder.glob("*.yaml")) if path.is_file()]


def _check_endings(folder: Path) -> None:
    """Raise if a file is a YAML for other programs only, and would be passed over."""
    for path in sorted(folder.glob("*.[yY]*")):
        if path.suffix.lower() in {".yml", ".yaml"} and path.suffix != ".yaml":
            raise ConfigurationError(
                f"{path} must end in .yaml: Hydra reads no other. Rename it: "
                f"{shlex.join(['mv', str(path), str(path.with_suffix('.yaml'))])}"
            )


def _ours(name: str) -> Path:
    """Return the package's own folder: inside the package in a wheel, at the root of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parents[1] / name


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders that configurations are read from.

    Parameters
    ----------
    extra : sequence of Path
        The user's own folders: config groups as sub-folders, sweeps in ``sweeps/``.

    Raises
    ------
    ConfigurationError
        If one of them does not exist, or contains a name that is already taken.
    """

    extra: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Raise if a folder does not exist or a name is defined twice."""
        for folder in self.extra:
            if not folder.is_dir():
                raise ConfigurationError(
                    f"--config-dir must name a folder, but {str(folder)!r} is none."
                )
            for group in (*self._known_groups(), "sweeps"):
                _check_endings(folder / group)
        for files in (*self._option_files().values(), self._sweep_files()):
            seen: dict[str, Path] = {}
            for path in files:
                if path.stem in seen:
                    raise ConfigurationError(
                        f"a name must stand once, but {path} and {seen[path.stem]} are both "
                        f"called {path.stem!r}. Rename yours."
                    )
                seen[path.stem] = path

    @property
    def main(self) -> Path:
        """The package's conf/."""
        return _ours("conf")

    def _known_groups(self) -> list[str]:
        return sorted({path.parent.name for path in self.main.glob("*/*.yaml")} | {EXPERIMENT})

    def _option_files(self) -> dict[str, list[Path]]:
        """Return the YAML files of each known group; other sub-folders are ignored."""
        roots = (self.main, *self.extra)
        files = {
            group: [path for root in roots for path in _yamls(root / group)]
            for group in self._known_groups()
        }
        return {group: paths for group, paths in files.items() if paths}

    def _sweep_files(self) -> list[Path]:
        roots = (_ours("sweeps"), *(folder / "sweeps" for folder in self.extra))
        return [path for root in roots for path in _yamls(root)]

    def groups(self) -> dict[str, dict[str, str]]:
        """Return the config groups: for each its options with their descriptions."""
        files = self._option_files()
        return {
            group: {path.stem: description(path) for path in sorted(paths)}
            for group, paths in files.items()
        }

    def option_path(self, group: str, option: str) -> Path:
        """Return the YAML file of an existing option."""
        return next(path for path in self._option_files()[group] if path.stem == option)

    def own_files(self) -> list[Path]:
        """Return the YAML files of the user's own folders."""
        files = [*chain.from_iterable(self._option_files().values()), *self._sweep_files()]
        return [path for path in files if any(folder in path.parents for folder in self.extra)]

    def sweeps(self) -> dict[str, SweepFile]:
        """Return the sweeps by name."""
        files = sorted(self._sweep_files(), key=lambda path: path.stem)
        return {path.stem: SweepFile(path.stem, description(path), path) for path in files}

    @classmethod
    def of(cls, extra: Sequence[str | Path]) -> Folders:
        """Return the folders for the values of ``--config-dir``."""
        return cls(
            tuple(
                dict.fromkeys(given_path(folder, what="--config-dir").resolve() for folder in extra)
            )
        )
