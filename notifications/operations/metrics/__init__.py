"""Metrics for Prometheus, computed from PostgreSQL and Redis when they are read."""
