"""The signing certificates of SNS: their URLs, and answers of Amazon."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers.base.webhook import CannotVerifyError
from notifications.providers.ses import certificates, fetching
from notifications.providers.ses.webhook import SesWebhook
from tests.notifications.providers.base import signing
from tests.notifications.providers.base.refusals import refused
from tests.notifications.providers.base.signing import CERTIFICATE_PATH, EVENT, HOST, as_posted, certificate
from tests.notifications.providers.ses.amazon import cut, drip, hang

ses = SesWebhook()


def test_certificate_is_fetched_once(amazon, sns):
    for _ in range(3):
        ses.verify_and_parse(as_posted(sns.notification(EVENT)))
    assert amazon.asked == [CERTIFICATE_PATH]
    assert amazon.dialled == [(HOST, 443)]


def test_certificates_kept_are_few(amazon, sns):
    for number in range(20):
        path = f"/SimpleNotificationService-{number:032x}.pem"
        amazon.answers[path] = amazon.answers[CERTIFICATE_PATH]
        ses.verify_and_parse(as_posted(sns.notification(EVENT, SigningCertURL=f"https://{HOST}{path}")))
    assert len(certificates._kept) == certificates.MOST_KEPT


def test_certificate_of_a_topic_in_china_is_fetched_in_china(amazon, sns, settings):
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:ses-events"
    settings.SES_WEBHOOK_TOPICS = [topic]
    url = f"https://sns.cn-north-1.amazonaws.com.cn{CERTIFICATE_PATH}"
    refused(sns.notification(EVENT, TopicArn=topic, SigningCertURL=url), CannotVerifyError)  # another host's TLS name
    assert amazon.dialled == [("sns.cn-north-1.amazonaws.com.cn", 443)]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{CERTIFICATE_PATH}",
        f"HTTPS://{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST.upper()}{CERTIFICATE_PATH}",
        f"https://{HOST}:443{CERTIFICATE_PATH}",
        f"https://{HOST}:8443{CERTIFICATE_PATH}",
        f"https://{HOST}.{CERTIFICATE_PATH}",
        f"https://{HOST}.evil.example{CERTIFICATE_PATH}",
        f"https://evil.example/{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example/?{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example#{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example\\@{HOST}{CERTIFICATE_PATH}",
        f"https://user@{HOST}{CERTIFICATE_PATH}",
        f"https://user:password@{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST}@evil.example{CERTIFICATE_PATH}",
        f"https://evil.example/@{HOST}{CERTIFICATE_PATH}",
        f"https://x{HOST}{CERTIFICATE_PATH}",
        f"https://x.{HOST}{CERTIFICATE_PATH}",
        f"https://snsXeu-central-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.com.evil{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.com.cn.evil{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.cn{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonawsXcom{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.s3.amazonaws.com{CERTIFICATE_PATH}",
        f"https://s3.eu-central-1.amazonaws.com/bucket{CERTIFICATE_PATH}",
        f"https://sns.us-east-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns..amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.ämazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-centrаl-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://xn--sns-abc.eu-central-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://{HOST}{CERTIFICATE_PATH}?x=1",
        f"https://{HOST}{CERTIFICATE_PATH}#x",
        f"https://{HOST}{CERTIFICATE_PATH}\n",
        f" https://{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST}/evil.pem",
        f"https://{HOST}/x{CERTIFICATE_PATH}",
        f"https://{HOST}/..{CERTIFICATE_PATH}",
        f"https://{HOST}/SimpleNotificationService-..%2fevil.pem",
        f"https://{HOST}/SimpleNotificationService-.pem",
        f"https://{HOST}/SimpleNotificationService-0123.pem.exe",
        f"https://{HOST}/SimpleNotificationService-xyz.pem",
        f"https://{HOST}/",
        "file:///etc/passwd",
        "//evil.example",
        "",
    ],
)
def test_certificate_url_outside_amazon_is_refused_before_any_request(amazon, sns, url):
    refused(sns.notification(EVENT, SigningCertURL=url))
    assert amazon.dialled == []


@pytest.mark.parametrize("validity", [{"ends": timedelta(seconds=-1)}, {"starts": timedelta(days=1)}])
def test_expired_certificate_is_refused(amazon, sns, validity):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(sns.key, **validity))
    refused(sns.notification(EVENT))


def test_kept_certificate_is_refused_once_it_has_expired(amazon, sns, time_machine):
    ses.verify_and_parse(as_posted(sns.notification(EVENT)))
    time_machine.move_to(datetime.now(UTC) + timedelta(days=301))
    refused(sns.notification(EVENT))


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"<html>a page</html>"),
        (200, {}, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        (200, {}, b"\x00" * 1000),
    ],
)
def test_url_without_a_certificate_is_refused(amazon, sns, answer):
    amazon.answers[CERTIFICATE_PATH] = answer
    refused(sns.notification(EVENT))
    assert amazon.asked == [CERTIFICATE_PATH]


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b""),
        (403, {}, b"<Error/>"),
        (204, {}, b""),
        (301, {"Location": f"https://{HOST}/elsewhere.pem"}, b""),
        (302, {"Location": "https://evil.example/cert.pem"}, b""),
    ],
)
def test_redirect_or_refusal_of_the_certificate_cannot_verify(amazon, sns, answer):
    amazon.answers[CERTIFICATE_PATH] = answer
    refused(sns.notification(EVENT), CannotVerifyError)
    assert amazon.asked == [CERTIFICATE_PATH]


def test_huge_certificate_is_refused(amazon, sns):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(sns.key, extra=fetching.LARGEST))
    refused(sns.notification(EVENT))
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(sns.key) + b"\n" * fetching.LARGEST)
    refused(sns.notification(EVENT))


def test_endless_certificate_is_refused(amazon, sns):
    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    amazon.answers[CERTIFICATE_PATH] = pour
    refused(sns.notification(EVENT))


SHORT_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
CURVE_KEY = ec.generate_private_key(ec.SECP256R1())


def test_certificate_with_a_short_key_is_refused(amazon):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(SHORT_KEY))
    refused(signing.Sns(SHORT_KEY).notification(EVENT))


def test_certificate_with_another_type_of_key_is_refused(amazon, sns):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(CURVE_KEY))
    refused(sns.notification(EVENT))


@pytest.mark.parametrize("answer", [(500, {}, b""), (503, {}, b""), (429, {}, b""), hang, drip, cut])
def test_failing_amazon_cannot_verify(amazon, sns, monkeypatch, answer):
    monkeypatch.setattr(fetching, "TIMEOUTS_S", (0.5, 0.5))
    monkeypatch.setattr(fetching, "WHOLE_ANSWER_S", 0.3)
    good, amazon.answers[CERTIFICATE_PATH] = amazon.answers[CERTIFICATE_PATH], answer
    error = refused(sns.notification(EVENT), CannotVerifyError)
    assert error.__context__ is None
    amazon.answers[CERTIFICATE_PATH] = good
    assert ses.verify_and_parse(as_posted(sns.notification(EVENT))).events


def test_refused_connection_cannot_verify(amazon, sns):
    amazon.port = 1
    refused(sns.notification(EVENT), CannotVerifyError)


def test_host_with_an_untrusted_certificate_is_not_used(amazon, sns, monkeypatch, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "other.pem"))
    refused(sns.notification(EVENT), CannotVerifyError)
    assert amazon.asked == []


def test_proxy_of_the_environment_is_ignored(amazon, sns, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert ses.verify_and_parse(as_posted(sns.notification(EVENT))).events


def test_certificates_are_fetched_one_at_a_time(amazon, sns, monkeypatch):
    monkeypatch.setattr(certificates, "WAIT_FOR_ANOTHER_S", 0.01)
    with certificates._fetching:
        refused(sns.notification(EVENT), CannotVerifyError)
    assert amazon.dialled == []
    assert ses.verify_and_parse(as_posted(sns.notification(EVENT))).events


class TestLocalSigner:
    @pytest.fixture
    def local(self, amazon, settings, tmp_path, other_signer):
        path = tmp_path / "local.pem"
        path.write_bytes(certificate(other_signer.key))
        settings.SNS_CERTIFICATE_FILE = str(path)
        settings.MAILROOM_LOCAL = True
        return path

    def test_local_certificate_is_used_on_a_developers_machine(self, local, amazon, other_signer):
        assert ses.verify_and_parse(as_posted(other_signer.notification(EVENT))).events
        assert amazon.dialled == []

    def test_amazons_signature_is_refused_there(self, local, sns):
        refused(sns.notification(EVENT))

    def test_local_certificate_is_ignored_in_production(self, local, settings, sns, other_signer):
        settings.MAILROOM_LOCAL = False
        refused(other_signer.notification(EVENT))
        assert ses.verify_and_parse(as_posted(sns.notification(EVENT))).events

    def test_topic_is_still_checked(self, local, other_signer):
        refused(other_signer.notification(EVENT, TopicArn="arn:aws:sns:eu-central-1:123456789012:other"))

    def test_missing_file_cannot_verify(self, local, other_signer):
        local.unlink()
        refused(other_signer.notification(EVENT), CannotVerifyError)
