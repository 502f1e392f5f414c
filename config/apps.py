from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site itself, which has no models, but system checks and commands."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        from config import checks  # noqa: PLC0415 - settings are only ready by now

        checks.register()
