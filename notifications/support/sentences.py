"""Say in one sentence why a message has not arrived, in the reader's language."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.breaker.permits import CircuitState
from notifications.models import Message, Pause
from notifications.operations import problems
from notifications.operations.status import many
from notifications.operations.wording import circuit_in_words, duration, time_until, time_until_about
from notifications.outbox.cancel import CANCELLED_BY
from notifications.rules.states import Status
from notifications.support.collecting import Collected
from notifications.support.diagnosis import Diagnosis, Situation
from notifications.support.reasons import in_words, reason_in_words

# Situations whose sentence needs no figure but the time that is added to it.
PLAIN: dict[Situation, str | Promise] = {
    Situation.NO_PROVIDER: problems.NONE_CONFIGURED,
    Situation.BROKER_DOWN: problems.NO_BROKER,
    Situation.NO_RELAY: gettext_lazy(
        "No healthy relay is running, so nothing moves this message. Start or restart it."
    ),
    Situation.DAILY_LIMIT: gettext_lazy("Waiting: the daily limit of %(provider)s is used up"),
    Situation.PROVIDER_PAUSE: gettext_lazy("Waiting: %(provider)s asked for a pause"),
    Situation.RATE_LIMIT: gettext_lazy("Waiting for the rate limit of %(provider)s"),
    Situation.IN_QUEUE: gettext_lazy("Waiting for a worker"),
    Situation.NEXT: gettext_lazy("It is due: a worker sends it within seconds"),
    Situation.HELD_BY_BRAKE: "%(reason)s",
    Situation.OTHER_VERSION: gettext_lazy("%(reason)s; the next worker tries it"),
    Situation.SCHEDULED: gettext_lazy("Scheduled: it is due %(due)s"),
    Situation.WILL_END: gettext_lazy("Will not be sent: %(reason)s"),
    Situation.PREPARING: gettext_lazy("A worker is preparing it"),
    Situation.HANDED_OVER: gettext_lazy("Handed over to %(provider)s, which has not answered yet"),
    Situation.WORKER_LOST: gettext_lazy("Its worker was lost; the relay takes care of it within seconds"),
    Situation.UNCERTAIN_HELD: gettext_lazy(
        "%(provider)s may have accepted it, but has not reported it: it needs a decision"
    ),
    Situation.UNCERTAIN_RESENDS: gettext_lazy(
        "The answer of %(provider)s was lost: without a report, it is sent again"
    ),
    Situation.UNCERTAIN_WAITS: gettext_lazy(
        "The answer of %(provider)s was lost: without a report, it will need a decision"
    ),
    Situation.SENT: gettext_lazy("%(provider)s accepted it %(sent)s and has not reported a delivery yet"),
    Situation.UNREPORTED: gettext_lazy("%(provider)s accepted it %(sent)s; this provider reports no deliveries"),
    Situation.DEFERRED: gettext_lazy("The recipient's server asked %(provider)s %(reported)s to try again later"),
    Situation.DELIVERED: gettext_lazy("Delivered: the recipient's server accepted it %(reported)s"),
    Situation.BOUNCED: gettext_lazy("Bounced: the recipient's server rejected it %(reported)s"),
    Situation.COMPLAINED: gettext_lazy("Delivered, and the recipient marked it as spam %(reported)s"),
    Situation.REJECTED: gettext_lazy("%(provider)s accepted it, but dropped it %(reported)s"),
    Situation.SUPPRESSED: gettext_lazy("Suppressed: %(suppression)s %(suppressed)s"),
    Situation.SUPPRESSION_LIFTED: gettext_lazy("It was not sent, because the address was suppressed; it no longer is"),
    Situation.EXPIRED: "%(reason)s",
    Situation.CANCELLED: gettext_lazy("Cancelled: %(reason)s"),
    Situation.DEAD: gettext_lazy("Dead since %(died)s: %(reason)s"),
    Situation.ANONYMIZED: gettext_lazy("Anonymized: the recipient's address was erased"),
}
# The sentence says when the message moves, so no time is added.
_COMPLETE = {
    *(Situation.NO_PROVIDER, Situation.BROKER_DOWN, Situation.NO_RELAY, Situation.NEXT, Situation.WORKER_LOST),
    *(Situation.SCHEDULED, Situation.PREPARING, Situation.HANDED_OVER, Situation.WILL_END, Situation.WILL_EXPIRE),
}
# What happens at the end of the time; all others only last that long.
_THEN = gettext_lazy("%(text)s, %(about_when)s")
_ETAS: dict[Situation, str | Promise] = {
    Situation.PAUSED: gettext_lazy("%(text)s; the pause ends %(when)s"),
    Situation.PROVIDERS_REFUSE: gettext_lazy("%(text)s; next probe %(when)s"),
    Situation.RETRY_PAUSE: gettext_lazy("%(text)s; next attempt %(when)s"),
    Situation.HELD_BY_BRAKE: gettext_lazy("%(text)s; released %(about_when)s"),
    Situation.OTHER_VERSION: _THEN,
    Situation.UNCERTAIN_RESENDS: _THEN,
    Situation.UNCERTAIN_WAITS: _THEN,
}


def sentence_of(message: Message, diagnosis: Diagnosis, found: Collected) -> str:
    if diagnosis.situation is Situation.WILL_EXPIRE and diagnosis.blocked_by:
        cause = _main(message, diagnosis.blocked_by, found)
        return _("%(cause)s; it will expire first, %(when)s.") % {
            "cause": cause.rstrip("."),
            "when": time_until(diagnosis.eta_s or 0.0),
        }
    text = _main(message, diagnosis.situation, found)
    if diagnosis.eta_s is not None and diagnosis.situation not in _COMPLETE:
        text = _with_time(text, diagnosis.situation, diagnosis.eta_s, found)
    if diagnosis.ahead:
        text = _("%(text)s; %(count)s ahead") % {"text": text, "count": many(diagnosis.ahead)}
    return f"{text.rstrip('.')}."


def _with_time(text: str, situation: Situation, eta_s: float, found: Collected) -> str:
    if situation is Situation.PROVIDERS_REFUSE and eta_s < 1:
        return f"{text}; {_probed_now(found)}"
    if situation in _ETAS:
        times = {"when": time_until(eta_s), "about_when": time_until_about(eta_s)}
        return str(_ETAS[situation]) % {"text": text, **times}
    return _("%(text)s, about %(time)s") % {"text": text, "time": duration(eta_s)} if eta_s >= 1 else text


def _probed_now(found: Collected) -> str:
    if any(circuit.state == "probing" for circuit in found.circuits):
        return _("another message is the probe now")
    return _("the next message is the probe")


def _main(message: Message, situation: Situation, found: Collected) -> str:
    special = _SPECIAL.get(situation)
    return special(message, found) if special else str(PLAIN[situation]) % _values(message, found)


def _values(message: Message, found: Collected) -> dict[str, str]:
    now, suppression = found.now, found.suppression
    reason = in_words(found.skip.reason, message.kind) if found.skip and message.status == Status.QUEUED else ""
    return {
        "provider": found.provider or _("the provider"),
        "reason": reason or reason_in_words(message) or _("no recorded reason"),
        "due": when(message.due_at, now),
        "sent": when(message.sent_at or now, now),
        "reported": when(message.outcome_at or message.sent_at or now, now),
        "died": clock(message.died_at or now, now),
        "suppression": suppression.get_reason_display() if suppression else "",
        "suppressed": when(suppression.created_at, now) if suppression else "",
    }


def _no_worker(message: Message, found: Collected) -> str:
    return str(problems.UNSERVED % {"count": 1, "queues": message.stream})


def _retry(message: Message, found: Collected) -> str:
    text = ngettext("%(count)s attempt failed: %(error)s", "%(count)s attempts failed: %(error)s", message.attempts)
    return text % {"count": message.attempts, "error": reason_in_words(message)}


def _refused(message: Message, found: Collected) -> str:
    shut = [circuit for circuit in found.circuits if circuit.state != "closed"]
    since = found.now - timedelta(seconds=max((circuit.open_for_s for circuit in shut), default=0.0))
    errors = "; ".join(map(_error, shut))
    if len(shut) == 1:
        text = _("%(provider)s has accepted no email since %(time)s (%(errors)s)")
        return text % {"provider": shut[0].provider, "time": clock(since, found.now), "errors": errors}
    return _("No provider has accepted email since %(time)s (%(errors)s)") % {
        "time": clock(since, found.now),
        "errors": errors,
    }


def _error(circuit: CircuitState) -> str:
    error = circuit_in_words(circuit.reason) or _("unknown error")
    return f"{circuit.provider}: {error}"


def _paused(message: Message, found: Collected) -> str:
    text = _("%(by)s paused %(target)s %(time)s: %(reason)s. It waits until that is resumed")
    if found.pause is None:
        return ""
    target = f"{Pause.What(found.pause.what).label} {found.pause.name}"
    values = {"by": found.pause.by, "target": target, "reason": found.pause.reason.rstrip(".")}
    said = text % {**values, "time": when(found.pause.since, found.now)}
    if found.pause.until or not message.expires_at:
        return said
    return _("%(text)s; otherwise it expires %(time)s") % {"text": said, "time": when(message.expires_at, found.now)}


def _cancelled(message: Message, found: Collected) -> str:
    # A reason that names who cancelled it is the whole sentence.
    begins = CANCELLED_BY.partition("{")[0]
    text = "%(reason)s" if message.status_reason.startswith(begins) else str(PLAIN[Situation.CANCELLED])
    return text % _values(message, found)


_SPECIAL: dict[Situation, Callable[[Message, Collected], str]] = {
    Situation.CANCELLED: _cancelled,
    Situation.PAUSED: _paused,
    Situation.NO_WORKER: _no_worker,
    Situation.RETRY_PAUSE: _retry,
    Situation.PROVIDERS_REFUSE: _refused,
}


def when(at: datetime, now: datetime) -> str:
    # "at 10:02" or "on May 3".
    text = _("at %(time)s") if _is_same_day(at, now) else _("on %(time)s")
    return text % {"time": clock(at, now)}


def clock(at: datetime, now: datetime) -> str:
    # The time of a moment today, else the day.
    there = timezone.localtime(at)
    if _is_same_day(at, now):
        return date_format(there, "H:i")
    is_this_year = there.year == timezone.localtime(now).year
    return date_format(there, "MONTH_DAY_FORMAT" if is_this_year else "DATE_FORMAT")


def _is_same_day(at: datetime, now: datetime) -> bool:
    return timezone.localtime(at).date() == timezone.localtime(now).date()
