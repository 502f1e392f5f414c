"""Render an email once, and fill it in for each recipient."""

# `tracing` has the stand-ins for the values, `engine` the templates that accept them, `html` what may happen to values
# in HTML, `email` the result, `prepare` makes one and proves it, `cache` keeps it.
