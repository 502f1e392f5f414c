"""The options of `make bench`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

COUNT, QUICK_COUNT = 10_000, 1_000
ROUNDS = 2
PROBES = ("critical", "growth", "sign-up")


@dataclass(frozen=True, kw_only=True)
class Options:
    """`only`: parts of the names of contestants and probes; empty for all."""

    count: int
    rounds: int
    only: Sequence[str]
    delays_ms: Sequence[int]
    writes_page: bool

    def wants(self, name: str) -> bool:
        return not self.only or any(part in name for part in self.only)


def options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="make bench", description="Compare how fast email leaves.")
    parser.add_argument("--count", type=int, help=f"messages of a run ({COUNT})")
    parser.add_argument("--rounds", type=int, help=f"runs of each contestant ({ROUNDS}), in another order each")
    parser.add_argument("--only", action="append", default=[], help="part of a name; may be repeated")
    parser.add_argument("--delay", type=int, action="append", help="delay of the provider in ms (0 and 100)")
    parser.add_argument("--quick", action="store_true", help=f"one round of {QUICK_COUNT} messages")
    parser.add_argument("--write", action="store_true", help="write the chart into docs/performance.md")
    given = parser.parse_args(arguments)
    return Options(
        count=given.count or (QUICK_COUNT if given.quick else COUNT),
        rounds=given.rounds or (1 if given.quick else ROUNDS),
        only=given.only,
        delays_ms=given.delay or [0, 100],
        writes_page=given.write,
    )
