"""Where people's doings become mail: the only place that hears the signals of `accounts`."""

from typing import Any
from uuid import UUID

from django.db.models.signals import post_save, pre_delete

from accounts import emails
from accounts.flows import news
from accounts.models import User
from accounts.ratelimits import requester_key
from accounts.signals import account_event, news_wanted
from notifications import anonymization
from notifications.events import suppress
from notifications.models import Suppression
from notifications.outbox import Draft, enqueue

# What `accounts` calls the welcome mail when somebody asks for it once more.
CONFIRMATION = "confirmation"


def connect() -> None:
    post_save.connect(welcome_new_user, sender=User, dispatch_uid="notifications.welcome_new_user")
    pre_delete.connect(anonymize_deleted_user, sender=User, dispatch_uid="notifications.anonymize_deleted_user")
    account_event.connect(mail_account_event, dispatch_uid="notifications.mail_account_event")
    account_event.connect(keep_news_from_a_new_address, dispatch_uid="notifications.keep_news_from_a_new_address")
    news_wanted.connect(send_news_again, dispatch_uid="notifications.send_news_again")


def welcome_draft(user: User) -> Draft:
    """The welcome mail of a user and an address: one for each pair, whoever asks for it."""
    return Draft(
        kind=emails.WELCOME.name,
        to=user.email,
        user=user,
        key=f"{emails.WELCOME.name}:{user.pk}:{user.email}",
        id=user.reference,
        client=requester_key(),
    )


def welcome_new_user(instance: User, *, created: bool, raw: bool, **kwargs: Any) -> None:
    """A fixture (`raw`) restores what was; the people in it have had their mail."""
    if created and not raw:
        enqueue(welcome_draft(instance))


def anonymize_deleted_user(instance: User, **kwargs: Any) -> None:
    """However it is deleted: by its owner, in the admin, in a shell. Raw SQL sends no signal."""
    anonymization.anonymize_user(instance)


def mail_account_event(
    *,
    kind: str,
    user: User | None,
    address: str,
    reference: UUID | None = None,
    context: dict[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    name = emails.WELCOME.name if kind == CONFIRMATION else kind
    enqueue(Draft(kind=name, to=address, user=user, id=reference, context=context or {}, client=requester_key()))


def send_news_again(*, address: str, **kwargs: Any) -> None:
    suppress.come_back(address)


def keep_news_from_a_new_address(*, kind: str, user: User | None, **kwargs: Any) -> None:
    """An account gets no news at a new address whose reader had left them, and its page must not say it does."""
    if kind != emails.ADDRESS_CHANGED.name or user is None:
        return
    address = User.objects.filter(pk=user.pk).values_list("email", flat=True).get().lower()
    if Suppression.objects.in_force([address]).filter(reason__in=suppress.ENDS_NEWS).exists():
        news.leave([address])
