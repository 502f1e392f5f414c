"""Measurements, as one run on one machine: `python -m benchmarks.<name>`."""
