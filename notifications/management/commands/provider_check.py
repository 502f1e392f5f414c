"""Check the provider set-up."""

import getpass
import platform
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.conf import settings
from notifications.emails import PROVIDER_TEST
from notifications.management.printing import print_finding, print_findings, printable
from notifications.operations.follow import Sighting, conclusion, follow
from notifications.operations.provider_check import check
from notifications.outbox import Draft, enqueue
from notifications.providers.base.account import Finding, Level
from notifications.providers.registry import PROVIDERS
from notifications.rules.addresses import BadAddressError, one_address
from notifications.rules.states import Status
from notifications.rules.text import one_form

# The message expires after this.
LONGEST_WAIT_S = 3600


class Command(BaseCommand):
    help = (
        "Check the providers' accounts, the sender address, webhooks and DNS, without sending email. Exits with 1 if a "
        "check fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", choices=sorted(PROVIDERS), help="check only this provider")
        parser.add_argument("--send-to", metavar="ADDRESS", help="also send a test message and wait for its outcome")
        parser.add_argument(
            "--wait", metavar="SECONDS", type=seconds, default=60.0, help="how long to wait for the outcome (60)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        address = parse_address(options["send_to"]) if options["send_to"] is not None else None
        found = check([options["provider"]] if options["provider"] else settings.EMAIL_PROVIDERS)
        width = max((len(finding.subject) for finding in found), default=0)
        print_findings(found, self.stdout, self.style)
        if address is not None:
            found.append(self.send(address, options["wait"]))
            print_finding(found[-1], width, self.stdout, self.style)
        count = sum(finding.level is Level.BAD for finding in found)
        if count:
            raise CommandError("1 check failed." if count == 1 else f"{count} checks failed.")

    def send(self, address: str, wait_s: float) -> Finding:
        # Through the outbox, so by the first provider that accepts it.
        context = {"sender": operator(), "sent_from": platform.node() or "an unnamed machine"}
        message = enqueue(Draft(kind=PROVIDER_TEST.name, to=address, context=context))
        assert message is not None  # noqa: S101 - without an idempotency key, it is new
        self.stdout.write(f"\nTest message to {address}: {message.id}")
        last = Sighting(status=Status.QUEUED)
        for waited_s, last in follow(message.id, wait_s=wait_s):
            self.stdout.write(f"{waited_s:6.1f} s  {printable(str(last))}")
            self.stdout.flush()
        return conclusion(last, wait_s=wait_s)


def parse_address(raw: str) -> str:
    try:
        return one_address(one_form(raw))
    except BadAddressError as error:
        raise CommandError(f"--send-to: {error}.") from error


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= LONGEST_WAIT_S:
        raise ArgumentTypeError(f"a number of seconds from 0 to {LONGEST_WAIT_S}")
    return value


def operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user may have no name.
        return "An operator"
