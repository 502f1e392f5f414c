from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Mailroom"

    def ready(self) -> None:
        from notifications import checks, receivers  # noqa: PLC0415 - models are only ready by now

        checks.register()
        receivers.connect()
