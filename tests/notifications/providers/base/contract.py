"""The contract tests of every provider, by inheritance, with real libraries and sockets."""

import os
import pickle
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.header import decode_header, make_header
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.core.mail import EmailMultiAlternatives

from devtools.stack.ports import free_port
from notifications.providers.base import connections, deadline
from notifications.providers.base.answers.meaning import Meaning
from notifications.providers.base.backend import Provider
from notifications.providers.base.sending import About, OutgoingEmail, ProviderError
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults

# Part of everything that a provider receives: keys, address, name, subject, both bodies.
CANARY = "canary"
SUBJECT = "Grüße, with a comma and a canary"


def outgoing(**changes: Any) -> OutgoingEmail:
    values = {
        "message_id": uuid4(),
        "attempt": 3,
        "from_email": "Shop <shop@example.com>",
        "to_address": "ada.canary@example.com",
        "to_name": "Ada, Canary 🎩",
        "subject": SUBJECT,
        "text": "Hello\nAda & canary",
        "html": "<p>Hello Ada &amp; canary</p>",
        "headers": {
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF, AutoReply",
            "Message-ID": "<1@example.com>",
        },
    }
    return OutgoingEmail(**{**values, **changes})


class ProviderEdge:
    """Shared by the tests of a provider: no connection remains open, and an error contains no foreign data."""

    # Enough for a busy machine to reach the fault.
    deadline_s = 1.0

    @pytest.fixture(autouse=True)
    def _cold(self):
        connections.close_all()
        others = set(deadline._here.owner.sockets)
        yield
        connections.close_all()
        # Every watched connection of this test has been released.
        assert deadline._here.owner.sockets <= others

    @pytest.fixture
    def impatient(self, settings):
        """Raise all limits but the deadline."""
        settings.PROVIDER_DEADLINE_S = self.deadline_s
        settings.PROVIDER_READ_TIMEOUT_S = faults.HOLD_S
        settings.PROVIDER_CONNECT_TIMEOUT_S = faults.HOLD_S

    @pytest.fixture
    def trusted(self, authority, monkeypatch, tmp_path):
        bundle = tmp_path / "trusted.pem"
        authority.cert_pem.write_to_path(bundle)
        for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(bundle))

    def refusal(self, provider: Provider, mail: OutgoingEmail) -> ProviderError:
        with pytest.raises(ProviderError) as refused:
            provider.send(mail)
        error = refused.value
        # Exceptions of libraries contain API keys and bodies.
        assert error.__cause__ is None
        assert error.__context__ is None
        same = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert vars(same) == vars(error)
        assert CANARY not in f"{error!r} {error} {vars(error)}".lower()
        return error


