# mypy: ignore-errors
"""Starts the release before this one in its checkout; makes its users and messages for fill.py."""

import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

embedded = import_module("tests.embedded")
import_module("django").setup()

from django.core.management import call_command  # noqa: E402
from django.db.models.functions import Now  # noqa: E402
from django.utils import timezone  # noqa: E402
from notifications.delivery.attempt import deliver  # noqa: E402

from accounts.models import User  # noqa: E402
from notifications.delivery.record import Carrier  # noqa: E402
from notifications.models import Message  # noqa: E402
from notifications.outbox import Draft  # noqa: E402
from notifications.providers import registry  # noqa: E402
from tests.scripted import ScriptedProvider  # noqa: E402
from tests.scripted_webhook import ScriptedWebhook  # noqa: E402

settings = import_module("django.conf").settings
CARRIER = Carrier(task_id="4b1d5a6e-0000-4000-8000-000000000001", worker="main@mail-1")
# What each kind's templates need besides the account.
CONTEXTS = {
    "address-changed": {"new_address": "g…e@example.com"},
    "account-deleted": {"name": "Ada Lovelace", "language": "de"},
    "product-news": {"headline": "News", "paragraphs": ["There is some."]},
    "provider-test": {"sender": "An operator", "sent_from": "server-1.example.com"},
}
provider = ScriptedProvider()


def prepare():
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_PROVIDERS = ["scripted"]
    # An open circuit would hold back the next messages.
    settings.BREAKER_THRESHOLD = 10_000
    registry.PROVIDERS["scripted"] = lambda: provider
    registry.WEBHOOKS["scripted"] = ScriptedWebhook
    embedded._postgres.create_database()
    call_command("migrate", verbosity=0)


def person(mailbox, **fields):
    """Return a user created without signals, so without an email."""
    (user,) = User.objects.bulk_create([User(email=f"{mailbox}@example.com", **{"password": "!", **fields})])
    return user


def shift(rows, field, **by):
    rows.update(**{field: Now() - timedelta(**by)})


def draft(kind, label, to=None):
    """Return a draft of `kind` with a recipient who may get it. Its key holds `label`."""
    user = None
    if kind.for_owner:
        user = person(
            label,
            name="Ada",
            confirmed_at=None if kind.name == "welcome" else timezone.now(),
            new_email=f"new-{label}@example.com" if kind.name == "address-change" else "",
            wants_news=kind.name == "product-news",
        )
    address = kind.address(user) if user else f"{label}@example.com"
    return Draft(kind=kind.name, to=to or address, user=user, key=f"fact:{label}", context=CONTEXTS.get(kind.name, {}))


def send(message, answer=None):
    provider.script.append(answer)
    report = deliver([message.id], message.stream, CARRIER)
    if provider.script:
        provider.script.clear()
        raise AssertionError(f"{message} was not sent: {report}")
    return Message.objects.get(id=message.id)
