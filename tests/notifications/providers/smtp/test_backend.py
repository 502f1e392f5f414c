"""SMTP with a real server (aiosmtpd) on loopback, and with a faulty one."""

from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from devtools.simulator.dialects.files import of_mime
from devtools.stack.ports import free_port
from notifications.providers.base import connections
from notifications.providers.base.answers import meaning as m
from notifications.providers.smtp.backend import Smtp
from notifications.rules.addresses import NamedAddress
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.contract import ProviderContract
from tests.notifications.providers.base.outgoing import outgoing
from tests.notifications.providers.smtp import smtp_faults
from tests.notifications.providers.smtp.smtp_faults import Step

A, M, P, T = ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED, ErrorClass.PERMANENT, ErrorClass.TRANSIENT

# Only the deadline ends these.
WAITING = {smtp_faults.hold, smtp_faults.dribble}
BEFORE_THE_MAIL = [Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA]


class Mailbox:
    """Accepts everything, unless `reply` has another reply to the recipient."""

    def __init__(self):
        self.taken = []
        self.reply = "250 OK"
        self.replies = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's own
        reply = self.replies.get(address, self.reply)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's own
        mail = message_from_bytes(envelope.content, policy=policy.default)
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        self.taken += [
            {
                "to": address,
                "to_name": mail["To"].addresses[0].display_name,
                "subject": mail["Subject"],
                "text": text.get_content() if text else "",
                "html": html.get_content() if html else "",
                "headers": dict(mail.items()),
                **of_mime(mail),
            }
            for address in envelope.rcpt_tos
        ]
        return "250 OK"


def says(step, text):
    return smtp_faults.Smtp(step, smtp_faults.reply(text), goes_on=True)


