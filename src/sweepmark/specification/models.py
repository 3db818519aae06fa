"""Serialisation of fitted pipelines in skops format, which executes no code when loaded."""

from __future__ import annotations

import io
import pkgutil
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweepmark.data.unpacking import UNPACKING_FAULTS
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = [
    "TRUSTED_TYPES",
    "code_files",
    "dump",
    "load",
    "named_types",
    "requirements",
    "trusted_types",
    "unknown_types",
]

TRUSTED_TYPES = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.metrics._dist_metrics.ChebyshevDistance64",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""Types inside fitted scikit-learn classifiers that are harmless but not in skops 0.16's list."""

_OURS = frozenset(
    {
        "sweepmark.estimators.neural.LogisticMLP",
        "sweepmark.estimators.augmentation.AugmentShift",
        "sweepmark.estimators.deskewing.Deskew",
        "sweepmark.estimators.gradients.Hog",
        "sweepmark.estimators.images.Shift",
        "sweepmark.estimators.scaling.Affine",
        "sweepmark.estimators.scaling.Scale",
    }
)
"""sweepmark's estimators (its SVC is dumped as scikit-learn's). Functions and other classes are
refused."""

_PACKAGE = "sweepmark.estimators"
"""Where these are; it imports nothing else of sweepmark."""

_REQUIRED = ("mlflow", "numpy", "scikit-learn", "scipy", "skops")
_REQUIRED_PACKAGES = frozenset({"numpy", "scipy", "sklearn", "sweepmark"})


def dump(estimator: Any) -> bytes:
    """Return a fitted estimator as a skops file.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> fitted = DummyClassifier().fit([[0], [1], [2]], [1, 1, 0])
    >>> load(dump(fitted)).predict([[5]])
    array([1])
    """
    import skops.io

    return bytes(skops.io.dumps(estimator))


def load(content: bytes, *, packages: Collection[str] = ()) -> Any:
    """Load the estimator from a skops file.

    Parameters
    ----------
    content : bytes
        The file's content, which is untrusted: only types that skops considers harmless, those of
        TRUSTED_TYPES and sweepmark's estimators are built.
    packages : collection of str
        Additional packages whose types the user trusts.

    Raises
    ------
    DataError
        If it is not a skops file, contains other types, or was written by other versions.
    """
    import skops.io

    unknown = unknown_types(content)
    refused = [name for name in unknown if not _is_trusted(name, packages)]
    if refused:
        raise DataError(
            f"the model must hold trusted types only, but holds {', '.join(refused)}. "
            "Trust their package with --trust if you know who made the file."
        )
    try:
        return skops.io.loads(content, trusted=unknown)
    except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the model must fit the installed versions, but: {error}. Fit it again."
        ) from error


def trusted_types(content: bytes) -> list[str]:
    """Return the types in a skops file that are trusted here but not by skops.

    A file may come from somebody else and must not decide itself what to trust.

    Raises
    ------
    DataError
        If it is no skops file.
    """
    return sorted(name for name in named_types(content) if _is_trusted(name, ()))


def code_files(content: bytes) -> dict[str, bytes]:
    """Return the modules of sweepmark that loading a skops file needs, by relative path.

    They are a namespace package: where sweepmark is installed, Python prefers that, whatever the
    order of its path.

    Raises
    ------
    DataError
        If it is no skops file.
    """
    if not named_types(content) & _OURS:
        return {}
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{_PACKAGE} has no folder")
    (folder,) = map(Path, found.submodule_search_locations)
    inside = _PACKAGE.replace(".", "/")
    return {f"{inside}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.py"))}


def requirements(content: bytes) -> tuple[str, ...]:
    """Return what has to be installed for loading a skops file, as ``name==version``.

    What was not installed from an index is left out, since nobody could install it from there:
    sweepmark (see :func:`code_files`) and trusted packages that are a folder.

    Raises
    ------
    DataError
        If it is no skops file.
    """
    types = named_types(content)
    packages = {name.partition(".")[0] for name in types}
    foreign = packages - _REQUIRED_PACKAGES - sys.stdlib_module_names
    ours = (pkgutil.resolve_name(name) for name in types & _OURS)
    names = {*_REQUIRED, *(name for each in ours for name in getattr(each, "libraries", ()))}
    if foreign:
        known = metadata.packages_distributions()
        names |= {
            name
            for package in foreign
            for name in known.get(package, ())
            if metadata.distribution(name).read_text("direct_url.json") is None
        }
    return tuple(f"{name}=={metadata.version(name)}" for name in sorted(names))


def named_types(content: bytes) -> set[str]:
    """Return the types in a skops file, without skops, which takes half a second to import.

    Raises
    ------
    DataError
        If it is no skops file.
    """
    import json
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return set(_names(json.loads(archive.read("schema.json"))))
    except (*UNPACKING_FAULTS, KeyError) as error:
        raise _no_skops_file(error) from error


def _names(tree: object) -> Iterator[str]:
    """Yield the types of the nodes in a skops file's schema."""
    if isinstance(tree, dict):
        module, name = tree.get("__module__"), tree.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            yield f"{module}.{name}"
        tree = list(tree.values())
    if isinstance(tree, list):
        for node in tree:
            yield from _names(node)


def unknown_types(content: bytes) -> list[str]:
    """Return the types in a skops file that skops itself does not trust, ascending.

    Raises
    ------
    DataError
        If it is no skops file.
    """
    import skops.io

    try:
        return sorted(skops.io.get_untrusted_types(data=content))
    except (*UNPACKING_FAULTS, KeyError, TypeError) as error:
        raise _no_skops_file(error) from error


def _no_skops_file(error: Exception) -> DataError:
    return DataError(f"the model must be a file in skops format, but: {error}.")


def _is_trusted(name: str, packages: Collection[str]) -> bool:
    return name in TRUSTED_TYPES or name in _OURS or name.partition(".")[0] in packages
