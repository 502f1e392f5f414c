"""Scripted situations: how each comes about, what Mailroom says about it, and what then happens.

The tests of this folder go through the table. Add a situation here, and each of them covers it.
"""

from tests.operations.situations import again, other, queued  # noqa: F401 - they fill the table
from tests.operations.situations.scripted import SITUATIONS

__all__ = ["SITUATIONS"]
