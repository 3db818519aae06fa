"""Hydra-configured, Optuna-driven sweeps for scikit-learn, tracked in MLflow and graded."""

__all__ = ["__version__"]

__version__ = "0.1.0"
