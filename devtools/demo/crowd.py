"""The people of the demo: 500 readers, 50 who sign up, 10 of whom forget their password at once, 10 of the old way."""

import time
from dataclasses import dataclass, field

from devtools.stack.facts import Fact
from devtools.stack.site_client import Person
from devtools.stack.stack import Stack

READERS = 500
SIGN_UPS = 50
RESETS = 10
OLD_WAY = 10
PACE_S = 0.1
HEADLINE = "What is new"
MAKE_READERS = f"""
from django.utils import timezone
from accounts.models import User
addresses = [f"reader{{number}}@example.com" for number in range({READERS})]
agreed = {{"password": "!", "confirmed_at": timezone.now(), "wants_news": True}}
User.objects.bulk_create(User(email=address, **agreed) for address in addresses)
"""


@dataclass
class Crowd:
    """What people were told (facts), and how long they waited for it (milliseconds)."""

    told: set[Fact] = field(default_factory=set)
    queued_ms: list[float] = field(default_factory=list)
    reset_ms: list[float] = field(default_factory=list)
    inline_ms: list[float] = field(default_factory=list)


def announce(stack: Stack, crowd: Crowd) -> None:
    stack.manage("shell", "-v", "0", "-c", MAKE_READERS)
    stack.manage("announce", "demo", "--to", "confirmed", "--headline", HEADLINE, "--text", "Nothing, really.")
    crowd.told |= {("product-news", f"reader{number}@example.com") for number in range(READERS)}


def sign_up(stack: Stack, crowd: Crowd) -> None:
    for number in range(SIGN_UPS):
        address = f"person{number}@example.com"
        crowd.queued_ms.append(Person(stack.site_url).sign_up(address).took_s * 1000)
        crowd.told.add(("welcome", address))
        if number % (SIGN_UPS // RESETS) == 0:
            crowd.reset_ms.append(Person(stack.site_url).ask_for_reset(address).took_s * 1000)
            crowd.told.add(("password-reset", address))
        time.sleep(PACE_S)


def sign_up_the_old_way(site_url: str, crowd: Crowd) -> None:
    for number in range(OLD_WAY):
        address = f"inline{number}@example.com"
        crowd.inline_ms.append(Person(site_url).sign_up(address).took_s * 1000)
        crowd.told.add(("welcome", address))
