"""What a test knows and does behind a visitor's back."""

from uuid import UUID

from django.core import signing

from accounts.flows.started import COOKIE
from notifications.providers.compose import MESSAGE_ID_KEY
from tests.browser.visitor import Visitor

STALE_LINK = """
from accounts.models import User
from accounts.tokens import confirmation_tokens as tokens
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode
user = User.objects.get(email={address!r})
token = tokens._make_token_with_timestamp(user, tokens._num_seconds(tokens._now()) - 10 * 86400, tokens.secret)
print(reverse("accounts:confirm", args=[urlsafe_base64_encode(str(user.pk).encode()), token]))
"""


def wait_for_mail(visitor: Visitor, kind: str, *, to: str | None = None) -> None:
    """Wait until mail of this kind has arrived at the visitor's address, or at another one."""

    def arrived() -> bool:
        mails = visitor.running.simulator.messages(to=to or visitor.address)
        kinds = visitor.running.sql(
            "SELECT kind FROM notifications_message WHERE id = ANY(%s)",
            [UUID(mail["metadata"][MESSAGE_ID_KEY]) for mail in mails],
        )
        return (kind,) in kinds

    visitor.until(arrived)


def stale_link(visitor: Visitor) -> str:
    """A good link to confirm the visitor's address, but for its age."""
    program = STALE_LINK.format(address=visitor.address)
    return visitor.running.stack.manage("shell", "-v", "0", "-c", program).strip()


def let_the_pause_pass(visitor: Visitor) -> None:
    """The browser keeps in a signed cookie when the last mail was asked for; let it be an hour ago."""
    context = visitor.page.context
    (cookie,) = [one for one in context.cookies() if one["name"] == COOKIE]
    key = visitor.running.stack.environment["SECRET_KEY"]
    values = signing.loads(cookie["value"], key=key, salt=COOKIE)
    earlier = signing.dumps({**values, "mailed_at": values["mailed_at"] - 3600}, key=key, salt=COOKIE)
    context.add_cookies([{"name": COOKIE, "value": earlier, "url": visitor.site_url}])
