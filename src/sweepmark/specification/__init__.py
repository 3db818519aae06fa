"""The specification of one evaluation: data, rows, task, method and pipeline, as plain values."""
