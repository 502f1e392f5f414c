"""docs/how-to/try-beside-your-backend.md, followed with an SMTP server, a worker and its report."""

import json
import re
import shlex
import textwrap
from collections import Counter
from io import StringIO

import pytest
from django.core.mail import EmailMultiAlternatives, send_mail
from django.core.management import call_command

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from notifications.models import DeliveryAttempt, Message
from notifications.rules.states import Status
from tests.notifications.delivery.delivering import run
from tests.simulated import simulator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PAGE = (BASE_DIR / "docs/how-to/try-beside-your-backend.md").read_text()
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", PAGE, re.MULTILINE)]
ADDRESSES = [f"user{number}@example.com" for number in range(40)]


@pytest.fixture
def follow(settings):
    """Return a function that sets what a step of the page sets."""

    def apply(start, **changes):
        (block,) = [block for block in BLOCKS if block.startswith(start)]
        values = {}
        exec(block, {}, values)  # noqa: S102 - our own page
        for name, value in {**values, **changes}.items():
            setattr(settings, name, value)

    return apply


def send_all():
    for address in ADDRESSES:
        assert send_mail("Hi", "Grüße", "Shop <shop@example.com>", [address]) == 1
    email = EmailMultiAlternatives("Order", "Text", "shop@example.com", ["Ada <ada@example.com>"], cc=["b@example.com"])
    email.attach_alternative("<p>Text</p>", "text/html")
    email.attach("order.bin", bytes(range(256)), "application/octet-stream")
    assert email.send() == 1


def deliver():
    # What a worker does with the tasks of the queue.
    while queued := list(Message.objects.filter(status=Status.QUEUED)[:20]):
        run(*queued)


def report():
    (words,) = [shlex.split(block)[2:] for block in BLOCKS if block.startswith("python manage.py")]
    out = StringIO()
    call_command(*words, stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


def arrived(server):
    return Counter(call["to"] for call in server.calls())


def test_steps_of_the_page_lead_from_the_present_backend_to_mailroom(tmp_path, settings, follow):
    port = free_port()
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_RATE = "127.0.0.1", port, ""
    with simulator(tmp_path, "--smtp-port", str(port)) as server:
        follow("EMAIL_BACKEND = ")
        send_all()
        deliver()
        once = arrived(server)
        assert set(once.values()) == {1}
        assert {*ADDRESSES, "ada@example.com"} <= set(once)
        assert report()["mailroom"]["equal"] == len(ADDRESSES) + 1

        follow("EMAIL_PROVIDERS = ", SMTP_URL=f"smtp://127.0.0.1:{port}")
        send_all()
        deliver()
        assert set(arrived(server).values()) == {2}
        ours = Message.objects.filter(kind="email", status=Status.SENT).count()
        assert 0 < ours < len(ADDRESSES)
        assert DeliveryAttempt.objects.count() == ours
        assert report()["mailroom"]["equal"] == 2 * (len(ADDRESSES) + 1) - ours
