"""What is said of results: sweeps and runs read back, ranked, graded, compared."""
