from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Mailroom"

    def ready(self) -> None:
        from accounts import mails  # noqa: PLC0415 - models are only ready by now
        from notifications import checks, history, housekeeping, jobs, kinds, receivers  # noqa: PLC0415 - the same

        kinds.discover()
        checks.register()
        receivers.connect()
        housekeeping.register(*jobs.JOBS)
        mails.appoint(history.Mailroom())
