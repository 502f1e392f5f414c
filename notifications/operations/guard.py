"""Say what the staging guard does."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from notifications.conf.guard import current_guard
from notifications.operations.finding import Code, StatusFinding

#: More than this many are not named.
MOST_NAMED = 5


def guard_in_words() -> str:
    """Return what the guard does, in the active language; empty if it is off."""
    guard = current_guard()
    named = ", ".join(sorted(guard.only_to)[:MOST_NAMED]) + (", …" if len(guard.only_to) > MOST_NAMED else "")
    values = {"named": named, "address": guard.redirect_to}
    if guard.only_to and guard.redirect_to:
        return _("only %(named)s get email; all other email goes to %(address)s") % values
    if guard.redirect_to:
        return _("all email goes to %(address)s") % values
    return _("only %(named)s get email; other email is not sent") % values if guard.only_to else ""


def guard_findings(guard: str) -> Iterator[StatusFinding]:
    if guard:
        yield StatusFinding(Code.GUARD, _("Guard on: %(guard)s.") % {"guard": guard})
