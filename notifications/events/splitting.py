"""Split stored batches into rows."""

from django.db import connection

# One statement, so that the deletion and the events are written together. The events keep the batch's time of receipt.
_SPLIT = """
WITH taken AS (
    DELETE FROM notifications_eventbatch
    WHERE id = (
        SELECT id FROM notifications_eventbatch ORDER BY received_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING provider, events, received_at
)
INSERT INTO notifications_providerevent
    (provider, event_id, payload, state, received_at, read_after, kind, bounce, recipient, provider_message_id, detail)
SELECT provider, event ->> 0, event -> 1, 'stored', received_at, received_at, '', '', '', '', ''
FROM taken, jsonb_array_elements(events) AS event
ORDER BY event ->> 0 ON CONFLICT DO NOTHING
"""


def split_first() -> int:
    """Split the oldest free batch; return its number of new events. Raises database errors."""
    with connection.cursor() as cursor:
        cursor.execute(_SPLIT)
        return int(cursor.rowcount)
