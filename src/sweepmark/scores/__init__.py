"""What was predicted and how good it is: predictions, scorecards, metrics, thresholds, mistakes."""
