"""A worker of the release before, which does not know the newest kind: a rolling deploy runs one for a while."""

from django.apps import AppConfig

NEWEST_KIND = "password-reset"


class OlderRelease(AppConfig):
    name = "config.prove"
    label = "older_release"

    def ready(self) -> None:
        # Imports models, which this module must not.
        from notifications import kinds  # noqa: PLC0415

        del kinds.KINDS[NEWEST_KIND]
