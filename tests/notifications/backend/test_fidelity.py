"""Django emails come out of Mailroom as Django's own backends would have sent them."""

import base64

import pytest
from django.core.mail.backends.smtp import EmailBackend
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as hypothesis_settings

from devtools.stack.ports import free_port
from notifications.backend import OutboxBackend
from notifications.models import Message
from notifications.rules.states import Status
from tests.notifications.backend.authored import emails, is_sendable
from tests.notifications.backend.mime import tree
from tests.notifications.delivery.delivering import run
from tests.simulated import simulator

# Not in one transaction, which the server would end while Hypothesis thinks.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

FEW, MANY = 10, 1000


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory, port):
    with simulator(tmp_path_factory.mktemp("fidelity"), "--smtp-port", str(port), "--keep-bodies") as running:
        yield running


class Both:
    """Sends each email through Mailroom and through Django's SMTP backend to one simulator."""

    def __init__(self, server, port):
        self.server, self.sent = server, 0
        self.django = EmailBackend(host="127.0.0.1", port=port)
        self.last = max((call["seq"] for call in server.calls()), default=0)

    def send(self, email):
        """Return what arrived through Mailroom, then what arrived through Django."""
        deliver(email)
        assert self.django.send_messages([email]) == 1
        calls = self.server.calls(after=str(self.last))
        self.last, self.sent = calls[-1]["seq"], self.sent + 1
        return [(base64.b64decode(call["body"]), call["envelope"]) for call in calls]


@pytest.fixture
def both(server, port, settings):
    settings.EMAIL_PROVIDERS, settings.SMTP_URL = ["smtp"], f"smtp://127.0.0.1:{port}"
    settings.EMAIL_RATE = settings.EMAIL_STREAM_RATES = ""
    both = Both(server, port)
    both.django.open()
    yield both
    both.django.close()


def deliver(email):
    assert OutboxBackend().send_messages([email]) == 1
    message = Message.objects.get(status=Status.QUEUED)
    run(message)
    message.refresh_from_db()
    assert message.status == Status.SENT, message.status_reason


def compare(both, count):
    @hypothesis_settings(
        max_examples=count,
        deadline=None,
        database=None,
        print_blob=True,
        # Each try to simplify an email takes as long as a test.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(email=emails())
    def check(email):
        assume(is_sendable(email))
        (ours, our_envelope), (theirs, their_envelope) = both.send(email)
        assert tree(ours) == tree(theirs)
        # The first recipient comes first, because the answer about it decides the outcome.
        assert sorted(our_envelope) == sorted(one_case(address) for address in their_envelope)

    check()
    assert both.sent >= count


def one_case(address):
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def test_emails_arrive_as_through_djangos_smtp_backend(both):
    compare(both, FEW)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_thousand_emails_arrive_as_through_djangos_smtp_backend(both):
    compare(both, MANY)
