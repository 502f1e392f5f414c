"""SES with Anymail and boto3, and its table of answers."""

import os

import pytest

from notifications.providers.base import connections
from notifications.providers.base.answers import meaning as m
from notifications.providers.ses.backend import Ses
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.contract import outgoing
from tests.notifications.providers.base.http_contract import A, HttpContract, M, P, R, SimulatedContract, T

ACCEPTED = '{"MessageId": "an-id"}'


def refuse(status, code, text="x"):
    headers = (f"x-amzn-ErrorType: {code}", "Content-Type: application/json")
    return (status, headers, f'{{"message": "{text}"}}')


def no(status, code, text="x"):
    return faults.answers([refuse(status, code, text)])


class TestSes(SimulatedContract, HttpContract):
    says = {
        m.INACTIVE: no("400 Bad", "MessageRejected", "Address blacklisted."),
        m.MESSAGE_REFUSED: no("400 Bad", "MessageRejected", "Illegal content."),
        m.REFUSES_US: no("400 Bad", "AccountSuspendedException"),
        m.THROTTLED: no("429 Too Many", "TooManyRequestsException", "Maximum sending rate exceeded."),
        m.QUOTA_SPENT: no("429 Too Many", "TooManyRequestsException", "Daily message quota exceeded."),
        m.OUTAGE: no("500 Error", "InternalServiceErrorException"),
        m.UNKNOWN: faults.answer("500 Error", body='{"message": "a gateway", "code": "Unavailable"}'),
    }
    made = Ses
    # Creating a client takes a part of it.
    deadline_s = 1.5
    accepted = ACCEPTED
    # botocore reads the file after it has connected.
    without_bundle = T
    is_decoded = True

    def no(self, text):
        return refuse("", "InternalServiceErrorException", text)[1:]

    @pytest.fixture
    def at(self, settings, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")

        def point(port, *, tls=False):
            settings.SES_REGION = "eu-central-1"
            settings.SES_ENDPOINT_URL = f"http{'s' * tls}://127.0.0.1:{port}"

        return point

    @pytest.mark.parametrize(
        ("status", "code", "text", "expected"),
        [
            ("429 Too Many", "TooManyRequestsException", "Maximum sending rate exceeded.", (R, None)),
            ("400 Bad", "ThrottlingException", "Maximum sending rate exceeded.", (R, None)),
            ("400 Bad", "Throttling", "Maximum sending rate exceeded.", (R, None)),
            ("429 Too Many", "TooManyRequestsException", "Daily message quota exceeded.", (R, 600)),
            ("400 Bad", "ThrottlingException", "Daily message quota exceeded.", (R, 600)),
            ("400 Bad", "LimitExceededException", "Daily message quota exceeded.", (R, 600)),
            ("400 Bad", "LimitExceededException", "x", (R, None)),
            ("400 Bad", "SendingPausedException", "x", (M, None)),
            ("400 Bad", "AccountSuspendedException", "x", (M, None)),
            ("400 Bad", "MailFromDomainNotVerifiedException", "x", (M, None)),
            ("400 Bad", "MessageRejected", "Email address is not verified.", (M, None)),
            ("400 Bad", "MessageRejected", "Illegal content.", (P, None)),
            ("404 Not Found", "NotFoundException", "Configuration set does not exist.", (M, None)),
            ("400 Bad", "BadRequestException", "x", (P, None)),
            ("403 Forbidden", "InvalidClientTokenId", "x", (M, None)),
            ("403 Forbidden", "UnrecognizedClientException", "x", (M, None)),
            ("403 Forbidden", "SignatureDoesNotMatch", "x", (M, None)),
            ("403 Forbidden", "InvalidSignatureException", "x", (M, None)),
            ("403 Forbidden", "AccessDeniedException", "x", (M, None)),
            ("403 Forbidden", "RequestExpired", "x", (M, None)),
            ("403 Forbidden", "SomethingNewException", "x", (M, None)),
            ("500 Error", "InternalServiceErrorException", "x", (T, None)),
            ("503 Unavailable", "ServiceUnavailable", "x", (T, None)),
            ("400 Bad", "SomethingNewException", "x", (A, None)),
            ("502 Bad Gateway", "", "x", (A, None)),
        ],
    )
    def test_answers_have_the_meaning_that_aws_documents(self, at, status, code, text, expected):
        error = self.refused_by(faults.answers([refuse(status, code, text)]), at)
        assert (error.error_class, error.retry_after_s) == expected

    @pytest.mark.parametrize("body", ["", "{}", "[]", "<html>a proxy's page</html>", '{"MessageId": '])
    def test_acceptance_without_an_id_is_ambiguous(self, at, body):
        assert self.refused_by(faults.answer("200 OK", body=body), at).error_class is A

    def test_expired_credentials_are_fetched_again_once(self, at, monkeypatch):
        expired = faults.answers([refuse("403 Forbidden", "ExpiredTokenException"), ("200 OK", (), ACCEPTED)])

        def expire(peer):
            expired(peer)
            os.environ["AWS_ACCESS_KEY_ID"] = "fresh-id"

        with faults.fault_server(expire) as server:
            at(server.port)
            assert Ses().send(outgoing()).provider_message_id == "an-id"
        first, second = server.requests
        assert b"Credential=canary-id/" in first
        assert b"Credential=fresh-id/" in second

    def test_credentials_that_stay_expired_are_misconfigured(self, at):
        with faults.fault_server(faults.answers([refuse("403 Forbidden", "ExpiredTokenException")])) as server:
            at(server.port)
            assert self.refusal(Ses(), outgoing()).error_class is M
            assert len(server.requests) == 2
        assert connections._here.kept.warm == {}

    def test_missing_credentials_are_misconfigured(self, at, monkeypatch, tmp_path):
        at(1)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert self.refusal(Ses(), outgoing()).error_class is M

    def test_incomplete_credentials_are_misconfigured(self, at, monkeypatch):
        at(1)
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        assert self.refusal(Ses(), outgoing()).error_class is M

    def test_missing_region_is_misconfigured(self, at, settings, monkeypatch, tmp_path):
        at(1)
        settings.SES_REGION = settings.SES_ENDPOINT_URL = ""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert self.refusal(Ses(), outgoing()).error_class is M

    def test_invalid_endpoint_is_misconfigured(self, at, settings):
        at(1)
        settings.SES_ENDPOINT_URL = "nowhere"
        assert self.refusal(Ses(), outgoing()).error_class is M
