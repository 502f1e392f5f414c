"""Operations, journal entries and calls for the tests of a run."""

from django.template.loader import render_to_string

from devtools.chaos.workload import Operation, Result


def subject_of(kind):
    return render_to_string(f"emails/{kind}/subject.txt", {"site_name": "Mailroom"}).strip()


WELCOME = subject_of("welcome")
RESET = subject_of("password-reset")


def operation(address, kind="welcome", **changes):
    values = {
        "at": 100.0,
        "kind": kind,
        "address": address,
        "result": Result.ACKNOWLEDGED,
        "status": 302,
        "took_s": 0.05,
    }
    return Operation(**{**values, **changes})


def entry(to, message_id, attempt=1, **changes):
    """Return a line of a provider's journal."""
    values = {
        "provider": "ses",
        "to": to,
        "subject": WELCOME,
        "metadata": {"mailroom_message_id": message_id, "mailroom_attempt": str(attempt)},
        "answered": "complete",
        "accepted_at": "2026-11-24T10:00:00.000000+00:00",
    }
    return {**values, **changes}


def call(to, message_id, attempt=1, **changes):
    """Return a call as the simulator lists it."""
    metadata = {"mailroom_message_id": message_id, "mailroom_attempt": str(attempt)}
    values = {
        "provider": "ses",
        "port": 5000,
        "to": to,
        "subject": WELCOME,
        "metadata": metadata,
        "batch": [metadata],
        "started_at": "1970-01-01T00:01:40+00:00",
        "ended": "complete",
        "ended_at": "1970-01-01T00:01:41+00:00",
        "emails": [1],
    }
    return {**values, **changes}
