"""Request every page of the admin several times: `measure ROWS ROUNDS`. Exits with 1 if a page is too slow."""

import logging
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the apps to be ready
from django.test import Client, override_settings  # noqa: E402

from accounts.models import User  # noqa: E402
from devtools.benchmarks.admin.fill import OPERATOR  # noqa: E402
from devtools.benchmarks.admin.pages import Crawl, Page  # noqa: E402
from devtools.benchmarks.admin.searches import searches  # noqa: E402
from devtools.stack.console import say  # noqa: E402

MOST_MS = 300.0
MOST_QUERIES = 15
WORST_SHOWN = 12
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


@dataclass
class Statements:
    """An execute wrapper that counts and times the statements of one request."""

    count: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            took = (time.perf_counter() - began) * 1000
            if took > self.slowest_ms:
                self.slowest_ms, self.slowest = took, sql


@dataclass
class Figures:
    """What the requests of one page took."""

    took_ms: list[float] = field(default_factory=list)
    queries: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    status: int = 200

    @property
    def median_ms(self) -> float:
        return statistics.median(self.took_ms)

    @property
    def is_good(self) -> bool:
        return (
            self.median_ms <= MOST_MS
            and self.queries <= MOST_QUERIES
            and self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        )


def main(rows: int, rounds: int) -> int:
    # Pages that are only for POST refuse the benchmark's GET.
    logging.disable(logging.WARNING)
    with override_settings(STORAGES=PLAIN, ALLOWED_HOSTS=["*"]):
        client = Client()
        client.force_login(User.objects.get(email=OPERATOR))
        found: dict[str, Figures] = {}

        def get(url: str) -> Any:
            found[url] = Figures()
            return request(client, url, found[url])

        # The first round: what other requests have not read yet.
        pages = Crawl(get=get, searches=searches).run()
        say(f"{len(pages)} pages, each {rounds} times")
        for _round in range(1, rounds):
            for page in pages:
                request(client, page.url, found[page.url])
    measured = [(page, found[page.url]) for page in pages]
    report(measured)
    bad = [(page, figures) for page, figures in measured if not figures.is_good]
    for page, figures in sorted(bad, key=lambda one: -one[1].median_ms)[:WORST_SHOWN]:
        say(f"too slow: {page.url}\n  status {figures.status}, {figures.median_ms:.0f} ms, {figures.queries} queries")
        say(f"  {figures.slowest_ms:.0f} ms: {figures.slowest[:600]}")
    slowest = max(figures.median_ms for _page, figures in measured)
    most = max(figures.queries for _page, figures in measured)
    say(f"admin: rows={rows} slowest_ms={slowest:.0f} most_queries={most}")
    return 1 if bad else 0


def request(client: Client, url: str, figures: Figures) -> Any:
    statements = Statements()
    began = time.perf_counter()
    with connection.execute_wrapper(statements):
        answer = client.get(url)
    figures.took_ms.append((time.perf_counter() - began) * 1000)
    figures.status = max(figures.status, answer.status_code)
    figures.queries = max(figures.queries, statements.count)
    if statements.slowest_ms > figures.slowest_ms:
        figures.slowest_ms, figures.slowest = statements.slowest_ms, statements.slowest
    return answer


def report(measured: Iterable[tuple[Page, Figures]]) -> None:
    """Print the slowest of each group of pages that differ only in an object or a value."""
    groups: dict[str, list[Figures]] = defaultdict(list)
    for page, figures in measured:
        groups[str(page)].append(figures)
    say(f"\n{'page and its parameter':<66}{'pages':>6}{'worst median ms':>17}{'queries':>9}{'slowest query ms':>18}")
    for name, group in sorted(groups.items()):
        median, queries = max(one.median_ms for one in group), max(one.queries for one in group)
        query_ms = max(one.slowest_ms for one in group)
        say(f"{name:<66}{len(group):>6}{median:>17.0f}{queries:>9}{query_ms:>18.0f}")
    say("")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
