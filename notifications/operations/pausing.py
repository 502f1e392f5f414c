"""What operators have paused: read it, and say it."""

from collections.abc import Iterator, Sequence

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.breaker.permits import CircuitState
from notifications.conf import settings
from notifications.models import Pause
from notifications.operations.figures import PauseState, SystemStatus
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.wording import duration, time_until
from notifications.rules.states import Stream

_STATES = """
SELECT what, name, by, reason, greatest(0, extract(epoch FROM statement_timestamp() - since))::float,
    extract(epoch FROM until - statement_timestamp())::float
FROM notifications_pause
WHERE ended_at IS NULL AND (until IS NULL OR until > statement_timestamp()) ORDER BY since
"""
PAUSED: dict[str, Promise] = {
    Pause.What.STREAM: gettext_lazy("%(by)s paused the %(name)s stream %(time)s ago: %(reason)s. Its messages wait."),
    Pause.What.KIND: gettext_lazy("%(by)s paused the kind “%(name)s” %(time)s ago: %(reason)s. Its messages wait."),
    Pause.What.PROVIDER: gettext_lazy(
        "%(by)s paused the provider %(name)s %(time)s ago: %(reason)s. Email goes to the next provider, or waits."
    ),
}


def pause_states() -> list[PauseState]:
    with connection.cursor() as cursor:
        cursor.execute(_STATES)
        return [
            PauseState(what=what, name=name, by=by, reason=reason, since_s=since_s, left_s=left_s)
            for what, name, by, reason, since_s, left_s in cursor.fetchall()
        ]


def first_accepting(circuits: Sequence[CircuitState], pauses: Sequence[PauseState]) -> str:
    # Email goes to the first provider that accepts it and is not paused.
    paused = {pause.name for pause in pauses if pause.what == Pause.What.PROVIDER}
    accepting = (circuit.provider for circuit in circuits if circuit.state == "closed")
    return next((name for name in accepting if name not in paused), next(iter(settings.EMAIL_PROVIDERS), ""))


def pause_findings(status: SystemStatus) -> Iterator[StatusFinding]:
    for pause in status.pauses:
        code = Code.PAUSED_CRITICAL if is_critical(pause.what, pause.name) else Code.PAUSED
        yield StatusFinding(code, _sentence(pause))


def is_critical(what: str, name: str) -> bool:
    # Then users wait for their passwords and confirmations.
    return what == Pause.What.STREAM and name == Stream.CRITICAL


def _sentence(pause: PauseState) -> str:
    values = {"by": pause.by, "name": pause.name, "time": duration(pause.since_s), "reason": pause.reason.rstrip(".")}
    sentence = str(PAUSED[pause.what]) % values
    if pause.left_s is None:
        return sentence
    return " ".join([sentence, _("The pause ends %(when)s.") % {"when": time_until(pause.left_s)}])
