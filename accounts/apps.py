from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import forgetting  # noqa: PLC0415 - models are only ready by now

        forgetting.connect()
