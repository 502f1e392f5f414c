"""`python -m devtools.simulator`: the provider simulator's process."""

import argparse
import ipaddress
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from config.environment import BASE_DIR, env
from devtools.simulator.controls import BadControlError, Controls
from devtools.simulator.server import Address, Keeping, Webhooks, serve

DESCRIPTION = (
    "Answer as SendGrid, Amazon SES and Postmark do, report the outcome of each email, and show the emails on a web"
    " page. For developers' machines: it runs only with MAILROOM_LOCAL=1."
)


class RefusedStartError(RuntimeError):
    """The simulator must not start with these settings; the text says why."""


def main(arguments: Sequence[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The only setting of Django that its templates need.
    settings.configure(USE_I18N=False)
    given = _parser().parse_args(arguments)
    try:
        start(given)
    except RefusedStartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def start(given: argparse.Namespace) -> None:
    """Serve until a signal ends the process. Raises RefusedStartError."""
    local = env.bool("MAILROOM_LOCAL", default=False)
    if env.problems:
        raise RefusedStartError("\n".join(map(str, env.problems)))
    if not local:
        raise RefusedStartError(
            "The simulator delivers no email. It runs only on developers' machines, with MAILROOM_LOCAL=1."
        )
    if not _is_loopback(given.host):
        raise RefusedStartError("--host must be a loopback address, so that no one else can read the emails.")
    webhooks = _webhooks(given.webhook_url, given.folder)
    try:
        controls = Controls(latency_ms=given.latency_ms, error_rate=given.error_rate, error_status=given.error_status)
    except BadControlError as error:
        raise RefusedStartError(str(error)) from error
    try:
        address = Address(host=given.host, port=given.port, smtp_port=given.smtp_port)
        serve(Keeping(folder=given.folder, bodies=given.keep_bodies), address, controls, webhooks)
    except OSError as error:
        ports = f"{given.port} or {given.smtp_port}" if given.smtp_port else given.port
        raise RefusedStartError(f"Port {ports}: {error.strerror}. Choose another with --port.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devtools.simulator", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument(
        "--smtp-port",
        type=int,
        default=env.int("SIMULATOR_SMTP_PORT", default=0),
        help="also answer as an SMTP server on this port; default: the variable SIMULATOR_SMTP_PORT",
    )
    parser.add_argument("--folder", type=Path, default=BASE_DIR / ".local" / "simulator")
    parser.add_argument("--keep-bodies", action="store_true", help="show in /api/calls what each caller sent")
    parser.add_argument("--latency-ms", type=int, default=Controls.latency_ms)
    parser.add_argument("--error-rate", type=float, default=Controls.error_rate)
    parser.add_argument("--error-status", type=int, default=Controls.error_status)
    parser.add_argument(
        "--webhook-url",
        default="",
        help="where to post reports, like http://127.0.0.1:8000/webhooks/; the provider's name is appended. Postmark's"
        " reports use the variable POSTMARK_WEBHOOK_AUTH (user:password).",
    )
    return parser


def _webhooks(url: str, folder: Path) -> Webhooks | None:
    # None without a URL. Raises RefusedStartError.
    if not url:
        return None
    if urlsplit(url).scheme not in {"http", "https"} or not _is_loopback(urlsplit(url).hostname or ""):
        raise RefusedStartError("--webhook-url must be on this machine, because reports contain addresses.")
    return Webhooks(
        target=url.rstrip("/") + "/", keys=folder / "keys", postmark_auth=env.str("POSTMARK_WEBHOOK_AUTH", default="")
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
