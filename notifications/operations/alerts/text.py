"""The texts of alerts, in the site's language."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from notifications.conf import settings
from notifications.operations.alerts.decision import Change, Occurrence
from notifications.operations.wording import duration


def message(news: Sequence[Occurrence]) -> str:
    """Return one text about all `news`, with the address of the status page."""
    lines = [f"{_mark(each)} {line(each)}" for each in news]
    return "\n".join([heading(), *lines, *status_address()])


def test_message() -> str:
    # In the form of a real one.
    return "\n".join([heading(), _("This is a test. Problems are announced here."), *status_address()])


def heading() -> str:
    return f"*{settings.SITE_NAME}* ({settings.SITE_URL})"


def status_address() -> list[str]:
    # A project may have no admin.
    try:
        return [_("Status: %(url)s") % {"url": f"{settings.SITE_URL}{reverse('admin:notifications_status')}"}]
    except NoReverseMatch:
        return []


def line(occurrence: Occurrence) -> str:
    if occurrence.over_at is None:
        return occurrence.text
    text = _("Over after %(time)s: %(problem)s")
    lasted = lasted_s(occurrence.began_at, occurrence.over_at)
    return text % {"time": duration(lasted), "problem": occurrence.text}


def lasted_s(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()


def _mark(occurrence: Occurrence) -> str:
    # Emoji codes differ between products; characters do not.
    return "✅" if occurrence.unposted is Change.OVER else "🔴"
