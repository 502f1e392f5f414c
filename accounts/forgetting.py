"""Erase users from the log of Django's admin: as its subject and as its author."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F
from django.db.models.signals import post_delete, pre_delete

from accounts.models import User


def connect() -> None:
    pre_delete.connect(forget_in_log, sender=User, dispatch_uid="accounts.forget_in_log")
    pre_delete.connect(put_log_aside, sender=User, dispatch_uid="accounts.put_log_aside")
    post_delete.connect(put_log_back, sender=User, dispatch_uid="accounts.put_log_back")


def forget_in_log(instance: User, **kwargs: Any) -> None:
    # The log names a deleted account by its number, in older entries and in that of the deletion.
    theirs = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(instance.pk))
    theirs.update(object_repr=f"account {instance.pk}")


def put_log_aside(instance: User, **kwargs: Any) -> None:
    # Django would delete the entries with the account's number. An account's number is positive, so another number
    # keeps them. No constraint prevents it: migration 0007.
    LogEntry.objects.filter(user_id=instance.pk).update(user_id=-F("user_id"))


def put_log_back(instance: User, **kwargs: Any) -> None:
    LogEntry.objects.filter(user_id=-instance.pk).update(user_id=-F("user_id"))
