from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # Django has loaded models and settings only now.
        from accounts import admin_log_erasure, checks, purging, receivers  # noqa: PLC0415
        from accounts.flows import logging_in  # noqa: PLC0415
        from notifications import Job, register_job  # noqa: PLC0415

        checks.register()
        admin_log_erasure.connect()
        receivers.connect()
        logging_in.connect()
        register_job(Job(name="purge-unconfirmed", every_s=3600, run=purging.purge_unconfirmed))
