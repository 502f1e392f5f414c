"""Numbers, durations, errors and stored sentences, in the reader's language."""

import re
from collections.abc import Mapping
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from notifications.breaker.circuit import BY_OPERATOR
from notifications.breaker.permits import CircuitState
from notifications.rules.retry import ErrorClass
from notifications.runtime import troubles

MINUTE_S, HOUR_S = 60, 3600
TEN = 10
LEAST_PERCENT = 0.01

Translations = Mapping[str, str | Promise]

ERRORS = {
    ErrorClass.TRANSIENT: gettext_lazy("Temporary error (%(code)s)"),
    ErrorClass.RATE_LIMITED: gettext_lazy("Rate limited (%(code)s)"),
    ErrorClass.PERMANENT: gettext_lazy("Rejected (%(code)s)"),
    ErrorClass.MISCONFIGURED: gettext_lazy("Account refused (%(code)s)"),
    ErrorClass.AMBIGUOUS: gettext_lazy("No clear answer (%(code)s); may have been accepted"),
}
TROUBLES: Translations = {
    troubles.CONSUMER_STUCK: gettext_lazy(
        "its consumer has not moved for {seconds} s: it is blocked or has lost the broker"
    ),
    troubles.BROKER_SILENT: gettext_lazy("the broker has not answered it for {seconds} s"),
    troubles.ALL_STUCK: gettext_lazy(
        "all of its slots have been busy with the same tasks for {seconds} s: its threads are stuck"
    ),
    troubles.ONE_STUCK: gettext_lazy("a task has been running for {seconds} s: its thread is stuck"),
    troubles.TAKES_NONE: gettext_lazy("it has taken no task for {seconds} s while {tasks} wait in its queues"),
    troubles.CHECK_OVERDUE: gettext_lazy("its health check is overdue by {seconds} s"),
    troubles.ROUND_SLOW: gettext_lazy("its current round has taken {seconds} s so far"),
    troubles.LOOP_STUCK: gettext_lazy("its loop has not moved for {seconds} s"),
    troubles.JOBS_UNCHECKED: gettext_lazy("it has not checked its periodic jobs for {seconds} s"),
    troubles.JOB_STUCK: gettext_lazy("its job {job} has been running for {seconds} s"),
    troubles.READER_ENDED: gettext_lazy("its thread that reads provider events has ended"),
    troubles.READING_SLOW: gettext_lazy("reading provider events has taken {seconds} s so far"),
    troubles.DISPATCHER_ENDED: gettext_lazy("its thread that calls the receivers of message_changed has ended"),
    troubles.RECEIVER_SLOW: gettext_lazy("receivers of message_changed have been running for {seconds} s"),
}
# The reason of `breaker.permits.CircuitState`: "transient: http-500, for 40 s".
_CIRCUIT = re.compile(
    rf"(?P<error_class>{'|'.join(ErrorClass)}): (?P<code>[^,;]+)"
    r"(?:, for (?P<seconds>\d+) s|, (?P<failures>\d+) in a row)?"
)
_PLACEHOLDER = re.compile(r"\\{(\w+)\\}")


def grouped(number: int) -> str:
    # Commands print without a language.
    return number_format(number, force_grouping=True) if get_language() else f"{number:,}"


def duration(seconds: float) -> str:
    # In any language: "40 s", "12 min", "3 h".
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.0f} h"


def time_until(seconds: float) -> str:
    # "in 40 s". What is less than a second away has come when it is read.
    return _("in %(time)s") % {"time": duration(seconds)} if seconds >= 1 else _("within seconds")


def time_until_about(seconds: float) -> str:
    return _("in about %(time)s") % {"time": duration(seconds)} if seconds >= 1 else time_until(seconds)


def next_probe(circuit: CircuitState) -> str:
    """Return when a provider without email is probed next.

    Empty if it gets email, or is being probed.
    """
    if circuit.probes_in_s is None:
        return ""
    if circuit.probes_in_s < 1:
        return _("The next message is the probe")
    return _("Next try %(when)s") % {"when": time_until(circuit.probes_in_s)}


def short_duration(seconds: float) -> str:
    # Durations that are mostly short: "0.3 s", "4.2 s", "40 s".
    return f"{two_digits(seconds)} s" if seconds < TEN else duration(seconds)


def percent(share: float) -> str:
    # "0.05%", "1.4%", "12%"; "< 0.01%" is not nothing.
    number = two_digits(max(100 * share, LEAST_PERCENT)) if share else "0"
    text = _("%(number)s%%") % {"number": number}
    return f"< {text}" if 0 < 100 * share < LEAST_PERCENT else text


def two_digits(number: float) -> str:
    # "0.05", "1.4", "3", "112".
    if number >= TEN:
        return grouped(round(number))
    digits = f"{round(number, 2):.2g}"
    return number_format(Decimal(digits)) if get_language() else digits


def error_in_words(error_class: str, code: str) -> str:
    return str(ERRORS[ErrorClass(error_class)]) % {"code": readable_code(code)}


def readable_code(code: str) -> str:
    return code.replace("http-", "HTTP ", 1) if code.startswith("http-") else code


def circuit_in_words(reason: str) -> str:
    if reason.startswith(BY_OPERATOR):
        return _("opened by an operator")
    found = _CIRCUIT.search(reason)
    if not found:
        return reason
    error = error_in_words(found["error_class"], found["code"])
    if found["error_class"] == ErrorClass.AMBIGUOUS:
        error = _("No clear answer (%(code)s)") % {"code": readable_code(found["code"])}
    if found["seconds"]:
        return _("%(error)s, for %(time)s") % {"error": error, "time": duration(int(found["seconds"]))}
    if found["failures"]:
        failures = int(found["failures"])
        text = ngettext("%(error)s, once", "%(error)s, %(count)s times in a row", failures)
        return text % {"error": error, "count": failures}
    return error


def trouble_in_words(trouble: str) -> str:
    return translate_stored(trouble, TROUBLES)


def translate_stored(text: str, translations: Translations) -> str:
    """Return a sentence that was stored in English in the reader's language.

    The keys are the stored sentences, with placeholders like "{reason}"; the values have the same placeholders. Text
    that no key matches is returned as it is.
    """
    if text in translations:
        return str(translations[text])
    for stored, translated in translations.items():
        if "{" in stored and (found := _pattern(stored).fullmatch(text)):
            values = {name: translate_stored(value, translations) for name, value in found.groupdict().items()}
            return str(translated).format(**values)
    return text


def _pattern(stored: str) -> re.Pattern[str]:
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(stored)), re.DOTALL)
