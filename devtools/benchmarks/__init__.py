"""Benchmarks, each one run on one machine: `python -m devtools.benchmarks.<name>`."""
