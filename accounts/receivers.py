"""Connect signals to their effects: a welcome email, and the decision about news."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save

from accounts.emails import welcome_draft
from accounts.flows import news
from accounts.models import User
from notifications import enqueue, resubscribed, unsubscribed


def connect() -> None:
    post_save.connect(welcome_new_user, sender=User, dispatch_uid="accounts.welcome_new_user")
    unsubscribed.connect(clear_wants_news, dispatch_uid="accounts.clear_wants_news")
    resubscribed.connect(set_wants_news, dispatch_uid="accounts.set_wants_news")


def welcome_new_user(instance: User, *, created: bool, raw: bool, **kwargs: Any) -> None:
    # A fixture (`raw`) restores users who already got their email.
    if created and not raw:
        enqueue(welcome_draft(instance))


def clear_wants_news(addresses: Collection[str], **kwargs: Any) -> None:
    # Otherwise the preferences would show news as turned on.
    news.follow_decision(addresses, wants_news=False)


def set_wants_news(addresses: Collection[str], **kwargs: Any) -> None:
    news.follow_decision(addresses, wants_news=True)
