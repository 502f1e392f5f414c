"""What Django's admin keeps of people: its log calls an account by the address, for good."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models.signals import pre_delete

from accounts.models import User


def connect() -> None:
    pre_delete.connect(forget_in_log, sender=User, dispatch_uid="accounts.forget_in_log")


def forget_in_log(instance: User, **kwargs: Any) -> None:
    """Let the log call an account that is deleted by its number, in what was written before and of the deletion."""
    theirs = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(instance.pk))
    theirs.update(object_repr=f"account {instance.pk}")
