"""Post forms as a browser does, and read the result."""

import re
from collections import Counter

from notifications.models import Message

PASSWORD = "correct horse battery"
FIRST, SECOND = "a much newer password", "another newer password"


def kinds():
    return Counter(Message.objects.values_list("kind", flat=True))


def with_key(client, path, **fields):
    """Return the form's data with its hidden key."""
    page = client.get(path).content.decode()
    hidden = re.findall(r'name="(idempotency_key|next)" value="([^"]*)"', page)
    return dict(hidden) | fields


def is_done(answer, where):
    return answer.status_code == 302 and answer["Location"] == where
