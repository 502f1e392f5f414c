"""Recipients whose servers refuse email, and messages that cannot be built, stop no other email."""

from collections import Counter

import pytest
from aiosmtpd.controller import Controller

from devtools.stack.ports import free_port
from notifications.breaker.permits import IS_DOWN, REFUSES_US
from tests.live.running import eventually

pytestmark = [pytest.mark.live, pytest.mark.long]

REPLIES = {
    "grey": "450 4.7.1 Greylisted, try again later",
    "full": "452 4.2.2 The mailbox is full",
    "none": "550 5.1.1 User unknown",
    "rule": "550 5.7.26 Unauthenticated email is not accepted",
}
PEOPLE = 8
# The bad ones come first, with a good one between two of each kind.
ENQUEUE = """
from accounts.models import User
from notifications.outbox import Draft, enqueue_many
for number in range(PEOPLE):
    for name in NAMES:
        (person,) = User.objects.bulk_create([User(email=f"{name}-{number}@example.com", name=POISON)])
        enqueue_many([Draft(kind="welcome", to=person.email, user=person, key=f"recipients:{person.email}")])
"""
POISON = "=?utf-8?q?=FF=FE?="


class Mailboxes:
    """A server whose answer depends on the start of the recipient's local part."""

    def __init__(self):
        self.taken = Counter()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        reply = REPLIES.get(address.partition("-")[0], "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.taken[envelope.rcpt_tos[0]] += 1
        return "250 OK"


@pytest.fixture
def mailboxes():
    handler = Mailboxes()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.url = f"smtp://127.0.0.1:{controller.port}"
    yield handler
    controller.stop(no_assert=True)


def test_bad_recipients_and_names_delay_no_other_email(unattended, mailboxes):
    names = [*REPLIES, "good"]
    script = f"PEOPLE, NAMES, POISON = {PEOPLE}, {names!r}, {POISON!r}\n{ENQUEUE}"
    good = {f"good-{number}@example.com" for number in range(PEOPLE)}
    none = {f"none-{number}@example.com" for number in range(PEOPLE)}
    later = {f"{name}-{number}@example.com" for name in ("grey", "full") for number in range(PEOPLE)}
    with unattended.worker_for("smtp", SMTP_URL=mailboxes.url):
        unattended.stack.manage("shell", "-v", "0", "-c", script)
        eventually(lambda: unattended.statuses(good) == {"sent"})
        eventually(lambda: unattended.statuses(none) == {"dead"})
        # Messages that may be accepted later still wait.
        assert unattended.statuses(later) <= {"queued", "sending"}
        assert mailboxes.taken == dict.fromkeys(good, 1)
        # The circuit never opened.
        for text in (IS_DOWN, REFUSES_US):
            assert text.partition(" (")[0] % "smtp" not in unattended.logs()
    listed = unattended.sql("SELECT address FROM notifications_suppression WHERE address LIKE %s", "none-%@example.com")
    assert {address for (address,) in listed} == none
    unattended.sql(
        "UPDATE notifications_message SET status = 'cancelled' WHERE status = 'queued' AND to_address = ANY(%s)",
        list(later),
    )
