"""Hydra-configured, Optuna-driven sweeps for scikit-learn, tracked in MLflow and graded.

The names below are those of :mod:`sweepmark.api`, imported when they are first asked for, so that
``import sweepmark`` by itself takes milliseconds. Type checkers read them in ``__init__.pyi``.
"""

__all__ = [
    "Scorecard",
    "Store",
    "Sweep",
    "__version__",
    "errors",
    "evaluate",
    "load_dataset",
    "open",
    "resume",
    "sweep",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    if name == "errors":
        return importlib.import_module("sweepmark.errors")
    return getattr(importlib.import_module("sweepmark.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
