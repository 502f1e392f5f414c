"""Keep secrets and noise out of the logs."""

import logging
import re

from notifications.runtime.database import error_name, is_outage

# Django's tokens (base 36 time, dash, hash), also damaged ones, and those of the engine's public pages. Django logs the
# path of each response with an error status, and a link that failed in a database outage is still valid.
_TOKEN = re.compile(r"[0-9a-z]{4,13}-[0-9a-f]{16,}|(?<=/unsubscribe/)[^/\s]+|(?<=/email-progress/)[^/\s]+")


class WithoutTokens(logging.Filter):
    """Removes the tokens of reset and confirmation links from a record's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_tokens(one) if isinstance(one, str) else one for one in record.args)
        return True


OUTAGE = "{line} (the database is unavailable: {error})"


class DatabaseInOneLine(logging.Filter):
    """Logs a database outage in one line, because it is not a bug."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and is_outage(error):
            record.msg, record.args = OUTAGE.format(line=record.getMessage(), error=error_name(error)), ()
            record.exc_info = record.exc_text = None
        return True


class WithoutTraceback(logging.Filter):
    """Omits the traceback of a client's error."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


def without_tokens(text: str) -> str:
    return _TOKEN.sub("[token]", text)
