"""The provider simulator's process."""

import ipaddress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.simulator.dials import BadDialError, Dials
from notifications.simulator.server import serve


class Command(BaseCommand):
    help = "Answer as SendGrid and Amazon SES do, and show in a web mailbox what was sent. For developers' machines."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8025)
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / ".local" / "simulator")
        parser.add_argument("--latency-ms", type=int, default=Dials.latency_ms)
        parser.add_argument("--error-rate", type=float, default=Dials.error_rate)
        parser.add_argument("--error-status", type=int, default=Dials.error_status)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError(
                "The simulator answers for a provider and delivers to nobody; it only runs with MAILROOM_LOCAL=1."
            )
        if not _is_loopback(options["host"]):
            raise CommandError("--host must be a loopback address: everybody could read the mail.")
        try:
            dials = Dials(**{name: options[name] for name in ("latency_ms", "error_rate", "error_status")})
        except BadDialError as error:
            raise CommandError(str(error)) from error
        try:
            serve(options["folder"], options["host"], options["port"], dials)
        except OSError as error:
            raise CommandError(f"Port {options['port']}: {error.strerror}. Choose another one with --port.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
