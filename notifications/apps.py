from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.db.models.signals import pre_delete


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Mailroom"

    def ready(self) -> None:
        from notifications import checks, housekeeping, jobs, kinds  # noqa: PLC0415 - models are only ready by now

        kinds.discover()
        checks.register()
        for job in jobs.JOBS:
            housekeeping.register_job(job)
        pre_delete.connect(
            anonymize_deleted_user, get_user_model(), dispatch_uid="notifications.anonymize_deleted_user"
        )


def anonymize_deleted_user(instance: Any, **kwargs: Any) -> None:
    # Pages, the admin and shells send this signal; raw SQL does not.
    from notifications import anonymization  # noqa: PLC0415 - the same

    anonymization.anonymize_user(instance)
