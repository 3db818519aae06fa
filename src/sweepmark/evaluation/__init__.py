"""Computing one specification: fitting its pipeline, predicting, timing."""
