from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import checks, forgetting  # noqa: PLC0415 - models and settings are only ready by now

        checks.register()
        forgetting.connect()
