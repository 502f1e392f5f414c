"""Prometheus' own tool, which checks rules and metrics."""

import shutil
import subprocess
from typing import Any

import pytest

PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing (apt install prometheus)")


def promtool(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False, **options)
