"""What one evaluation is: its data, rows, task, method and pipeline, each by plain values."""
