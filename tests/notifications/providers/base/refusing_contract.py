"""What no provider is called for."""

import pytest
from django.core.mail import EmailMultiAlternatives

from notifications.providers.base.sending import About
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base.edge import ProviderEdge
from tests.notifications.providers.base.outgoing import outgoing


class RefusingContract(ProviderEdge):
    # The part of a message that the library reads when it builds a request.
    building = "recipients"

    @pytest.mark.parametrize(
        "file",
        [
            Attachment("a\r\nBcc: eve@example.com", b""),
            Attachment("a", b"", "text"),
            Attachment("a", b"", "text/plain\r\nBcc: eve@example.com"),
            Attachment("a", b"", "image/png", "a>\r\nBcc: eve@example.com"),
            Attachment("half a character: \ud83c", b""),
        ],
    )
    def test_unsafe_file_is_refused_before_sending(self, provider, taken, file):
        assert self.refusal(provider, outgoing(attachments=[file])).error_class is ErrorClass.PERMANENT
        assert taken() == []

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
            {"cc": [NamedAddress("a@example.com, eve@example.com")]},
            {"bcc": [NamedAddress("a@example.com", "A\r\nBcc: eve@example.com")]},
            {"more_to": [NamedAddress("a@example.com\r\nBcc: eve@example.com")]},
            {"reply_to": [NamedAddress("Ada <a@example.com>")]},
            {"tags": ["a\r\nBcc: eve@example.com"]},
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
