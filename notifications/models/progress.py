"""Read how far messages have come."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Extract, Greatest, Now

from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.progress import Progress, progress_of
from notifications.rules.states import Status

# Seconds since a message was sent, or else due for the first time, by the clock that wrote it.
AGE_S = Extract(Now() - Coalesce("sent_at", Greatest("send_at", "created_at")), "epoch")


def first_progress(messages: "QuerySet[Any]") -> Progress:
    # An unknown message is waiting.
    found = messages.values_list("status", "outcome", "provider", AGE_S).first()
    return progress_from(*found) if found else Progress.WAITING


def progress_from(status: str, outcome: str, provider: str, age_s: float) -> Progress:
    return progress_of(Status(status), Outcome(outcome), age_s=float(age_s), reports=registry.reports(provider))
