"""The Recipe: preprocessing steps and a classifier as one scikit-learn Pipeline."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweepmark.errors import ConfigurationError
from sweepmark.specification.components import (
    ALLOWED_PACKAGES,
    TARGET,
    build,
    find_class,
    resolve_component,
)
from sweepmark.specification.labelling import place_labels
from sweepmark.specification.specification import EVALUATION_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sklearn.pipeline import Pipeline

    from sweepmark.config.schema import Config
    from sweepmark.data import Labels
    from sweepmark.specification.specification import Specification

__all__ = [
    "CLASSIFIER",
    "build_pipeline",
    "foreign_packages",
    "library_versions",
    "recipe_versions",
    "resolve_recipe",
    "sweep_versions",
]

CLASSIFIER = "classifier"
"""The name of the Pipeline's last step."""

_EVALUATION = "sweepmark's evaluation"
"""The name of EVALUATION_VERSION among the versions that a sweep was started with."""

_LIBRARIES = ("numpy", "scikit-learn", "scipy")
_FURTHER = ("scikit-image",)
"""Libraries used only by some components, whose classes list them in ``libraries``."""

_COUNTING = frozenset({"xgboost"})
"""Packages whose classifiers accept only labels 0 to n - 1."""


def resolve_recipe(
    config: Config, *, trusted: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return preprocessing and classifier with all parameters that affect their results.

    Raises
    ------
    ConfigurationError
        If a component or a parameter's value is invalid.
    """
    _check_names(config.preprocess)
    preprocess = {
        name: resolve_component(step, where=f"preprocess.{name}", seed=config.seed, trusted=trusted)
        for name, step in config.preprocess.items()
    }
    classifier = resolve_component(
        config.classifier, where=CLASSIFIER, seed=config.seed, trusted=trusted
    )
    for name, step in preprocess.items():
        _check_kind(build(step, trusted=trusted), f"preprocess.{name}", "transformer")
    _check_kind(build(classifier, trusted=trusted), CLASSIFIER, "classifier")
    return preprocess, classifier


def _check_names(steps: Iterable[str]) -> None:
    """Raise on names that are invalid for steps of a Pipeline."""
    for name in steps:
        if name == CLASSIFIER or "__" in name or not name:
            raise ConfigurationError(
                f"a step of preprocess must not be called {CLASSIFIER!r} nor have '__' in its "
                f"name, but got {name!r}."
            )


def _check_kind(built: Any, where: str, kind: str) -> None:
    """Raise if a component is of the wrong kind, which would make every trial fail."""
    from sklearn.base import is_classifier

    if kind == CLASSIFIER:
        fits = is_classifier(built) and hasattr(built, "fit")
    else:
        changes_columns = hasattr(built, "transform") and hasattr(built, "fit")
        fits = changes_columns or hasattr(built, "fit_resample")
    if not fits:
        raise ConfigurationError(
            f"{where} must be a {kind}, but {type(built).__name__} is none. Set {where}._target_."
        )


def build_pipeline(specification: Specification, labels: Labels | None = None) -> Pipeline:
    """Build the unfitted Pipeline of a specification.

    Parameters
    ----------
    specification : Specification
        Which one.
    labels : Labels or None
        The labels that it is fitted on; None leaves class weights and similar parameters as
        written.
    """
    from sklearn.pipeline import Pipeline

    trusted = _trusted(specification.versions)
    components = {**specification.preprocess, CLASSIFIER: specification.classifier}
    if labels is not None:
        components = {
            name: place_labels(component, labels, trusted=trusted)
            for name, component in components.items()
        }
    steps = [
        (name, build(component, threads=specification.threads, trusted=trusted))
        for name, component in components.items()
    ]
    if labels is not None:
        steps[-1] = (CLASSIFIER, _counted(steps[-1][1], labels))
    return Pipeline(steps)


def _counted(classifier: Any, labels: Labels) -> Any:
    """Return a classifier that accepts any labels, even if its class accepts only 0 to n - 1.

    A VotingClassifier of one estimator encodes the classes for it.
    """
    from sklearn.ensemble import VotingClassifier

    packages = {base.__module__.partition(".")[0] for base in type(classifier).__mro__}
    if labels.values.tolist() == list(range(len(labels.names))) or not packages & _COUNTING:
        return classifier
    return VotingClassifier([(CLASSIFIER, classifier)], voting="soft")


def library_versions(trusted: Sequence[str] = ()) -> dict[str, str]:
    """Return the exact versions of the computing libraries, by name.

    A trusted package that was not installed from a release is pinned by the hash of its source.
    """
    return dict(_versions(tuple(trusted)))


def sweep_versions(trusted: Sequence[str] = ()) -> dict[str, str]:
    """Return the versions that a sweep's keys may depend on, by name."""
    further = {name: metadata.version(name) for name in _FURTHER}
    return library_versions(trusted) | further | {_EVALUATION: str(EVALUATION_VERSION)}


def recipe_versions(
    components: Iterable[Mapping[str, Any]], trusted: Sequence[str] = ()
) -> dict[str, str]:
    """Return the versions of the libraries that resolved components use, by name."""
    classes = [find_class(target, trusted=trusted) for target in _targets(list(components))]
    further = {name for cls in classes for name in getattr(cls, "libraries", ())}
    versions = {name: metadata.version(name) for name in _FURTHER if name in further}
    return library_versions(trusted) | versions


def foreign_packages(configurations: Sequence[Any]) -> list[str]:
    """Return the packages of classes in plain values that are allowed by ``--trust`` only."""
    found = {str(target).partition(".")[0] for target in _targets(list(configurations))}
    return sorted(found - ALLOWED_PACKAGES)


def _targets(node: Any) -> Iterator[str]:
    """Yield the class name of every component in a plain value."""
    if isinstance(node, dict):
        if TARGET in node:
            yield node[TARGET]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _targets(item)


@cache
def _versions(trusted: tuple[str, ...]) -> dict[str, str]:
    packages = [package for package in trusted if package not in ALLOWED_PACKAGES]
    return {name: metadata.version(name) for name in _LIBRARIES} | {
        package: _version(package) for package in packages
    }


def _trusted(versions: Mapping[str, str]) -> list[str]:
    return [name for name in versions if name not in {*_LIBRARIES, *_FURTHER}]


def _version(package: str) -> str:
    found = importlib.util.find_spec(package)
    if found is not None and found.submodule_search_locations:
        folders = [Path(folder) for folder in found.submodule_search_locations]
        files = sorted(file for folder in folders for file in folder.rglob("*.py"))
        return _release(folders[0].parent, f"{package}/") or _source_hash(files)
    if found is not None and found.has_location and found.origin:
        file = Path(found.origin)
        return _release(file.parent, f"{file.name},") or _source_hash([file])
    raise ConfigurationError(
        f"--trust must name a package that can be imported from files, but {package!r} is none."
    )


def _release(folder: Path, beginning: str) -> str | None:
    """Return the version of the distribution that installed a package in a folder.

    None for a source tree, including an editable installation: its files may change without a new
    version.
    """
    for distribution in metadata.distributions(path=[str(folder)]):
        if f"\n{beginning}" in f"\n{distribution.read_text('RECORD') or ''}":
            return distribution.version
    return None


def _source_hash(files: Iterable[Path]) -> str:
    import hashlib

    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"sha256:{digest.hexdigest()}"
