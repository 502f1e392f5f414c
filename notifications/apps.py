from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Mailroom"

    def ready(self) -> None:
        from accounts import mails  # noqa: PLC0415 - models are only ready by now
        from notifications import checks, post_office, receivers  # noqa: PLC0415 - the same

        checks.register()
        receivers.connect()
        mails.appoint(post_office.Mailroom())
