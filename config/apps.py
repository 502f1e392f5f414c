from django.apps import AppConfig
from django.core.management import call_command


class SiteConfig(AppConfig):
    """The site. It has no models, only system checks and a periodic job."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        # Django has loaded settings only now.
        from config import checks  # noqa: PLC0415
        from notifications import Job, register_job  # noqa: PLC0415

        checks.register()
        register_job(Job(name="clear-expired-sessions", every_s=6 * 3600, run=clear_expired_sessions))


def clear_expired_sessions() -> None:
    call_command("clearsessions")
