"""The SES account with two third-party doubles, and with AWS' documented answers for the rest."""

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from notifications.providers.base.account import NO_PROBLEM, Quota
from notifications.providers.base.sending import ProviderError
from notifications.providers.ses import account as ses
from notifications.providers.ses import findings
from notifications.providers.ses.account import SesAccount
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason
from tests.notifications.providers.base.account_contract import SECRET, AccountContract, levels
from tests.notifications.providers.ses.ses_double import ACCOUNT, ses_double

pytestmark = pytest.mark.usefixtures("sender")

TOPIC = "arn:aws:sns:eu-central-1:1:mailroom"
IDENTITY = {
    "IdentityType": "DOMAIN",
    "VerifiedForSendingStatus": True,
    "VerificationStatus": "SUCCESS",
    "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS", "Tokens": ["one", "two"]},
}
DESTINATION = {
    "Name": "events",
    "Enabled": True,
    "MatchingEventTypes": ["SEND", "DELIVERY", "DELIVERY_DELAY", "BOUNCE", "COMPLAINT", "REJECT", "CLICK"],
    "SnsDestination": {"TopicArn": TOPIC},
}
SUPPRESSED = "DELETE /v2/email/suppression/addresses/ada%40example.com"


@pytest.fixture(autouse=True)
def region(settings, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    settings.SES_REGION = "eu-central-1"
    settings.SES_CONFIGURATION_SET = ""
    settings.SES_WEBHOOK_TOPICS = [TOPIC]


@pytest.fixture
def at(settings):
    def point(url):
        settings.SES_ENDPOINT_URL = url

    return point


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


class TestEdge(AccountContract):
    made = SesAccount

    @pytest.fixture
    def at(self, at):
        return at

    def questions(self):
        yield from super().questions()
        yield lambda: self.made().quota()

    @pytest.mark.parametrize("answer", [{"hello": "world"}, {"SendQuota": {}}])
    def test_answer_without_the_fields_gives_no_quota(self, api, at, answer):
        at(api.url)
        api.answers = {"GET /v2/email/account": (200, answer)}
        with pytest.raises(ProviderError, match="ambiguous"):
            SesAccount().quota()

    @pytest.mark.parametrize(
        ("region", "url"),
        [("", "http://127.0.0.1:1"), ("not a region", ""), ("eu-central-1", "not an address")],
    )
    def test_set_up_that_boto3_rejects_is_misconfigured(self, settings, monkeypatch, region, url):
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        settings.SES_REGION, settings.SES_ENDPOINT_URL = region, url
        with pytest.raises(ProviderError) as refused:
            SesAccount().quota()
        assert refused.value.error_class is ErrorClass.MISCONFIGURED
        assert refused.value.__context__ is None


class TestAgainstAwsSesV2Local:
    def test_quota_and_account_are_read(self, at, tmp_path):
        with ses_double(tmp_path) as url:
            at(url)
            assert SesAccount().quota() == Quota(per_second=14, per_day=50000, sent_today=1234)
            found = SesAccount().inspect()
        assert levels(found)[:3] == [("credentials", "ok"), ("sending", "ok"), ("sandbox", "ok")]

    def test_sandbox_and_no_daily_limit_are_read(self, at, tmp_path):
        limits = {"Max24HourSend": -1, "MaxSendRate": 1.5, "SentLast24Hours": 0}
        with ses_double(tmp_path, SendQuota=limits, ProductionAccessEnabled=False) as url:
            at(url)
            assert SesAccount().quota() == Quota(per_second=1.5, per_day=None, sent_today=0)
            assert levels(SesAccount().inspect())[2] == ("sandbox", "note")


class TestAgainstMoto:
    @pytest.fixture
    def client(self, moto, at):
        at(moto)
        return boto3.client("sesv2", region_name="eu-central-1", endpoint_url=moto)

    def test_sender_and_configuration_set_are_found(self, client, settings):
        assert SesAccount()._identities == {}
        settings.SES_CONFIGURATION_SET = "shop"
        assert levels(SesAccount()._reports()) == [("reports", "bad")]
        client.create_email_identity(EmailIdentity="example.com")
        client.create_configuration_set(ConfigurationSetName="shop")
        account = SesAccount()
        assert list(account._identities) == ["example.com"]
        # moto has no verified identities and no destinations.
        assert levels(findings.identity(account._identities)) == [("sender", "bad")]
        with pytest.raises(ProviderError):
            account._reports()

    def test_foreign_404_does_not_mean_that_an_address_is_on_no_list(self, client):
        # moto has no suppression list: its 404 differs from SES' 404 for an address that is not listed.
        with pytest.raises(ProviderError):
            SesAccount().unsuppress("ada@example.com")


class TestAgainstDocumentedAnswers:
    @pytest.fixture
    def whole(self, api, at, settings):
        at(api.url)
        settings.SES_CONFIGURATION_SET = "shop"
        missing = (404, {"message": "no such identity"})
        api.headers = {"x-amzn-ErrorType": "NotFoundException", "x-amzn-RequestId": "1"}
        api.answers = {
            "GET /v2/email/account": (200, ACCOUNT),
            "GET /v2/email/identities/hello%40mail.example.com": missing,
            "GET /v2/email/identities/mail.example.com": missing,
            "GET /v2/email/identities/example.com": (200, IDENTITY),
            "GET /v2/email/configuration-sets/shop": (200, {"SendingOptions": {"SendingEnabled": True}}),
            "GET /v2/email/configuration-sets/shop/event-destinations": (200, {"EventDestinations": [DESTINATION]}),
        }
        return api

    def test_verified_parent_domain_is_good(self, whole):
        found = SesAccount().inspect()
        assert {level for _, level in levels(found)} == {"ok"}
        subjects = ["credentials", "sending", "sandbox", "sender", "signature", "reports"]
        assert [finding.subject for finding in found] == subjects
        assert SesAccount().dkim_names() == ["one._domainkey.example.com", "two._domainkey.example.com"]

    def test_quota_and_findings_share_one_request(self, whole):
        account = SesAccount()
        account.inspect()
        account.quota()
        account.dkim_names()
        assert whole.paths().count("GET /v2/email/account") == 1
        assert whole.paths().count("GET /v2/email/identities/example.com") == 1

    def test_credentials_that_may_only_send_leave_notes(self, whole):
        whole.headers = {"x-amzn-ErrorType": "AccessDeniedException"}
        whole.answers = dict.fromkeys(whole.answers, (403, {"message": "not authorized to perform ses:GetAccount"}))
        found = SesAccount().inspect()
        assert levels(found) == [("credentials", "note"), ("sender", "note"), ("reports", "note")]
        assert "ses:GetAccount" in found[0].hint

    def test_throttled_request_is_repeated_once(self, whole, monkeypatch):
        monkeypatch.setattr(ses, "PAUSE_S", 0.01)
        whole.headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
        whole.answers["GET /v2/email/account"] = [(429, {"message": "Rate exceeded"}), (200, ACCOUNT)]
        assert levels(SesAccount().inspect())[0] == ("credentials", "ok")

    def test_request_for_the_quota_is_not_repeated(self, whole):
        whole.headers = {"x-amzn-ErrorType": "TooManyRequestsException"}
        whole.answers["GET /v2/email/account"] = (429, {"message": "Rate exceeded"})
        with pytest.raises(ProviderError, match="rate-limited"):
            SesAccount().quota()
        assert len(whole.asked) == 1

    def test_address_is_removed_from_the_list(self, whole):
        whole.answers[SUPPRESSED] = (200, "")
        assert SesAccount().unsuppress("ada@example.com") is True
        whole.answers[SUPPRESSED] = (404, {"message": "not on the list"})
        assert SesAccount().unsuppress("ada@example.com") is False

    @pytest.mark.parametrize(
        ("listed", "reason", "lifted"),
        [
            ("BOUNCE", Reason.HARD_BOUNCE, True),
            ("COMPLAINT", Reason.HARD_BOUNCE, False),
            ("COMPLAINT", Reason.COMPLAINT, True),
            ("BOUNCE", Reason.UNSUBSCRIBED, False),
        ],
    )
    def test_lifting_one_reason_keeps_an_address_listed_for_another(self, whole, listed, reason, lifted):
        whole.answers[SUPPRESSED.replace("DELETE", "GET")] = (200, {"SuppressedDestination": {"Reason": listed}})
        whole.answers[SUPPRESSED] = (200, "")
        assert SesAccount().unsuppress("ada@example.com", reason) is lifted
        assert (SUPPRESSED in whole.paths()) is lifted

    def test_configuration_set_of_the_identity_is_checked(self, whole, settings):
        settings.SES_CONFIGURATION_SET = ""
        assert levels(SesAccount()._reports()) == [("reports", "note")]
        whole.answers["GET /v2/email/identities/example.com"] = (200, {**IDENTITY, "ConfigurationSetName": "shop"})
        assert levels(SesAccount()._reports()) == [("reports", "ok")]


@pytest.mark.parametrize(
    ("changes", "level", "code"),
    [
        ({"SendingEnabled": False}, "bad", "paused"),
        ({"EnforcementStatus": "SHUTDOWN"}, "bad", "shut-down"),
        ({"EnforcementStatus": "PROBATION"}, "note", "under-review"),
        ({}, "ok", "enabled"),
    ],
)
def test_health_of_the_account_is_evaluated(changes, level, code):
    found = findings.account({**ACCOUNT, **changes})[1]
    assert (found.level.value, found.code) == (level, code)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, [("sender", "bad")]),
        ({"example.com": {**IDENTITY, "VerifiedForSendingStatus": False}}, [("sender", "bad")]),
        ({"a@example.com": {"VerifiedForSendingStatus": True}}, [("sender", "ok"), ("signature", "note")]),
        (
            {"a@example.com": {"VerifiedForSendingStatus": False}, "example.com": IDENTITY},
            [("sender", "ok"), ("signature", "ok")],
        ),
    ],
)
def test_best_identity_of_the_sender_decides(known, expected):
    assert levels(findings.identity(known)) == expected


