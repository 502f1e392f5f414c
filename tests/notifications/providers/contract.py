"""What every provider has to keep, by inheritance. Nothing is faked: real libraries, real sockets."""

from typing import Any
from uuid import uuid4

import pytest

from config.local.ports import free_port
from notifications.providers import connections
from notifications.providers.base import Provider
from notifications.providers.mail import ErrorClass, OutgoingMail, ProviderError


def outgoing(**changes: Any) -> OutgoingMail:
    values = {
        "message_id": uuid4(),
        "attempt": 3,
        "from_email": "Shop <shop@example.com>",
        "to_address": "ada@example.com",
        "to_name": "Ada, Countess 🎩",
        "subject": "Grüße, with a comma",
        "text": "Hello\nAda & Co",
        "html": "<p>Hello Ada &amp; Co</p>",
        "headers": {"Auto-Submitted": "auto-generated", "Message-ID": "<1@example.com>"},
    }
    return OutgoingMail(**{**values, **changes})


class ProviderContract:
    """A subclass gives the fixture `provider`, and `taken`: what its server has taken, oldest first.

    `at(port)` points the settings at another server.
    """

    @pytest.fixture(autouse=True)
    def _cold(self):
        connections.close_all()
        yield
        connections.close_all()

    def refusal(self, provider: Provider, mail: OutgoingMail) -> ProviderError:
        with pytest.raises(ProviderError) as refused:
            provider.send(mail)
        error = refused.value
        # Foreign exceptions hold API keys and bodies.
        assert error.__cause__ is None
        assert error.__context__ is None
        return error

    def test_one_mail_reaches_one_person_whole(self, provider, taken):
        mail = outgoing()
        receipt = provider.send(mail)
        (entry,) = taken()
        assert receipt.provider_message_id
        assert (entry["to"], entry["to_name"]) == ("ada@example.com", "Ada, Countess 🎩")
        assert entry["subject"] == "Grüße, with a comma"
        assert entry["text"].split() == ["Hello", "Ada", "&", "Co"]
        assert entry["html"].strip() == "<p>Hello Ada &amp; Co</p>"
        assert entry["headers"]["Auto-Submitted"] == "auto-generated"

    @pytest.mark.parametrize(
        "changes",
        [
            {"to_address": "ada@example.com, eve@example.com"},
            {"to_address": "ada@example.com\r\nBcc: eve@example.com"},
            {"to_address": "Ada <ada@example.com>"},
            {"to_address": ""},
            {"to_name": "Ada\r\nBcc: eve@example.com"},
            {"subject": "Hello\r\nBcc: eve@example.com"},
            {"headers": {"X-Test": "x\r\nBcc: eve@example.com"}},
        ],
    )
    def test_what_could_reach_somebody_else_is_refused_before_the_wire(self, provider, taken, changes):
        error = self.refusal(provider, outgoing(**changes))
        assert error.error_class is ErrorClass.PERMANENT
        assert taken() == []

    def test_refused_connection_is_surely_not_sent(self, provider, at):
        at(free_port())
        assert self.refusal(provider, outgoing()).error_class is ErrorClass.TRANSIENT

    def test_connection_is_kept_for_the_next_mail(self, provider, taken):
        for _ in range(3):
            provider.send(outgoing())
        assert len(taken()) == 3
        assert len(connections._cache.backends) == 1

    def test_error_can_be_pickled_and_holds_no_mail(self, provider, at):
        at(free_port())
        error = self.refusal(provider, outgoing())
        assert "ada" not in repr(error)
