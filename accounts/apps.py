from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # Models and settings are only ready by now.
        from accounts import checks, forgetting, purging, receivers  # noqa: PLC0415
        from accounts.flows import logging_in  # noqa: PLC0415
        from notifications import Job, register_job  # noqa: PLC0415

        checks.register()
        forgetting.connect()
        receivers.connect()
        logging_in.connect()
        register_job(Job(name="purge-unconfirmed", every_s=3600, run=purging.purge_unconfirmed))