@pytest.mark.parametrize(
    ("answer", "changes", "level", "code"),
    [
        ({"SendingOptions": {"SendingEnabled": False}}, {}, "bad", "paused"),
        ({}, {"SnsDestination": None}, "note", "no-topic"),
        ({}, {"Enabled": False}, "bad", "disabled"),
        (
            {},
            {"SnsDestination": {"TopicArn": "arn:aws:sns:eu-central-1:1:foreign"}},
            "bad",
            "foreign-topic",
        ),
        ({}, {"MatchingEventTypes": ["BOUNCE", "COMPLAINT", "DELIVERY", "REJECT"]}, "bad", "events-missing"),
        ({}, {}, "ok", NO_PROBLEM),
    ],
)
def test_reports_of_a_configuration_set_are_evaluated(answer, changes, level, code):
    (found,) = findings.configuration_set("shop", answer, [{**DESTINATION, **changes}])
    assert (found.level.value, found.code) == (level, code), found


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({"example.com": {"DkimAttributes": {"Status": "NOT_STARTED"}}}, []),
        (
            {"a@example.com": IDENTITY, "example.com": IDENTITY},
            ["one._domainkey.example.com", "two._domainkey.example.com"],
        ),
    ],
)
def test_dkim_names_are_those_of_the_domain(known, expected):
    assert findings.dkim_names(known) == expected
