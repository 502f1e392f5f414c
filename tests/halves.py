"""Divides the largest tests: the usual run makes half of their requests, and the slow one the others."""

import pytest

HALVES = pytest.mark.parametrize("half", [0, pytest.param(1, marks=pytest.mark.long)])
