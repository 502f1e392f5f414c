"""SES with Anymail and boto3, and its table of answers."""

import json
import os

import botocore.session
import pytest

from notifications.providers.base import connections
from notifications.providers.base.answers import RawAnswer, read_answer
from notifications.providers.base.answers import meaning as m
from notifications.providers.base.sending import About
from notifications.providers.ses.answers import ROWS
from notifications.providers.ses.backend import Ses
from tests.notifications.providers.base import faults
from tests.notifications.providers.base.batch_contract import (
    HTML,
    LIST_HEADERS,
    TEXT,
    EachOnItsOwn,
    batch_to,
    recipient,
)
from tests.notifications.providers.base.http_contract import A, HttpContract, M, P, R, SimulatedContract, T
from tests.notifications.providers.base.outgoing import outgoing

ACCEPTED = '{"MessageId": "an-id"}'


def refuse(status, code, text="x"):
    headers = (f"x-amzn-ErrorType: {code}", "Content-Type: application/json")
    return (status, headers, f'{{"message": "{text}"}}')


def no(status, code, text="x"):
    return faults.answers([refuse(status, code, text)])


class TestSes(SimulatedContract, HttpContract, EachOnItsOwn):
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
    refused_about = About.MESSAGE
    # SES replaces the Message-ID.
    own_headers = ("Auto-Submitted", *LIST_HEADERS)

    def entries(self, *codes):
        return json.dumps({"BulkEmailEntryResults": [self.entry(code) for code in codes]})

    def entry(self, code):
        if code:
            return {"Status": code, "Error": "ada0.canary@example.com: Canary is bad"}
        return {"Status": "SUCCESS", "MessageId": "an-id"}

    def no(self, text):
        return refuse("", "InternalServiceErrorException", text)[1:]

    @pytest.fixture
    def at(self, settings, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")

        def point(port, *, tls=False):
            settings.SES_REGION = "eu-central-1"
            settings.SES_BULK = True
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

    def test_each_result_of_a_batch_has_its_meaning(self, at):
        statuses = ["MESSAGE_REJECTED", "", "ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED"]
        statuses += ["TRANSIENT_FAILURE", "ACCOUNT_SUSPENDED", "NEW"]
        answers = self.answers(at, *statuses)
        assert answers[1].provider_message_id == "an-id"
        refused = [one for one in answers if one is not answers[1]]
        assert [(one.error_class, one.retry_after_s) for one in refused] == [
            *((P, None), (R, None), (R, 600), (T, None), (M, None), (A, None)),
        ]
        for one in refused:
            self.is_tidy(one)

    def test_every_status_of_a_batch_has_a_meaning(self):
        model = botocore.session.get_session().get_service_model("sesv2")
        statuses = set(model.shape_for("BulkEmailStatus").enum) - {"SUCCESS"}
        found = {name: read_answer(ROWS, RawAnswer(status=400, code=name))[0] for name in statuses}
        assert m.UNKNOWN not in found.values()

    @pytest.mark.parametrize("results", [None, [{"Status": "SUCCESS"}, {"Status": "SUCCESS"}], ["x", "y"]])
    def test_results_of_a_batch_without_ids_are_ambiguous(self, at, results):
        body = json.dumps({"BulkEmailEntryResults": results})
        assert self.batch_refused_by(faults.answer("200 OK", body=body), at).error_class is A

    def test_batches_are_off_by_default(self, settings):
        del settings.SES_BULK
        assert Ses().largest_batch == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"fields": {HTML: "x" * 200_000, TEXT: "x"}},
            {"headers": {"X-Note": "ü"}},
            {"headers": {"X-Note": "x" * 900}},
            {"headers": {f"X-{number}": "x" for number in range(15)}},
        ],
    )
    def test_recipient_beyond_a_limit_of_bulk_emails_does_not_fit(self, provider, taken, changes):
        self.does_not_fit_but_is_sent_alone(provider, taken, **changes)

    def test_batch_that_is_too_large_is_not_sent(self, provider, taken):
        error = self.batch_refusal(provider, batch_to(recipient(1), text="x" * 1_000_000))
        assert (error.code, error.about, error.never_left) == ("TooLargeError", About.MESSAGE, True)
        assert taken() == []