class ProviderContract(ProviderEdge):
    """A subclass has the fixtures `provider` and `taken`: what its server has accepted, oldest first.

    `at(port, tls=False)` points the settings at another server, and `made()` returns the provider.
    """

    # The part of a message that the library reads when it builds a request.
    building = "recipients"
    # By meaning, what the provider's server does instead of accepting.
    says: ClassVar[Mapping[Meaning, faults.Act]] = {}
    # True if `taken` returns headers as a program shows them.
    is_decoded = False

    def test_one_email_reaches_one_recipient_complete(self, provider, taken):
        mail = outgoing()
        receipt = provider.send(mail)
        (entry,) = taken()
        assert receipt.provider_message_id
        assert (entry["to"], entry["to_name"]) == ("ada.canary@example.com", "Ada, Canary 🎩")
        assert entry["subject"] == SUBJECT
        assert entry["text"].split() == ["Hello", "Ada", "&", "canary"]
        assert entry["html"].strip() == "<p>Hello Ada &amp; canary</p>"
        assert entry["headers"]["Auto-Submitted"] == "auto-generated"
        assert entry["headers"]["X-Auto-Response-Suppress"] == "OOF, AutoReply"

    def test_internationalised_domain_is_sent_in_ascii_and_has_a_receipt(self, provider, taken):
        receipt = provider.send(outgoing(to_address="ada@bücher.example.com"))
        (entry,) = taken()
        assert entry["to"] == "ada@xn--bcher-kva.example.com"
        assert receipt.provider_message_id not in {"", "None"}

    @pytest.mark.parametrize(
        "text",
        [
            "=?utf-8?q?=FF=FE?=",
            "=?utf-8?b?////?=",
            "=?utf-8?q?www.evil.example?=",
            "=?utf-8?q?=E2=80=AEtxt?= and Ada",
            "Ada =?no-such-charset?q?x?=",
            "Grüße =?utf-8?q?x?=",
            "=?utf-8?q?",
            f"{'long ' * 30}=?utf-8?q?x?=",
        ],
    )
    def test_text_that_looks_like_an_encoded_word_is_shown_unchanged(self, provider, taken, text):
        provider.send(outgoing(to_name=text, subject=text))
        (entry,) = taken()
        shown = [entry["to_name"], entry["subject"]]
        assert (shown if self.is_decoded else [as_shown(one) for one in shown]) == [text, text]

    def test_common_answers_have_one_meaning_for_all_providers(self, at):
        for meaning, act in self.says.items():
            connections.close_all()
            with faults.fault_server(act) as server:
                at(server.port)
                error = self.refusal(self.made(), outgoing())
            found = (error.about, error.error_class, error.bounce)
            assert found == (meaning.about, meaning.error_class, meaning.bounce), meaning.name

    def test_librarys_error_about_a_messages_text_is_permanent(self, provider, taken, monkeypatch):
        # A warm connection has carried an email before.
        provider.send(outgoing())

        def fail(*args, **kwargs):
            raise RuntimeError("canary")

        with monkeypatch.context() as broken:
            broken.setattr(EmailMultiAlternatives, self.building, fail)
            error = self.refusal(provider, outgoing())
        assert (error.error_class, error.about) == (ErrorClass.PERMANENT, About.MESSAGE)
        provider.send(outgoing())
        assert len(taken()) == 2

    @pytest.mark.parametrize(
        "changes",
        [
            {"to_address": "ada@example.com, eve@example.com"},
            {"to_address": "ada@example.com\r\nBcc: eve@example.com"},
            {"to_address": "Ada <ada@example.com>"},
            {"to_address": "ada@exa mple.com"},
            {"to_address": "ädä@example.com"},
            {"to_address": f"{'a' * 65}@example.com"},
            {"to_address": ""},
            {"to_name": "Ada\r\nBcc: eve@example.com"},
            {"to_name": "Ada\u2028Bcc: eve@example.com"},
            {"subject": "Hello\r\nBcc: eve@example.com"},
            {"subject": "Hello\x0bBcc: eve@example.com"},
            {"subject": "half a character: \ud83c"},
            {"headers": {"X-Test": "x\r\nBcc: eve@example.com"}},
            {"headers": {"X-Test\r\nBcc": "eve@example.com"}},
            {"headers": {"Bcc": "eve@example.com"}},
            {"headers": {"to": "eve@example.com"}},
            {"headers": {"Resent-To": "eve@example.com"}},
            {"text": " \n"},
            {"text": "half a character: \ud83c"},
            {"html": ""},
        ],
    )
    def test_email_with_broken_or_unsafe_headers_is_refused_before_sending(self, provider, taken, changes):
        error = self.refusal(provider, outgoing(**changes))
        assert error.error_class is ErrorClass.PERMANENT
        assert taken() == []

    @pytest.mark.parametrize(
        "from_email",
        ["Shop", "", "a@example.com, b@example.com", "Shop <shop@example.com>\r\nBcc: eve@example.com", "a@localhost"],
    )
    def test_sender_that_is_not_one_address_is_misconfigured(self, provider, taken, from_email):
        assert self.refusal(provider, outgoing(from_email=from_email)).error_class is ErrorClass.MISCONFIGURED
        assert taken() == []

    def test_refused_connection_has_sent_nothing(self, provider, at):
        at(free_port())
        assert self.refusal(provider, outgoing()).error_class is ErrorClass.TRANSIENT

    def test_unknown_host_name_has_sent_nothing(self, at, monkeypatch):
        def no_such_name(*args, **kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        at(free_port())
        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        assert self.refusal(self.made(), outgoing()).error_class is ErrorClass.TRANSIENT

    def test_connection_that_times_out_has_sent_nothing(self, at, settings):
        settings.PROVIDER_CONNECT_TIMEOUT_S = 0.3
        with faults.full_house() as port:
            at(port)
            assert self.refusal(self.made(), outgoing()).error_class is ErrorClass.TRANSIENT

    def test_untrusted_certificate_of_the_provider_is_misconfigured(self, at, authority):
        self.certificate_is_refused(at, authority, "127.0.0.1")

    def test_certificate_for_another_name_is_misconfigured(self, at, authority, trusted):
        self.certificate_is_refused(at, authority, "mail.example.com")

    def certificate_is_refused(self, at, authority, name):
        with faults.fault_server(faults.hold, tls=tls_for(authority, name)) as server:
            at(server.port, tls=True)
            error = self.refusal(self.made(), outgoing())
            assert (error.error_class, error.code) == (ErrorClass.MISCONFIGURED, "certificate")
            assert (server.connections, server.requests) == (1, [])

    @pytest.mark.parametrize("act", [faults.hold_unread, faults.cut_unread, faults.reset_begun, faults.no_tls])
    def test_failed_handshake_has_sent_nothing(self, at, impatient, settings, act):
        if act is not faults.hold_unread:
            settings.PROVIDER_DEADLINE_S = faults.HOLD_S
        with faults.fault_server(act) as server:
            at(server.port, tls=True)
            error = self.refusal(self.made(), outgoing())
            assert error.error_class is ErrorClass.TRANSIENT
            assert (error.code == "deadline") == (act is faults.hold_unread)
            assert server.connections == 1

    def test_connection_is_kept_for_the_next_email(self, provider, taken):
        for _ in range(3):
            provider.send(outgoing())
        assert len(taken()) == 3
        assert list(connections._here.kept.warm) == [provider.name]
        (line,) = deadline._here.owner.sockets
        assert line.may_have_carried

    def test_idle_connection_is_replaced(self, provider, taken, monkeypatch):
        provider.send(outgoing())
        (first,) = deadline._here.owner.sockets
        monkeypatch.setattr(connections, "MAX_IDLE_S", -1.0)
        provider.send(outgoing())
        (second,) = deadline._here.owner.sockets
        assert first is not second
        assert len(taken()) == 2

    def test_connection_that_was_shut_down_is_not_used_again(self, provider, taken):
        provider.send(outgoing())
        (line,) = deadline._here.owner.sockets
        line.shut()
        provider.send(outgoing())
        assert len(taken()) == 2

    def test_every_thread_has_its_own_connection_and_closes_it_at_its_end(self, provider, taken):
        def send(_):
            provider.send(outgoing())
            return deadline._here.owner

        with ThreadPoolExecutor(2) as pool:
            owners = list(pool.map(send, range(4)))
        assert len(taken()) == 4
        assert [owner.sockets for owner in owners] == [set()] * 4

    def test_forked_process_leaves_its_parents_connection_alone(self, provider, taken):
        provider.send(outgoing())
        child = os.fork()
        if child == 0:
            connections.close_all()
            os._exit(len(connections._here.kept.warm))
        assert os.waitpid(child, 0)[1] == 0
        provider.send(outgoing())
        assert len(taken()) == 2


def as_shown(text: str) -> str:
    """Return a header's text as a program shows it to the recipient."""
    return str(make_header(decode_header(text)))


def tls_for(authority, name="127.0.0.1"):
    """A server's TLS, with a certificate of `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
