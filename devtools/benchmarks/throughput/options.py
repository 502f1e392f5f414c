"""The options of `make bench`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from devtools.benchmarks.throughput.probes.sizes import QUICK, WHOLE, Sizes

COUNT, QUICK_COUNT = 5_000, 1_000
ROUNDS = 2
PAGES = ("performance", "scaling")
OF_LARGE_TABLES = {"growth", "history", "memory"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """`only`: parts of the names of contestants and probes; empty for all."""

    count: int
    rounds: int
    only: Sequence[str]
    delays_ms: Sequence[int]
    sizes: Sizes
    is_quick: bool
    pages: Sequence[str]

    def wants(self, name: str) -> bool:
        return not self.only or any(part in name for part in self.only)

    def wants_probe(self, name: str) -> bool:
        # Small tables say little about large ones.
        return self.wants(name) and (bool(self.only) or not (self.is_quick and name in OF_LARGE_TABLES))

    def wants_in_round(self, name: str, round_number: int, *, is_main: bool) -> bool:
        if self.only:
            return self.wants(name)
        return is_main or (round_number == 0 and not self.is_quick)


def options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="make bench", description="Compare how fast email leaves.")
    parser.add_argument("--count", type=int, help=f"emails of a run ({COUNT:,}; faster contestants get more)")
    parser.add_argument("--rounds", type=int, help=f"runs of each main contestant ({ROUNDS}), in another order each")
    parser.add_argument("--only", action="append", default=[], help="part of a name; may be repeated")
    parser.add_argument("--delay", type=int, action="append", help="delay of the provider in ms (0 and 100)")
    parser.add_argument("--queued", type=int, help=f"the large backlog ({WHOLE.queued:,})")
    parser.add_argument("--history", type=int, help=f"finished messages in the table ({WHOLE.history:,})")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"one round of {QUICK_COUNT:,} emails, main contestants, without {', '.join(sorted(OF_LARGE_TABLES))}",
    )
    parser.add_argument("--write", nargs="*", choices=PAGES, help="update these pages of docs/, or both")
    given = parser.parse_args(arguments)
    sizes = QUICK if given.quick else WHOLE
    return Options(
        count=given.count or (QUICK_COUNT if given.quick else COUNT),
        rounds=given.rounds or (1 if given.quick else ROUNDS),
        only=given.only,
        delays_ms=given.delay or [0, 100],
        sizes=Sizes(
            bulk=sizes.bulk,
            critical=sizes.critical,
            base=sizes.base,
            queued=given.queued or sizes.queued,
            history=given.history or sizes.history,
            idle_s=sizes.idle_s,
        ),
        is_quick=given.quick,
        pages=() if given.write is None else given.write or PAGES,
    )
