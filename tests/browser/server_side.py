"""Inspect and change the server's state during a browser test."""

from collections import Counter
from contextlib import closing
from functools import partial
from time import time
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from django.core import signing
from django.test import override_settings

from accounts.flows.sign_up_cookie import COOKIE
from notifications.links import unsubscribe_url
from notifications.pages.progress_link import ProgressLink
from notifications.providers.base.compose import MESSAGE_ID_KEY
from tests.browser.visitor import Visitor

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'accounts_user'::regclass"
STALE_LINK = """
from accounts.models import User
from accounts.tokens import confirmation_tokens as tokens
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode
user = User.objects.get(email={address!r})
token = tokens._make_token_with_timestamp(user, tokens._num_seconds(tokens._now()) - 10 * 86400, tokens.secret)
print(reverse("accounts:confirm", args=[urlsafe_base64_encode(str(user.pk).encode()), token]))
"""


def kinds_arrived(visitor: Visitor, *, to: str | None = None) -> Counter[str]:
    """Count the emails of each kind that arrived at the visitor's address, or at `to`."""
    emails = visitor.running.simulator.messages(to=to or visitor.address)
    ids = [UUID(email["metadata"][MESSAGE_ID_KEY]) for email in emails]
    kind_of = dict(visitor.running.sql("SELECT id, kind FROM notifications_message WHERE id = ANY(%s)", ids))
    return Counter(kind_of[message_id] for message_id in ids)


def wait_for_email(visitor: Visitor, kind: str, *, to: str | None = None) -> None:
    """Wait until an email of this kind has arrived at the visitor's address, or at `to`."""
    visitor.until(lambda: kinds_arrived(visitor, to=to)[kind])


def is_confirmed(visitor: Visitor) -> bool:
    ((confirmed_at,),) = visitor.running.sql("SELECT confirmed_at FROM accounts_user WHERE email = %s", visitor.address)
    return confirmed_at is not None


def double_click(visitor: Visitor) -> None:
    """Double-click so that the server gets both posts: a lock holds the first until the second arrives."""
    place = visitor.button()
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    with closing(psycopg.connect(visitor.running.stack.environment["DATABASE_URL"])) as connection:
        connection.execute("LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")
        for clicks in (1, 2):
            visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            visitor.until(partial(_are_waiting, visitor, clicks))


def _are_waiting(visitor: Visitor, posts: int) -> bool:
    ((waiting,),) = visitor.running.sql(WAITING)
    return bool(waiting >= posts)


def stale_link(visitor: Visitor) -> str:
    """Return an expired link to confirm the visitor's address."""
    program = STALE_LINK.format(address=visitor.address)
    return visitor.running.stack.manage("shell", "-v", "0", "-c", program).strip()


def skip_pause(visitor: Visitor) -> None:
    """Set the time of the last email, in the signed cookie, to an hour ago."""
    context = visitor.page.context
    (cookie,) = [one for one in context.cookies() if one["name"] == COOKIE]
    key = visitor.running.stack.environment["SECRET_KEY"]
    values = signing.loads(cookie["value"], key=key, salt=COOKIE)
    earlier = signing.dumps({**values, "mailed_at": values["mailed_at"] - 3600}, key=key, salt=COOKIE)
    context.add_cookies([{"name": COOKIE, "value": earlier, "url": visitor.site_url}])


def unsubscribe_path(visitor: Visitor) -> str:
    with override_settings(SECRET_KEY=visitor.running.stack.environment["SECRET_KEY"]):
        return urlsplit(unsubscribe_url(visitor.address)).path


def progress_token(visitor: Visitor, kind: str) -> str:
    """Return the token of a page that shows the visitor's newest email of a kind, and allows everything."""
    newest = "SELECT id FROM notifications_message WHERE to_address = %s AND kind = %s ORDER BY created_at DESC LIMIT 1"
    ((message_id,),) = visitor.running.sql(newest, visitor.address, kind)
    with override_settings(SECRET_KEY=visitor.running.stack.environment["SECRET_KEY"]):
        return ProgressLink(message_id=message_id, since=int(time()), page="/", resend=True, correct=True).token()


def announce(visitor: Visitor) -> None:
    """Send news to everyone who wants them."""
    visitor.running.stack.manage("announce", uuid4().hex, "--headline", "News", "--text", "There is something new.")
