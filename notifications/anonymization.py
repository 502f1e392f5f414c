"""Anonymize email with its account, or some days after it has ended."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat, Now

from notifications import kinds, users
from notifications.conf import settings
from notifications.models import DeliveryAttempt, Message, MessageContent, ProviderEvent, Suppression, transitions
from notifications.models.message import ACCOUNT_DELETED
from notifications.models.transactions import short_transaction
from notifications.rules import states
from notifications.rules.states import Event, Status

# The rows stay, and with them what happened, when, and by which provider (docs/reference/data-retention.md). An
# anonymized message is never sent again, whatever its kind.

BATCH = 500
#: Messages per run; the next run continues.
MOST = 20 * BATCH
# Messages in all other states have ended.
_OPEN = [*states.sources(Event.CANCELLED), *states.sources(Event.DROPPED)]
_ENDED = [status for status in Status if status not in _OPEN]


def anonymize_user(user: AbstractBaseUser) -> int:
    """Cancel the waiting email of `user`, anonymize all of it, and return the count.

    Call it in the transaction that deletes the account. A message that has been handed over is still sent, and its
    answer is recorded without the address.
    """
    with transaction.atomic():
        # Locks the account first: a transaction that enqueues a message to it commits before, or fails.
        get_user_model().objects.select_for_update().filter(pk=user.pk).values_list("pk").first()
        address = users.address_of(user).lower()
        theirs = Message.objects.filter(Q(user=user.pk) | _without_account(address), anonymized_at=None)
        # Locks in order of id, like all code that locks several messages.
        ids = list(theirs.order_by("id").select_for_update(of=("self",)).values_list("id", flat=True))
        _erase(ids)
        _cancel(ids)
        # Suppressions that were erased before have an empty address too.
        if address:
            _erase_lifted(address)
            _erase_reasons(ids, address)
    return len(ids)


def anonymize_ended(most: int = MOST) -> int:
    """Anonymize ended email without account, older than ANONYMIZE_AFTER_DAYS; return the count.

    In batches, each a transaction. Locked rows are skipped.
    """
    anonymized = 0
    while anonymized < most:
        batch = _anonymize_batch()
        anonymized += batch
        if batch < BATCH:
            break
    return anonymized


def _without_account(address: str) -> Q:
    # Email to `address` without account, except a farewell that is being sent.
    needs_none = [kind.name for kind in kinds.KINDS.values() if not kind.requires_account]
    return Q(user=None, to_address=address) & ~Q(kind__in=needs_none, status__in=_OPEN)


def _anonymize_batch() -> int:
    before = Now() - timedelta(days=settings.ANONYMIZE_AFTER_DAYS)
    with short_transaction():
        over = Message.objects.filter(user=None, anonymized_at=None, created_at__lt=before, status__in=_ENDED)
        # One that was scheduled counts from then.
        over = over.filter(Q(send_at=None) | Q(send_at__lt=before))
        oldest = over.order_by("created_at").select_for_update(skip_locked=True, of=("self",))
        ids = list(oldest.values_list("id", flat=True)[:BATCH])
        _erase(ids)
    return len(ids)


def _erase(ids: Sequence[UUID]) -> None:
    MessageContent.objects.filter(message__in=ids).delete()
    Message.objects.filter(id__in=ids).update(
        has_content=False,
        to_address="",
        context={},
        status_reason="",
        slowed_for="",
        # An idempotency key may contain the address.
        idempotency_key=Concat(Value("anonymized:"), Cast("id", CharField())),
        anonymized_at=Now(),
    )
    DeliveryAttempt.objects.filter(message__in=ids).exclude(error="", fingerprint="").update(error="", fingerprint="")
    # The event reader empties those that it has not read yet.
    ProviderEvent.objects.filter(message__in=ids).update(recipient="", detail="", payload={})


def _erase_lifted(address: str) -> None:
    # Erases lifted suppressions, and the admin's log of all. Those in force keep their address:
    # docs/reference/data-retention.md.
    of_address = Suppression.objects.filter(address=address)
    logged = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Suppression),
        object_id__in=[str(pk) for pk in of_address.values_list("pk", flat=True)],
    )
    logged.update(object_repr=Concat(Value("suppression "), "object_id"))
    logged.filter(change_message__icontains=address).update(change_message="")
    lifted = of_address.filter(lifted_at__isnull=False)
    # No process asks the provider about an erased address.
    lifted.filter(provider_lift="").update(provider_lift=ACCOUNT_DELETED)
    lifted.update(address="", detail="", lift_reason="")


def _erase_reasons(ids: Sequence[UUID], address: str) -> None:
    # An operator who cancelled the messages may have written the address into the reason.
    of_messages = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Message), object_id__in=[str(id_) for id_ in ids]
    )
    of_messages.filter(change_message__icontains=address).update(change_message="")


def _cancel(ids: Sequence[UUID]) -> None:
    # A worker that holds a message loses its claim and cannot hand it over.
    waiting = Message.objects.filter(id__in=ids, handed_over_at=None)
    for event in (Event.CANCELLED, Event.DROPPED):
        transitions.apply(event, waiting, status_reason=ACCOUNT_DELETED)
