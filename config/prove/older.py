"""A worker of the release before, which does not know the newest kind: a rolling deploy runs one for a while."""

from django.apps import AppConfig

from notifications import kinds

NEWEST_KIND = kinds.PASSWORD_RESET.name


class OlderRelease(AppConfig):
    name = "config.prove"
    label = "older_release"

    def ready(self) -> None:
        del kinds.KINDS[NEWEST_KIND]
