"""Evaluation of one Specification: fitting its pipeline, predicting, timing."""
