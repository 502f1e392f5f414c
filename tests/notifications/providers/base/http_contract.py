"""The contract tests of every provider over HTTP, against the simulator and a faulty server."""

from email.utils import formatdate

import pytest
from anymail.exceptions import AnymailInvalidAddress, AnymailSerializationError

from devtools.stack.ports import free_port
from notifications.providers.base.sending import About
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.contract import ProviderContract
from tests.notifications.providers.base.edge import tls_for
from tests.notifications.providers.base.outgoing import outgoing

A, M, P, R, T = (
    ErrorClass.AMBIGUOUS,
    ErrorClass.MISCONFIGURED,
    ErrorClass.PERMANENT,
    ErrorClass.RATE_LIMITED,
    ErrorClass.TRANSIENT,
)

HELD = [
    faults.hold_unread,
    faults.hold,
    faults.dribble_head,
    faults.dribble_body,
    faults.dribble_chunks,
]
BROKEN = [
    faults.cut_unread,
    faults.reset_begun,
    faults.cut,
    faults.reset,
    faults.truncate_head,
    faults.truncate_body,
    faults.garbage,
]

# Answers with the same meaning in the table of every HTTP API.
GATEWAY = faults.answer("500 Error", body="<html>a gateway's page</html>")


class SimulatedContract(ProviderContract):
    """A provider whose API the simulator implements."""

    @pytest.fixture
    def provider(self, at, running):
        running.set_controls(fail_next=0, error_status=503)
        at(int(running.url.rpartition(":")[2]))
        return self.made()

    @pytest.fixture
    def taken(self, running):
        before = running.stats()["accepted"]
        return lambda: running.messages(after=str(before))[::-1]

    def test_email_contains_our_id_and_attempt(self, provider, taken):
        mail = outgoing()
        provider.send(mail)
        (entry,) = taken()
        assert entry["metadata"]["mailroom_message_id"] == str(mail.message_id)
        assert entry["metadata"]["mailroom_attempt"] == "3"
        # Providers keep metadata for long, and nothing can redact it: it must not contain personal data.
        assert "canary" not in str(entry["metadata"]).lower()

    def test_failing_provider_is_called_once(self, provider, running):
        running.set_controls(fail_next=1)
        before = running.stats()["refused"]
        assert self.refusal(provider, outgoing()).error_class is T
        assert running.stats()["refused"] == before + 1


