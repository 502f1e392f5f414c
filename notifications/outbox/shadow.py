"""Queue a copy of each email that another backend sends."""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from notifications.models import Message, ShadowCopy
from notifications.outbox.enqueue import write_messages
from notifications.outbox.finished import EmailTerms, finished, unwritten
from notifications.outbox.unqueued import log_unqueued
from notifications.providers.base.digests import digests
from notifications.rules.content import Content
from notifications.rules.ids import time_ordered_id
from notifications.rules.shadow import KIND

# The other backend has sent the email, so nothing here may raise. The copies are written after the commit of the
# caller's transaction, which so has no statement and no lock of theirs.

logger = logging.getLogger(__name__)

NOT_SENT = "not sent"
_LONGEST_NAME = 100


@dataclass(kw_only=True)
class Copy:
    """One email, read before the other backend gets it."""

    content: Content | None = None
    stream: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    # Why it cannot be queued.
    error: str = ""
    ms: float = 0.0


@dataclass(frozen=True, kw_only=True)
class OldSend:
    """One call of the other backend: its milliseconds, accepted emails and error."""

    ms: float
    accepted: int
    error: str = ""


def read_copies(emails: Iterable[EmailMessage]) -> list[Copy]:
    return [copy for email in emails if (copy := _copy_of(email))]


def _copy_of(email: EmailMessage) -> Copy | None:
    # None without recipients.
    began, copy = time.perf_counter(), Copy()
    try:
        if not email.recipients():
            return None
        content, terms = finished(email, EmailTerms())
        copy.content, copy.stream, copy.digests = content, terms.stream, digests(email)
    except Exception as error:  # noqa: BLE001 - the other backend decides what this email is
        copy.error = type(error).__name__
    copy.ms = ms_since(began)
    return copy


def queue_copies(copies: Sequence[Copy], old: OldSend) -> None:
    """Write the copies after the commit. Never raises."""

    def write() -> None:
        _write(copies, old)

    try:
        if copies:
            transaction.on_commit(write, robust=True)
    except Exception as error:  # noqa: BLE001 - there may be no database
        _log(copies, error)


def _write(copies: Sequence[Copy], old: OldSend) -> None:
    began = time.perf_counter()
    rows = [_row(copy, old, place, len(copies)) for place, copy in enumerate(copies)]
    try:
        _write_all(copies, rows)
        ms = ms_since(began) / len(copies)
        ShadowCopy.objects.filter(id__in=[row.id for row in rows]).update(new_ms=F("new_ms") + ms)
    except Exception as error:  # noqa: BLE001 - see above
        _log(copies, error)
        _write_failures(rows, type(error).__name__)


def _write_all(copies: Sequence[Copy], rows: Sequence[ShadowCopy]) -> None:
    written = [(copy.content, EmailTerms(stream=copy.stream)) for copy in copies if copy.content]
    messages = iter(unwritten(written, KIND))
    queued: list[Message] = []
    for copy, row in zip(copies, rows, strict=True):
        if copy.content:
            queued.append(next(messages))
            row.id = queued[-1].id
    # No worker sees a message before what it is compared with.
    with transaction.atomic():
        ShadowCopy.objects.bulk_create(rows)
        if queued:
            write_messages(queued)


def _row(copy: Copy, old: OldSend, place: int, count: int) -> ShadowCopy:
    # The backend does not say which emails of a call it has accepted.
    old_error = "" if place < old.accepted else old.error or NOT_SENT
    return ShadowCopy(
        id=time_ordered_id(),
        old_ms=old.ms / count,
        old_error=old_error[:_LONGEST_NAME],
        new_ms=copy.ms,
        new_error=copy.error[:_LONGEST_NAME],
        digests=copy.digests,
    )


def _write_failures(rows: Sequence[ShadowCopy], error: str) -> None:
    # So that the report counts them.
    for row in rows:
        row.new_error = row.new_error or error[:_LONGEST_NAME]
        row.digests = {}
    try:
        ShadowCopy.objects.bulk_create(rows, ignore_conflicts=True)
    except Exception:  # noqa: BLE001 - the log has them
        log_unqueued(logger.warning, "%s shadow copies are missing in the report", len(rows))


def _log(copies: Sequence[Copy], error: Exception) -> None:
    log_unqueued(logger.warning, "%s shadow copies were not queued: %s", len(copies), type(error).__name__)


def ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
