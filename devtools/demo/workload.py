"""The demo's people: 500 readers, 50 who sign up, 10 of whom reset their password, and 10 who sign up inline."""

from pathlib import Path

from devtools.chaos.workload import Operation, Workload
from devtools.stack.facts import Fact
from devtools.stack.stack import Stack

READERS = 500
SIGN_UPS, SIGN_UPS_PER_S = 50, 6.0
RESETS = 10
INLINE, INLINE_PER_S = 10, 1.0
# One request at a time: the demo measures response times, not the load that the site can bear.
CLIENTS = 1
HEADLINE = "What is new"
MAKE_READERS = f"""
from django.utils import timezone
from accounts.models import User
addresses = [f"reader{{number}}@example.com" for number in range({READERS})]
agreed = {{"password": "!", "confirmed_at": timezone.now(), "wants_news": True}}
User.objects.bulk_create(User(email=address, **agreed) for address in addresses)
"""


def announce(stack: Stack) -> set[Fact]:
    # One bulk email for each reader.
    stack.manage("shell", "-v", "0", "-c", MAKE_READERS)
    stack.manage("announce", "demo", "--headline", HEADLINE, "--text", "Nothing, really.")
    return {("product-news", f"reader{number}@example.com") for number in range(READERS)}


def sign_up(site_url: str, log: Path) -> list[Operation]:
    workload = Workload(site_url, log, reset_every=SIGN_UPS // RESETS, twice_every=0, clients=CLIENTS)
    workload.start(SIGN_UPS, SIGN_UPS_PER_S)
    workload.wait()
    return workload.operations


def sign_up_inline(site_url: str, log: Path) -> list[Operation]:
    workload = Workload(site_url, log, reset_every=0, twice_every=0, clients=CLIENTS)
    workload.start(INLINE, INLINE_PER_S, lambda number: f"inline{number}@example.com")
    workload.wait()
    return workload.operations
