"""Messages, attempts and events at chosen times."""

from datetime import UTC, datetime, timedelta

from django.db import connection

from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.rules.states import Status
from tests.factories import MessageFactory

HOUR = datetime(2026, 3, 4, 10, tzinfo=UTC)


def written(created_at=HOUR, **fields):
    message = MessageFactory(**fields)
    Message.objects.filter(pk=message.pk).update(created_at=created_at, due_at=fields.get("due_at", created_at))
    message.refresh_from_db()
    return message


def sent(at, *, provider="ses", to="a@example.com", took_s=0.3, **fields):
    message = written(
        created_at=at - timedelta(seconds=took_s),
        status=Status.SENT,
        sent_at=at,
        attempts=1,
        provider=provider,
        to_address=to,
        **fields,
    )
    attempted(message, at)
    return message


def attempted(message, at, *, number=1, result="accepted", provider="ses"):
    values = {"message": message, "number": number, "result": result, "provider": provider, "recorded_at": at}
    return DeliveryAttempt.objects.create(**values)


def reported(message, at, kind, *, bounce="", occurred_at=None, state="applied"):
    event = ProviderEvent.objects.create(
        provider=message.provider,
        event_id=str(ProviderEvent.objects.count()),
        payload={},
        state=state,
        message=message,
        kind=kind,
        bounce=bounce,
        occurred_at=occurred_at,
    )
    ProviderEvent.objects.filter(pk=event.pk).update(received_at=at)


def current_hour():
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('hour', statement_timestamp(), 'UTC')")
        return cursor.fetchone()[0]


def counted_finally(*, days=370):
    """Make all hours of these days final, except those that may still get events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notifications_rolleduphour (hour, counted_at) SELECT hour, %(now)s FROM"
            " generate_series(%(now)s - %(days)s * interval '1 day', %(now)s - interval '6 hours', interval '1 hour')"
            " AS past (hour)",
            {"now": current_hour(), "days": days},
        )
