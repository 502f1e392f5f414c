"""Write to the admin's log, which the history of each object shows."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType


def log_change(by: AbstractBaseUser, changed: Sequence[Any], text: str) -> None:
    """Write one entry for each object; all are of one model. A dead letter is logged as the message that it is."""
    if changed:
        kind = ContentType.objects.get_for_model(changed[0])
        entries = [
            LogEntry(
                user_id=by.pk,
                content_type=kind,
                object_id=str(one.pk),
                object_repr=str(one)[:200],
                action_flag=CHANGE,
                change_message=text,
            )
            for one in changed
        ]
        LogEntry.objects.bulk_create(entries)