class TestSmtp(ProviderContract):
    says = {
        m.NO_MAILBOX: says(Step.RCPT, "550 5.1.1 User unknown"),
        m.MAILBOX_FULL: says(Step.RCPT, "552 5.2.2 Mailbox full"),
        m.RECIPIENT_LATER: says(Step.RCPT, "450 4.2.0 Greylisted"),
        m.RECIPIENT_REFUSES: says(Step.RCPT, "550 5.7.26 Unauthenticated email is not accepted"),
        m.MESSAGE_REFUSED: says(Step.BODY, "554 5.7.1 Illegal content"),
        m.MESSAGE_LATER: says(Step.BODY, "451 4.7.1 try later"),
        m.REFUSES_US: says(Step.RCPT, "550 5.7.1 Your account is suspended"),
        m.THROTTLED: says(Step.MAIL, "454 Throttling failure: Maximum sending rate exceeded."),
        m.QUOTA_SPENT: says(Step.BODY, "550 5.4.5 Daily sending quota exceeded"),
        m.OUTAGE: says(Step.MAIL, "421 4.3.2 shutting down"),
        m.UNKNOWN: smtp_faults.Smtp(Step.BODY, smtp_faults.cut),
    }
    made = Smtp
    building = "message"
    is_decoded = True
    names_refused = True

    @pytest.fixture
    def mailbox(self):
        return Mailbox()

    @pytest.fixture
    def at(self, settings):
        def point(port, *, tls=False):
            settings.SMTP_URL = f"smtp{'+ssl' * tls}://127.0.0.1:{port}"

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

    def test_refused_further_recipient_costs_the_others_nothing(self, provider, mailbox):
        mailbox.replies["bob@example.com"] = "550 5.1.1 No such user bob@example.com"
        cc = (NamedAddress("bob@example.com"), NamedAddress("carla@example.com"))
        receipt = provider.send(outgoing(cc=cc))
        assert [entry["to"] for entry in mailbox.taken] == ["ada.canary@example.com", "carla@example.com"]
        assert "5.1.1" in receipt.note
        assert "bob" not in receipt.note
        assert provider.send(outgoing()).note == ""

    @pytest.mark.parametrize(("reply", "error_class"), [("450 Mailbox busy", T), ("550 No such user", P)])
    def test_refused_first_recipient_refuses_the_email_for_all(self, provider, mailbox, reply, error_class):
        mailbox.replies["ada.canary@example.com"] = reply
        mail = outgoing(cc=(NamedAddress("carla@example.com"),))
        assert self.refusal(provider, mail).error_class is error_class
        assert mailbox.taken == []
        mailbox.replies.clear()
        provider.send(mail)
        assert len(mailbox.taken) == 2

    @pytest.mark.parametrize(("reply", "error_class"), [("450 Mailbox busy", T), ("550 No such user", P)])
    def test_connection_is_reused_after_a_rejected_recipient(self, provider, mailbox, reply, error_class):
        mailbox.reply = reply
        assert self.refusal(provider, outgoing()).error_class is error_class
        mailbox.reply = "250 OK"
        provider.send(outgoing())
        assert len(mailbox.taken) == 1

    @pytest.mark.parametrize(
        ("step", "reply", "error_class"),
        [
            (Step.GREETING, "421 too busy", T),
            (Step.GREETING, "554 no service for you", M),
            (Step.EHLO, "421 too busy", T),
            (Step.EHLO, "550 who are you", M),
            (Step.MAIL, "421 too busy", T),
            (Step.MAIL, "451 try later", T),
            (Step.MAIL, "530 log in first", M),
            (Step.MAIL, "550 not a sender of ours", M),
            (Step.MAIL, "552 too big", P),
            (Step.RCPT, "421 too busy", T),
            (Step.RCPT, "452 4.2.2 mailbox full", T),
            (Step.RCPT, "452 too many", ErrorClass.RATE_LIMITED),
            (Step.RCPT, "550 no such user", P),
            (Step.DATA, "451 try later", T),
            (Step.DATA, "554 no", P),
            (Step.GREETING, "421 4.7.0 Too many connections", ErrorClass.RATE_LIMITED),
            (Step.DATA, "421 too busy", T),
            (Step.DATA, "530 log in first", M),
            (Step.DATA, "250 OK", T),
            (Step.BODY, "550-Your account has been\r\n550 suspended", M),
            (Step.BODY, "552-quota\r\n552 exceeded storage allocation", P),
            (Step.BODY, "550 Stra\u00dfe unbekannt", P),
            (Step.BODY, "421 too busy", T),
            (Step.BODY, "451 greylisted", T),
            (Step.BODY, "554 spam", P),
            (Step.BODY, "999 what", A),
        ],
    )
    def test_replies_have_the_meaning_of_their_step(self, at, step, reply, error_class):
        script = smtp_faults.Smtp(step, smtp_faults.reply(reply), goes_on=True)
        with faults.fault_server(script) as server:
            at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is error_class
            assert server.connections == 1

    @pytest.mark.parametrize("step", BEFORE_THE_MAIL)
    @pytest.mark.parametrize(
        "act",
        [
            smtp_faults.hold,
            smtp_faults.dribble,
            smtp_faults.cut,
            smtp_faults.truncate,
            smtp_faults.reset,
            smtp_faults.garbage,
        ],
    )
    def test_error_before_the_message_has_sent_nothing(self, at, impatient, settings, step, act):
        if act not in WAITING:
            settings.PROVIDER_DEADLINE_S = faults.HOLD_S
        error, mails = self.refused_by(smtp_faults.Smtp(step, act), at)
        assert error.error_class is T
        assert (error.code == "deadline") == (act in WAITING)
        assert mails == 0

    @pytest.mark.parametrize(
        "act",
        [
            smtp_faults.hold,
            smtp_faults.dribble,
            smtp_faults.cut,
            smtp_faults.truncate,
            smtp_faults.reset,
            smtp_faults.garbage,
        ],
    )
    def test_error_after_the_message_is_ambiguous(self, at, impatient, settings, act):
        if act not in WAITING:
            settings.PROVIDER_DEADLINE_S = faults.HOLD_S
        error, mails = self.refused_by(smtp_faults.Smtp(Step.BODY, act), at)
        assert error.error_class is A
        assert (error.code == "deadline") == (act in WAITING)
        assert mails == 1
        # A late answer must not be mistaken for that of the next email.
        assert connections._here.kept.warm == {}

    def refused_by(self, script, at):
        with faults.fault_server(script) as server:
            at(server.port)
            error = self.refusal(Smtp(), outgoing())
            assert server.connections == 1
            return error, len(server.requests)

    @pytest.mark.parametrize("last_words", [smtp_faults.cut, smtp_faults.reply("421 idle for too long")])
    def test_connection_closed_by_the_server_is_replaced(self, at, last_words):
        with faults.fault_server(_one_mail_each(last_words)) as server:
            at(server.port)
            for _ in range(3):
                Smtp().send(outgoing())
                server.ended.acquire(timeout=5)
            assert (server.connections, len(server.requests)) == (3, 3)

    @pytest.mark.parametrize("reply", ["451 4.7.1 try later", "554 5.7.1 no", "550-No\r\n550 never"])
    @pytest.mark.parametrize("step", [Step.RCPT, Step.DATA, Step.BODY])
    def test_rejected_message_leaves_no_open_transaction(self, at, step, reply):
        script = says(step, reply)
        with faults.fault_server(script) as server:
            at(server.port)
            self.refusal(Smtp(), outgoing())
            script.at = None
            Smtp().send(outgoing())
            assert server.connections == 1
        # The answer to a second MAIL FROM in a transaction is 503.
        second = script.said.index("mail", script.said.index("mail") + 1)
        assert "rset" in script.said[:second]

    @pytest.mark.parametrize(
        ("step", "reply", "error_class"),
        [
            (Step.MAIL, "421 4.4.2 timeout exceeded", T),
            (Step.RCPT, "421 4.3.2 shutting down", T),
            (Step.DATA, "421 4.3.2 shutting down", T),
            (Step.BODY, "421 4.3.2 shutting down", T),
        ],
    )
    def test_connection_that_ends_with_421_in_use_is_replaced(self, at, step, reply, error_class):
        script = smtp_faults.Smtp()
        with faults.fault_server(script) as server:
            at(server.port)
            Smtp().send(outgoing())
            script.at, script.act = step, smtp_faults.reply(reply)
            assert self.refusal(Smtp(), outgoing()).error_class is error_class
            script.at = None
            Smtp().send(outgoing())
            assert server.connections == 2

    def test_connection_is_closed_with_quit(self, at):
        script = smtp_faults.Smtp()
        with faults.fault_server(script) as server:
            at(server.port)
            Smtp().send(outgoing())
            connections.close_all()
            assert server.ended.acquire(timeout=5)
        assert script.said[-1] == "quit"


def _one_mail_each(last_words):
    def act(peer):
        smtp_faults.reply("250 OK")(peer)
        last_words(peer)

    return smtp_faults.Smtp(Step.BODY, act)


@pytest.mark.parametrize("offers", ["250 here", "250-here\r\n250 8BITMIME"])
def test_message_has_short_seven_bit_lines(settings, offers):
    script = smtp_faults.Smtp(Step.EHLO, smtp_faults.reply(offers), goes_on=True)
    with faults.fault_server(script) as server:
        settings.SMTP_URL = f"smtp://127.0.0.1:{server.port}"
        Smtp().send(outgoing(text="Grüße " * 500, html=f"<p>{'ü🎩' * 2000}</p>", subject="Grüße " * 30))
        connections.close_all()
        (content,) = server.requests
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    mail = message_from_bytes(content, policy=policy.default)
    assert mail.get_body(("plain",)).get_content().split() == ["Grüße"] * 500
    assert mail.get_body(("html",)).get_content().count("ü🎩") == 2000
