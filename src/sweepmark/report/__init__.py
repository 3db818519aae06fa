"""Reports on results: sweeps and runs are read back, ranked, graded and compared."""
