"""Reproducible random draws: the same seed and question always give the same number."""

import hashlib


def draw(seed: int, *question: str | int) -> float:
    # From 0 up to, but not including, 1.
    digest = hashlib.sha256(repr((seed, *question)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
