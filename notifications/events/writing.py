"""Write the results of a batch of events with one statement."""

from collections.abc import Sequence

from django.db import connection

from notifications.models import ProviderEvent

# An event without a message is read again when it is twice as old. One statement with arrays: the ORM's bulk_update
# would write every value of every row as a CASE.
_STATEMENT = """
UPDATE notifications_providerevent AS event SET
    state = said.state, message_id = said.message_id, attempt = said.attempt, kind = said.kind, bounce = said.bounce,
    recipient = said.recipient, provider_message_id = said.provider_message_id, detail = said.detail,
    occurred_at = said.occurred_at,
    read_after = statement_timestamp() + greatest(statement_timestamp() - event.received_at, interval '2 seconds')
FROM unnest(
    %s::bigint[], %s::text[], %s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[]
) AS said (id, state, message_id, attempt, kind, bounce, recipient, provider_message_id, detail, occurred_at)
WHERE event.id = said.id
"""


def write_results(events: Sequence[ProviderEvent]) -> None:
    if not events:
        return
    rows = [
        (
            *(event.pk, event.state, event.message_id, event.attempt, event.kind, event.bounce, event.recipient),
            *(event.provider_message_id, event.detail, event.occurred_at),
        )
        for event in events
    ]
    anonymized = [event.pk for event in events if event.payload == {}]
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [list(column) for column in zip(*rows, strict=True)])
        if anonymized:
            cursor.execute("UPDATE notifications_providerevent SET payload = '{}' WHERE id = ANY(%s)", [anonymized])
