from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # Models and settings are only ready by now.
        from accounts import checks, forgetting  # noqa: PLC0415
        from accounts.flows import logging_in  # noqa: PLC0415

        checks.register()
        forgetting.connect()
        logging_in.connect()
