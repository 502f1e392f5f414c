"""Print how another backend and Mailroom took the same emails. Exit with 1 if they differ."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from notifications.operations.shadow_report import ShadowReport, Times, shadow_report

#: The most findings that are printed.
MOST = 20
MEANINGS = {
    "equal": "composed with the same content",
    "different": "composed with another content",
    "failed": "not queued or not composed",
    "withheld": "Mailroom would not send it",
    "late": "no worker has composed it within a minute",
    "waiting": "queued",
}


class Command(BaseCommand):
    help = "Compare what SHADOWED_BACKEND and Mailroom did with the same emails. Exits with 1 if they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=24.0, help="emails of the last N hours")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        report = shadow_report(hours=options["hours"], most=MOST)
        for line in [*_text(report), json.dumps(_summary(report))]:
            self.stdout.write(line)
        if not report.is_equal:
            sys.exit(1)


def _text(report: ShadowReport) -> Iterator[str]:
    answers = f"{report.old_accepted} accepted, {report.old_failed} failed"
    yield f"{report.copies} emails went through SHADOWED_BACKEND: {answers}."
    yield "Their copies in Mailroom:"
    for result, count in report.mailroom.items():
        yield f"{count:>9}  {result}: {MEANINGS[result]}"
    yield ""
    yield f"{'':<34}{'p50':>12}{'p95':>12}"
    yield _times("SHADOWED_BACKEND in the request", report.old_ms, "ms")
    yield _times("Mailroom in the request", report.mailroom_ms, "ms")
    yield _times("until a worker would send it", report.hand_over_s, "s")
    if report.findings:
        yield ""
        yield "Most frequent:"
    for found in report.findings:
        yield f"{found.count:>9}  {found.side}: {found.what} (message {found.example})"


def _times(what: str, times: Times, unit: str) -> str:
    shown = ("-" if one is None else f"{one:.2f} {unit}" for one in (times.p50, times.p95))
    return f"{what:<34}" + "".join(f"{one:>12}" for one in shown)


def _summary(report: ShadowReport) -> dict[str, Any]:
    summary = {**asdict(report), "copies": report.copies, "is_equal": report.is_equal}
    del summary["findings"]
    return summary
