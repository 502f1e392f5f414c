"""The provider simulator's process."""

import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.environment import env
from devtools.simulator.controls import BadDialError, Dials
from devtools.simulator.server import Address, Webhooks, serve


class Command(BaseCommand):
    help = (
        "Answer as SendGrid, Amazon SES and Postmark do, report what became of the mail, and show in a web mailbox "
        "what was sent. For developers' machines."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8025)
        parser.add_argument(
            "--smtp-port",
            type=int,
            default=env.int("SIMULATOR_SMTP_PORT", default=0),
            help="also answer as an SMTP server there; SIMULATOR_SMTP_PORT of the environment, or not at all",
        )
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / ".local" / "simulator")
        parser.add_argument("--latency-ms", type=int, default=Dials.latency_ms)
        parser.add_argument("--error-rate", type=float, default=Dials.error_rate)
        parser.add_argument("--error-status", type=int, default=Dials.error_status)
        parser.add_argument(
            "--webhook-url",
            default="",
            help="where reports go, like http://127.0.0.1:8000/webhooks/; the providers' names come after it. "
            "Postmark's are posted with POSTMARK_WEBHOOK_AUTH (user:password) of the environment.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError(
                "The simulator answers for a provider and delivers to nobody; it only runs with MAILROOM_LOCAL=1."
            )
        if not _is_loopback(options["host"]):
            raise CommandError("--host must be a loopback address: everybody could read the mail.")
        webhooks = _webhooks(options["webhook_url"], options["folder"])
        try:
            dials = Dials(**{name: options[name] for name in ("latency_ms", "error_rate", "error_status")})
        except BadDialError as error:
            raise CommandError(str(error)) from error
        try:
            address = Address(host=options["host"], port=options["port"], smtp_port=options["smtp_port"])
            serve(options["folder"], address, dials, webhooks)
        except OSError as error:
            ports = f"{options['port']} or {options['smtp_port']}" if options["smtp_port"] else options["port"]
            raise CommandError(f"Port {ports}: {error.strerror}. Choose another one with --port.") from error


def _webhooks(url: str, folder: Path) -> Webhooks | None:
    """Return where reports go, None for nowhere. Raises CommandError."""
    if not url:
        return None
    if urlsplit(url).scheme not in {"http", "https"} or not _is_loopback(urlsplit(url).hostname or ""):
        raise CommandError("--webhook-url must be on this machine: reports hold addresses.")
    return Webhooks(
        target=url.rstrip("/") + "/", keys=folder / "keys", postmark_auth=env.str("POSTMARK_WEBHOOK_AUTH", default="")
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