class HttpContract(ProviderContract):
    """`accepted` is the body of an acceptance, `no(text)` headers and body of a documented rejection.

    `without_bundle` is the error class for a missing file of trusted certificates.
    """

    accepted = ""
    accepted_status = "200 OK"
    without_bundle = M

    def no(self, text: str) -> tuple[tuple[str, ...], str]:
        raise NotImplementedError

    @pytest.mark.parametrize("act", HELD)
    def test_call_ended_by_the_deadline_is_ambiguous(self, at, impatient, act):
        error = self.refused_by(act, at)
        assert (error.error_class, error.code) == (A, "deadline")

    @pytest.mark.parametrize("act", BROKEN)
    def test_connection_that_breaks_during_a_request_is_ambiguous(self, at, act):
        assert self.refused_by(act, at).error_class is A

    @pytest.mark.parametrize("act", [faults.hold, faults.broken_tls, faults.dribble_body])
    def test_error_after_the_handshake_is_ambiguous(self, at, impatient, settings, authority, trusted, act):
        # Enough time for the handshake, even on a busy machine.
        settings.PROVIDER_DEADLINE_S = 2
        assert self.refused_by(act, at, tls=tls_for(authority)).error_class is A

    def test_pause_between_two_reads_is_limited(self, at, settings):
        settings.PROVIDER_READ_TIMEOUT_S = 0.3
        error = self.refused_by(faults.hold, at)
        assert error.error_class is A
        assert error.code != "deadline"

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("400 Bad Request", A),
            ("404 Not Found", M),
            ("413 Too Large", P),
            ("418 Teapot", A),
            ("429 Too Many", R),
            ("500 Error", A),
            ("502 Bad Gateway", A),
            ("503 Unavailable", A),
            ("504 Gateway Timeout", A),
            ("299 Something", A),
        ],
    )
    @pytest.mark.parametrize("body", ["", "<html><h1>a gateway's page</h1></html>", '{"message": "gateway"}'])
    def test_answer_of_a_gateway_has_only_the_meaning_of_http(self, at, status, expected, body):
        assert self.refused_by(faults.answer(status, body=body), at).error_class is expected

    @pytest.mark.parametrize("status", ["500 Error", "502 Bad Gateway", "503 Unavailable", "504 Gateway Timeout"])
    def test_rejection_in_the_documented_shape_has_sent_nothing(self, at, status):
        headers, body = self.no("we are in trouble")
        error = self.refused_by(faults.answer(status, *headers, body=body), at)
        assert (error.error_class, error.about) == (T, About.MOMENT)

    def test_text_of_a_rejection_is_kept_without_personal_data(self, at):
        headers, body = self.no("ada.canary@example.com, Canary: no <b@c.example> at https://x.example/?a=b now")
        error = self.refused_by(faults.answer("503 Unavailable", *headers, body=body), at)
        assert "no" in error.detail
        assert "@" not in error.detail
        assert "http" not in error.detail

    @pytest.mark.parametrize("wait_s", [7, 90])
    def test_retry_after_may_be_a_date(self, at, wait_s):
        headers, body = self.no("too many")
        now = 1_800_000_000
        dates = (f"Date: {formatdate(now, usegmt=True)}", f"Retry-After: {formatdate(now + wait_s, usegmt=True)}")
        error = self.refused_by(faults.answer("429 Too Many", *headers, *dates, body=body), at)
        assert error.retry_after_s == wait_s

    @pytest.mark.parametrize(
        "broken", [ValueError, AnymailInvalidAddress, AnymailSerializationError, UnicodeEncodeError]
    )
    def test_librarys_error_after_the_request_is_not_a_rejection(self, at, monkeypatch, broken):
        def fail(*args, **kwargs):
            raise (
                UnicodeEncodeError("utf-8", "canary", 0, 1, "no") if broken is UnicodeEncodeError else broken("canary")
            )

        monkeypatch.setattr("anymail.message.AnymailStatus.set_recipient_status", fail)
        act = faults.answer(self.accepted_status, body=self.accepted)
        assert self.refused_by(act, at).error_class is A

    def refused_by(self, act, at, *, tls=None):
        with faults.fault_server(act, tls=tls) as server:
            at(server.port, tls=tls is not None)
            error = self.refusal(self.made(), outgoing())
            assert server.connections == 1
            assert len(server.requests) <= 1
        return error

    def test_trusted_certificate_is_accepted(self, at, authority, trusted):
        act = faults.answer(self.accepted_status, body=self.accepted)
        with faults.fault_server(act, tls=tls_for(authority)) as server:
            at(server.port, tls=True)
            assert self.made().send(outgoing()).provider_message_id
            assert len(server.requests) == 1

    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "300 Choices"])
    def test_redirect_is_not_followed(self, at, status):
        with faults.fault_server(faults.answer(self.accepted_status, body=self.accepted)) as elsewhere:
            act = faults.answer(status, f"Location: {elsewhere.url}/v3/mail/send")
            assert self.refused_by(act, at).error_class is M
            assert elsewhere.connections == 0

    def test_error_contains_no_secrets_that_the_answer_repeats(self, at):
        assert self.refused_by(faults.echo, at).error_class in {A, P}

    def test_missing_proxy_has_sent_nothing(self, at, proxied):
        at(free_port(), tls=True)
        proxied(free_port())
        assert self.refusal(self.made(), outgoing()).error_class is T

    @pytest.mark.parametrize("act", [faults.answer("407 Who are you"), faults.hold_unread, faults.cut_unread])
    def test_proxy_that_refuses_a_tunnel_has_sent_nothing(self, at, proxied, impatient, act):
        at(free_port(), tls=True)
        with faults.fault_server(act) as server:
            proxied(server.port)
            assert self.refusal(self.made(), outgoing()).error_class is T
            assert server.connections == 1

    @pytest.fixture
    def proxied(self, monkeypatch):
        for name in ("NO_PROXY", "no_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        return lambda port: monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")

    def test_missing_certificate_bundle_has_sent_nothing(self, at, monkeypatch, tmp_path):
        for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
        at(free_port(), tls=True)
        assert self.refusal(self.made(), outgoing()).error_class is self.without_bundle
