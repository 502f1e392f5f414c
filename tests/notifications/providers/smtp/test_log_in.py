"""Log-in to an SMTP server, and STARTTLS before it."""

import pytest

from notifications.providers.smtp.backend import Smtp
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.edge import ProviderEdge, tls_for
from tests.notifications.providers.base.outgoing import outgoing
from tests.notifications.providers.smtp import smtp_faults
from tests.notifications.providers.smtp.smtp_faults import Step

M, T = ErrorClass.MISCONFIGURED, ErrorClass.TRANSIENT


class TestLogIn(ProviderEdge):
    @pytest.fixture
    def log_in_at(self, settings):
        def point(port):
            settings.SMTP_URL = f"smtp://canary-user:canary-password@127.0.0.1:{port}"

        return point

    def refused_by(self, script, at):
        with faults.fault_server(script) as server:
            at(server.port)
            error = self.refusal(Smtp(), outgoing())
            assert server.connections == 1
            return error, len(server.requests)

    @pytest.mark.parametrize(("reply", "error_class"), [("535 wrong", M), ("454 try later", T)])
    def test_failed_log_in_is_misconfigured(self, log_in_at, reply, error_class):
        with faults.fault_server(smtp_faults.Smtp(Step.AUTH, smtp_faults.reply(reply), goes_on=True)) as server:
            log_in_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is error_class

    @pytest.mark.parametrize("offer", ["250 here", "250-here\r\n250 AUTH GSSAPI NTLM XOAUTH2"])
    def test_server_without_a_known_log_in_method_is_misconfigured(self, log_in_at, offer):
        script = smtp_faults.Smtp(Step.EHLO, smtp_faults.reply(offer), goes_on=True)
        with faults.fault_server(script) as server:
            log_in_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is M

    @pytest.mark.parametrize("act", [smtp_faults.hold, smtp_faults.cut, smtp_faults.reset])
    def test_hanging_log_in_has_sent_nothing(self, log_in_at, impatient, act):
        with faults.fault_server(smtp_faults.Smtp(Step.AUTH, act)) as server:
            log_in_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is T

    @pytest.fixture
    def starttls_at(self, settings):
        def point(port):
            settings.SMTP_URL = f"smtp+tls://127.0.0.1:{port}"

        return point

    def test_email_is_sent_after_starttls(self, starttls_at, authority, trusted):
        with faults.fault_server(smtp_faults.Smtp(tls=tls_for(authority))) as server:
            starttls_at(server.port)
            Smtp().send(outgoing())
            assert len(server.requests) == 1

    def test_starttls_with_an_untrusted_certificate_is_misconfigured(self, starttls_at, authority):
        with faults.fault_server(smtp_faults.Smtp(tls=tls_for(authority))) as server:
            starttls_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is M
            assert server.requests == []

    @pytest.mark.parametrize(("name", "taken"), [("127.0.0.1", 1), ("other.example", 0)])
    def test_configured_authority_is_trusted_for_the_servers_name(
        self, starttls_at, authority, settings, tmp_path, name, taken
    ):
        settings.SMTP_CA_FILE = str(tmp_path / "ca.pem")
        authority.cert_pem.write_to_path(settings.SMTP_CA_FILE)
        with faults.fault_server(smtp_faults.Smtp(tls=tls_for(authority, name))) as server:
            starttls_at(server.port)
            if taken:
                Smtp().send(outgoing())
            else:
                assert self.refusal(Smtp(), outgoing()).error_class is M
            assert len(server.requests) == taken

    @pytest.mark.parametrize(
        ("reply", "error_class"),
        [
            ("454 4.7.0 TLS not available due to local problem", T),
            ("421 closing", T),
            ("502 5.5.1 not implemented", M),
            ("220 go ahead", T),
        ],
    )
    def test_refused_starttls_sends_nothing(self, starttls_at, reply, error_class):
        script = smtp_faults.Smtp(Step.STARTTLS, smtp_faults.reply(reply))
        with faults.fault_server(script) as server:
            starttls_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is error_class
            assert server.requests == []

    def test_server_without_starttls_is_misconfigured(self, starttls_at):
        script = smtp_faults.Smtp(Step.EHLO, smtp_faults.reply("250 here"), goes_on=True)
        with faults.fault_server(script) as server:
            starttls_at(server.port)
            assert self.refusal(Smtp(), outgoing()).error_class is M
            assert server.requests == []

    def test_hanging_handshake_after_starttls_has_sent_nothing(self, starttls_at, impatient):
        def go_ahead_and_hang(peer):
            smtp_faults.reply("220 go ahead")(peer)
            peer.hold()

        with faults.fault_server(smtp_faults.Smtp(Step.STARTTLS, go_ahead_and_hang)) as server:
            starttls_at(server.port)
            error = self.refusal(Smtp(), outgoing())
            assert (error.error_class, error.code) == (T, "deadline")
