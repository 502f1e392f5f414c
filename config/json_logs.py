"""Log lines as JSON objects, one per line."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from notifications.runtime.log_context import log_fields

# A task of a backlog carries hundreds of messages.
MOST_IDS = 20


class JsonLine(logging.Formatter):
    """Writes each record as one object: docs/how-to/read-logs.md has its fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **log_fields(),
            **dict(_of_record(record)),
        }
        if len(ids := line.get("message_ids", ())) > MOST_IDS:
            line |= {"message_ids": [*ids[:MOST_IDS]], "messages": len(ids)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _of_record(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    # The engine names the messages of a change.
    if ids := getattr(record, "message_ids", None):
        yield "message_ids", ids
    # Celery logs the end of a task outside the task.
    data = getattr(record, "data", None)
    if isinstance(data, dict) and isinstance(data.get("id"), str):
        yield "task_id", data["id"]
    # Django logs an answer with an error status outside the middleware.
    if request_id := getattr(getattr(record, "request", None), "request_id", ""):
        yield "request_id", request_id
