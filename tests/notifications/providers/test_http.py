"""SendGrid and SES through Anymail's real backends, against the simulator and against a server that misbehaves."""

import pytest

from notifications.providers.mail import ErrorClass
from notifications.providers.postmark import Postmark
from notifications.providers.sendgrid import SendGrid
from notifications.providers.ses import Ses
from notifications.providers.simulator import Simulator
from tests.notifications.providers import faults
from tests.notifications.providers.contract import ProviderContract, outgoing
from tests.simulated import simulator

A, M, P, R, T = (
    ErrorClass.AMBIGUOUS,
    ErrorClass.MISCONFIGURED,
    ErrorClass.PERMANENT,
    ErrorClass.RATE_LIMITED,
    ErrorClass.TRANSIENT,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator")) as server:
        yield server


class HttpContract(ProviderContract):
    @pytest.fixture
    def provider(self, at, running):
        running.turn(fail_next=0, error_status=503)
        at(int(running.url.rpartition(":")[2]))
        return self.made()

    @pytest.fixture
    def taken(self, running):
        before = running.stats()["accepted"]
        return lambda: running.messages(after=str(before))[::-1]

    def test_our_id_and_attempt_travel_along(self, provider, taken):
        mail = outgoing()
        provider.send(mail)
        (entry,) = taken()
        assert entry["metadata"]["mailroom_message_id"] == str(mail.message_id)
        assert entry["metadata"]["mailroom_attempt"] == "3"

    def test_provider_in_trouble_is_asked_once(self, provider, running):
        running.turn(fail_next=1)
        before = running.stats()["refused"]
        assert self.refusal(provider, outgoing()).error_class is T
        assert running.stats()["refused"] == before + 1

    @pytest.mark.parametrize(
        ("misbehave", "error_class"),
        [
            (faults.say_nothing, A),
            (faults.cut_off, A),
            (faults.cut_the_answer, A),
            (faults.garbage, A),
            (faults.answer("301 Moved", "Location: http://127.0.0.1:1/"), None),
            (faults.answer("400 Bad Request"), None),
            (faults.answer("418 Teapot"), A),
            (faults.answer("500 Error"), T),
            (faults.answer("503 Unavailable"), T),
            (faults.answer("504 Gateway"), A),
        ],
    )
    def test_misbehaving_server_gets_one_request_and_a_class(self, at, settings, misbehave, error_class):
        settings.PROVIDER_READ_TIMEOUT_S = 0.4
        with faults.fault_server(misbehave) as server:
            at(server.port)
            error = self.refusal(self.made(), outgoing())
            assert len(server.requests) == 1
        assert error.error_class is (error_class or self.own_class(error.code))


class TestSendGrid(HttpContract):
    made = SendGrid

    @pytest.fixture
    def at(self, settings):
        def point(port):
            settings.SENDGRID_API_KEY = "SG.a-key"
            settings.SENDGRID_API_URL = f"http://127.0.0.1:{port}/v3/"

        return point

    def own_class(self, code):
        return {"http-301": M, "http-400": P}[code]

    @pytest.mark.parametrize(
        ("status", "headers", "body", "expected"),
        [
            ("401 Unauthorized", (), "", (M, None)),
            ("401 Unauthorized", (), '{"errors":[{"message":"Maximum credits exceeded"}]}', (R, 3600)),
            ("403 Forbidden", (), "", (M, None)),
            ("404 Not Found", (), "", (M, None)),
            ("413 Too Large", (), "", (P, None)),
            ("429 Too Many", ("Retry-After: 7",), "", (R, 7)),
            ("429 Too Many", ("Retry-After: 999999",), "", (R, 900)),
            ("429 Too Many", ("Retry-After: tomorrow",), "", (R, None)),
            ("502 Bad Gateway", (), "", (A, None)),
        ],
    )
    def test_answers_have_the_meaning_sendgrid_documents(self, at, status, headers, body, expected):
        with faults.fault_server(faults.answer(status, *headers, body=body)) as server:
            at(server.port)
            error = self.refusal(SendGrid(), outgoing())
        assert (error.error_class, error.retry_after_s) == expected
        assert "SG.a-key" not in repr(error)

    @pytest.mark.parametrize("key", ["with\nnewline", "ключ", " "])
    def test_key_that_cannot_be_a_header_is_the_set_ups_fault(self, at, settings, running, key):
        at(int(running.url.rpartition(":")[2]))
        settings.SENDGRID_API_KEY = key
        assert self.refusal(SendGrid(), outgoing()).error_class in {M, P}


class TestPostmark(HttpContract):
    made = Postmark

    @pytest.fixture
    def at(self, settings):
        def point(port):
            settings.POSTMARK_SERVER_TOKEN = "a-token"
            settings.POSTMARK_API_URL = f"http://127.0.0.1:{port}/"

        return point

    def own_class(self, code):
        return {"http-301": M, "http-400": A}[code]

    @pytest.mark.parametrize(
        ("status", "headers", "body", "expected"),
        [
            ("401 Unauthorized", (), "", (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 10}', (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 100}', (T, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 405, "Message": "out of credits"}', (M, None)),
            ("422 Unprocessable", (), '{"ErrorCode": 300, "Message": "Invalid email request"}', (P, None)),
            ("422 Unprocessable", (), "<html>", (A, None)),
            ("429 Too Many", ("Retry-After: 7",), "", (R, 7)),
            ("502 Bad Gateway", (), "", (A, None)),
            ("200 OK", (), "<html>a proxy's page</html>", (A, None)),
        ],
    )
    def test_answers_have_the_meaning_postmark_documents(self, at, status, headers, body, expected):
        with faults.fault_server(faults.answer(status, *headers, body=body)) as server:
            at(server.port)
            error = self.refusal(Postmark(), outgoing())
        assert (error.error_class, error.retry_after_s) == expected


class TestSimulator(HttpContract):
    made = Simulator

    @pytest.fixture
    def at(self, settings):
        def point(port):
            settings.SIMULATOR_URL = f"http://127.0.0.1:{port}"

        return point

    def own_class(self, code):
        return {"http-301": M, "http-400": P}[code]


class TestSes(HttpContract):
    made = Ses

    @pytest.fixture
    def at(self, settings, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")

        def point(port):
            settings.SES_REGION = "eu-central-1"
            settings.SES_ENDPOINT_URL = f"http://127.0.0.1:{port}"

        return point

    def own_class(self, code):
        return {"http-301": A, "301": A, "http-400": A, "400": A}[code]

    @pytest.mark.parametrize(
        ("status", "code", "text", "expected"),
        [
            ("429 Too Many", "TooManyRequestsException", "Maximum sending rate exceeded.", (R, None)),
            ("400 Bad", "LimitExceededException", "Daily message quota exceeded.", (R, 600)),
            ("400 Bad", "MessageRejected", "Email address is not verified.", (M, None)),
            ("400 Bad", "MessageRejected", "Illegal content.", (P, None)),
            ("400 Bad", "BadRequestException", "x", (P, None)),
            ("400 Bad", "SendingPausedException", "x", (M, None)),
            ("403 Forbidden", "AccessDeniedException", "x", (M, None)),
            ("403 Forbidden", "SignatureDoesNotMatch", "x", (M, None)),
            ("500 Error", "InternalServiceErrorException", "x", (T, None)),
            ("400 Bad", "SomethingNewException", "x", (A, None)),
        ],
    )
    def test_answers_have_the_meaning_aws_documents(self, at, status, code, text, expected):
        misbehave = faults.answer(
            status, f"x-amzn-ErrorType: {code}", "Content-Type: application/json", body=f'{{"message": "{text}"}}'
        )
        with faults.fault_server(misbehave) as server:
            at(server.port)
            error = self.refusal(Ses(), outgoing())
            assert len(server.requests) == 1
        assert (error.error_class, error.retry_after_s) == expected

    def test_missing_credentials_are_the_set_ups_fault(self, at, monkeypatch, tmp_path):
        at(1)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert self.refusal(Ses(), outgoing()).error_class is M
