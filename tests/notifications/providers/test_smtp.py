"""SMTP against a real server (aiosmtpd) on loopback."""

from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from config.local.ports import free_port
from notifications.providers.mail import ErrorClass
from notifications.providers.smtp import Smtp
from tests.notifications.providers.contract import ProviderContract, outgoing


class Mailbox:
    """Takes everything, unless `reply` says otherwise at the recipient."""

    def __init__(self):
        self.taken = []
        self.reply = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's own
        if self.reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.reply

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's own
        mail = message_from_bytes(envelope.content, policy=policy.default)
        (address,) = envelope.rcpt_tos
        self.taken.append(
            {
                "to": address,
                "to_name": mail["To"].addresses[0].display_name,
                "subject": mail["Subject"],
                "text": mail.get_body(("plain",)).get_content(),
                "html": mail.get_body(("html",)).get_content(),
                "headers": dict(mail.items()),
            }
        )
        return "250 OK"


class TestSmtp(ProviderContract):
    @pytest.fixture
    def mailbox(self):
        return Mailbox()

    @pytest.fixture
    def at(self, settings):
        def point(port):
            settings.SMTP_URL = f"smtp://127.0.0.1:{port}"

        return point

    @pytest.fixture
    def provider(self, mailbox, at):
        controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        controller.start()
        at(controller.port)
        yield Smtp()
        controller.stop(no_assert=True)

    @pytest.fixture
    def taken(self, mailbox):
        return lambda: mailbox.taken

    @pytest.mark.parametrize(
        ("reply", "error_class"),
        [
            ("450 Mailbox busy", ErrorClass.TRANSIENT),
            ("550 No such user", ErrorClass.PERMANENT),
        ],
    )
    def test_replies_have_the_meaning_the_rfc_gives_them(self, provider, mailbox, reply, error_class):
        mailbox.reply = reply
        assert self.refusal(provider, outgoing()).error_class is error_class
        mailbox.reply = "250 OK"
        provider.send(outgoing())
        assert len(mailbox.taken) == 1
