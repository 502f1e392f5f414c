"""Erase a deleted account's address from the admin's log, but keep its actions."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F
from django.db.models.signals import post_delete, pre_delete

from accounts.models import FormerStaff, User


def connect() -> None:
    pre_delete.connect(anonymize_entries, sender=User, dispatch_uid="accounts.anonymize_entries")
    pre_delete.connect(detach_entries, sender=User, dispatch_uid="accounts.detach_entries")
    post_delete.connect(reattach_entries, sender=User, dispatch_uid="accounts.reattach_entries")


def anonymize_entries(instance: User, **kwargs: Any) -> None:
    # Replaces the address by the account's number, also in the entry of the deletion.
    about_user = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(instance.pk)
    )
    about_user.update(object_repr=f"account {instance.pk}")


def detach_entries(instance: User, **kwargs: Any) -> None:
    # Django deletes the entries with the account's number. A negative number, which no account has, keeps them.
    # Migration 0007 has dropped the foreign key.
    LogEntry.objects.filter(user_id=instance.pk).update(user_id=-F("user_id"))


def reattach_entries(instance: User, **kwargs: Any) -> None:
    kept = LogEntry.objects.filter(user_id=-instance.pk).update(user_id=-F("user_id"))
    if kept and instance.name:
        # Without the address: the log says who did it, and is no way to reach that person.
        FormerStaff.objects.update_or_create(number=instance.pk, defaults={"name": instance.name})
