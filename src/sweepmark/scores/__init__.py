"""Predictions and their quality: scorecards, metrics, thresholds, mistakes."""
