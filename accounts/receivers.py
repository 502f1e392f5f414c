"""Update accounts when their rows or the engine's change."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save

from accounts.emails import welcome_draft
from accounts.flows import news
from accounts.models import User
from notifications import enqueue, unsubscribed


def connect() -> None:
    post_save.connect(welcome_new_user, sender=User, dispatch_uid="accounts.welcome_new_user")
    unsubscribed.connect(clear_news_box, dispatch_uid="accounts.clear_news_box")


def welcome_new_user(instance: User, *, created: bool, raw: bool, **kwargs: Any) -> None:
    # A fixture (`raw`) restores old rows: its users have had their email.
    if created and not raw:
        enqueue(welcome_draft(instance))


def clear_news_box(addresses: Collection[str], **kwargs: Any) -> None:
    # The account's page must not say that news is sent when it is not.
    news.leave(addresses)
