from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import pre_delete


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Mailroom"
    # As the migrations say, whatever the project's default is.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        if not apps.is_installed("django.contrib.admin"):
            # The engine's log is the admin's.
            raise ImproperlyConfigured('Mailroom needs "django.contrib.admin" in INSTALLED_APPS.')
        from notifications import checks, housekeeping, jobs, kinds  # noqa: PLC0415 - models are only ready by now
        from notifications.operations.alerts.outage import watch  # noqa: PLC0415 - the same
        from notifications.runtime import celery_app  # noqa: PLC0415 - the same

        for model in self.get_models():
            # So that Django leaves out other databases of the project.
            model._meta.required_db_vendor = "postgresql"  # noqa: SLF001 - Django documents it

        celery_app.use_ours_if_alone()
        kinds.discover()
        checks.register()
        for job in jobs.JOBS:
            housekeeping.register_job(job)
        housekeeping.watch_outages(watch.failed)
        pre_delete.connect(
            anonymize_deleted_user, get_user_model(), dispatch_uid="notifications.anonymize_deleted_user"
        )


def anonymize_deleted_user(instance: Any, **kwargs: Any) -> None:
    # Pages, the admin and shells send this signal; raw SQL does not.
    from notifications import anonymization  # noqa: PLC0415 - the same

    anonymization.anonymize_user(instance)
