"""Changes that wait for the receivers of `message_changed`."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.operations.figures import WaitingChanges
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.wording import duration, grouped

#: Changes that are counted.
MOST = 1000
# The oldest have the lowest ids. A change is late after a minute, within which a receiver that fails once is called
# again.
WAITING = f"""
SELECT count(*) AS count, count(*) FILTER (WHERE is_late) AS late,
    coalesce(extract(epoch FROM statement_timestamp() - min(at)), 0)::float AS oldest_s,
    coalesce((array_agg(error ORDER BY id) FILTER (WHERE is_late AND error <> ''))[1], '') AS error
FROM (
    SELECT id, at, error, at < statement_timestamp() - interval '1 minute' AS is_late
    FROM notifications_change ORDER BY id LIMIT {MOST}
) AS oldest
"""  # noqa: S608 - made of constants only


def waiting_changes(row: dict[str, Any]) -> WaitingChanges:
    return WaitingChanges(**row)


def change_findings(waiting: WaitingChanges) -> Iterator[StatusFinding]:
    if not waiting.late:
        return
    text = ngettext(
        "%(count)s change of a message has waited for the receivers of message_changed for %(time)s.",
        "%(count)s changes of messages wait for the receivers of message_changed, the oldest for %(time)s.",
        waiting.late,
    )
    count = f"{grouped(waiting.late)}+" if waiting.late >= MOST else grouped(waiting.late)
    sentence = text % {"count": count, "time": duration(waiting.oldest_s)}
    failed = _("A receiver fails (%(error)s). Fix it; see the relay's log.") % {"error": waiting.error}
    step = failed if waiting.error else _("Connect them in the ready() of an app, and restart the relay.")
    yield StatusFinding(Code.CHANGES_LATE, f"{sentence} {step}")
