"""Call the addresses that take alerts. No result and no log line contains an address, which is a secret."""

import logging
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from notifications.conf import settings
from notifications.providers.base.deadline import within
from notifications.providers.base.http import session

DEADLINE_S = 10.0
TIMEOUTS_S = (3.0, 5.0)
# What Healthchecks keeps of a ping's body.
LONGEST_PING = 10_000
WEBHOOK, PING = "ALERT_WEBHOOK_URL", "ALERT_PING_URL"


class OriginsOnly(logging.Filter):
    """Shortens the addresses in a record: urllib3 logs that of an answer it cannot read."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_origin(each) for each in record.args)
        return True


def _origin(value: Any) -> Any:
    if not isinstance(value, str) or "://" not in value:
        return value
    scheme, _, rest = value.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/…"


logging.getLogger("urllib3.connection").addFilter(OriginsOnly())


def post(text: str) -> str:
    """Post `text` to the webhook. Return the error, or an empty text."""
    # Slack would read them as links and mentions: https://docs.slack.dev/messaging/formatting-message-text
    plain = text.replace("<", "[").replace(">", "]")
    return _call("POST", settings.ALERT_WEBHOOK_URL, json={"text": plain})


def ping(problems: str) -> str:
    """Report to the ping URL that all is well, or the problems. Return the error, or an empty text."""
    # https://healthchecks.io/docs/http_api/
    if not problems:
        return _call("GET", settings.ALERT_PING_URL)
    parts = urlsplit(settings.ALERT_PING_URL)
    failing = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
    return _call("POST", failing, data=problems.encode()[:LONGEST_PING])


def _call(method: str, url: str, **body: Any) -> str:
    # Follows no redirect and reads no body: an answer could lead elsewhere, or never end.
    try:
        with (
            within(DEADLINE_S) as call,
            session() as http,
            http.request(method, url, timeout=TIMEOUTS_S, stream=True, **body) as response,
        ):
            status = response.status_code
            if call.is_over:
                # The deadline cut an answer that may look complete.
                return "Timeout"
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        return type(error).__name__
    is_accepted = requests.codes.ok <= status < requests.codes.multiple_choices
    return "" if is_accepted else f"HTTP {status}"
