"""Refusals as our backends read them, SES's quota through boto3, the providers' suppression lists."""

import json
from datetime import datetime, timedelta

import boto3
import pytest
import requests

from notifications.providers.base import connections
from notifications.providers.base.sending import ProviderError
from notifications.providers.postmark.backend import Postmark
from notifications.providers.registry import account_of
from notifications.providers.sendgrid.backend import SendGrid
from notifications.providers.ses.backend import Ses, client_params
from notifications.providers.simulator.backend import Simulator
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason
from tests.devtools.simulator.requests_of import CREDENTIALS, PATHS, body_of
from tests.notifications.providers.base.outgoing import outgoing
from tests.simulated import simulator

A, M, P, R, T = (
    ErrorClass.AMBIGUOUS,
    ErrorClass.MISCONFIGURED,
    ErrorClass.PERMANENT,
    ErrorClass.RATE_LIMITED,
    ErrorClass.TRANSIENT,
)
ADAPTERS = {"simulator": Simulator, "sendgrid": SendGrid, "postmark": Postmark, "ses": Ses}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture(autouse=True)
def set_up(server, settings, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    settings.SENDGRID_API_KEY, settings.SENDGRID_API_URL = "SG.a-key", f"{server.url}/v3/"
    settings.POSTMARK_SERVER_TOKEN, settings.POSTMARK_API_URL = "a-token", f"{server.url}/"
    settings.SES_REGION, settings.SES_ENDPOINT_URL = "eu-central-1", server.url
    settings.SIMULATOR_URL = server.url
    settings.PROVIDER_READ_TIMEOUT_S = 0.5
    connections.close_all()
    server.set_controls(error_text="", error_status=503, fail_next=0, retry_after_s=7, hang_s=2)
    server.set_controls(fault="none", fault_next=0, bounce_rate=0, complaint_rate=0)
    yield
    connections.close_all()


def refusal(provider):
    with pytest.raises(ProviderError) as refused:
        ADAPTERS[provider]().send(outgoing())
    return refused.value


@pytest.mark.parametrize(
    ("provider", "status", "text", "meaning"),
    [
        ("sendgrid", 401, "", (M, "http-401", None)),
        ("sendgrid", 401, "Maximum credits exceeded", (R, "credits-exhausted", 3600)),
        ("sendgrid", 403, "", (M, "http-403", None)),
        ("sendgrid", 429, "", (R, "http-429", 7)),
        ("sendgrid", 500, "", (T, "http-500", None)),
        ("sendgrid", 502, "", (A, "http-502", None)),
        ("sendgrid", 503, "", (T, "http-503", None)),
        ("simulator", 429, "", (R, "http-429", 7)),
        ("postmark", 401, "", (M, "http-401", None)),
        ("postmark", 429, "", (R, "http-429", 7)),
        ("postmark", 500, "", (T, "http-500", None)),
        ("postmark", 503, "", (T, "http-503", None)),
        ("postmark", 504, "", (A, "http-504", None)),
        ("ses", 403, "", (M, "InvalidClientTokenId", None)),
        ("ses", 429, "", (R, "TooManyRequestsException", None)),
        ("ses", 429, "Daily message quota exceeded.", (R, "daily-quota", 600)),
        ("ses", 500, "", (T, "InternalServiceErrorException", None)),
        ("ses", 503, "", (T, "ServiceUnavailable", None)),
        ("ses", 504, "", (A, "http-504", None)),
    ],
)
def test_backend_reads_a_refusal_like_a_real_one(server, provider, status, text, meaning):
    server.set_controls(provider, fail_next=1, error_status=status, error_text=text)
    error = refusal(provider)
    assert (error.error_class, error.code, error.retry_after_s) == meaning


@pytest.mark.parametrize("status", [401, 403, 404, 418, 422, 429, 499, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("provider", ADAPTERS)
def test_every_error_status_is_possible(server, provider, status):
    server.set_controls(provider, fail_next=1, error_status=status)
    body = body_of(provider, "ada@example.com", {})
    answer = requests.post(server.url + PATHS[provider], json=body, headers=CREDENTIALS[provider], timeout=5)
    assert (answer.status_code, bool(answer.text)) == (status, True)


@pytest.mark.parametrize("fault", ["hang_after", "cut_after", "truncate", "hang_before", "cut_before"])
@pytest.mark.parametrize("provider", ADAPTERS)
def test_lost_answer_is_ambiguous_and_not_retried(server, provider, fault):
    before = server.stats()["accepted"]
    server.set_controls(provider, fault=fault, fault_next=1)
    assert refusal(provider).error_class is A
    assert server.stats()["accepted"] == before + (not fault.endswith("before"))


def sesv2():
    params = client_params()
    return boto3.client("sesv2", **{**params, "config": None})


def test_ses_account_has_quota_and_state(server):
    server.set_controls("ses", quota_per_second=5, quota_per_day=200, sending_enabled=False, production_access=False)
    before = sesv2().get_account()["SendQuota"]["SentLast24Hours"]
    Ses().send(outgoing())
    SendGrid().send(outgoing())
    account = sesv2().get_account()
    assert account["SendQuota"] == {"MaxSendRate": 5, "Max24HourSend": 200, "SentLast24Hours": before + 1}
    assert (account["SendingEnabled"], account["ProductionAccessEnabled"]) == (False, False)
    assert account["EnforcementStatus"] == "HEALTHY"


def test_account_requires_credentials(server):
    assert server.get("/v2/email/account").status_code == 403
    assert requests.delete(f"{server.url}/v3/suppression/bounces/a@example.com", timeout=5).status_code == 401
    url = f"{server.url}/message-streams/outbound/suppressions/delete"
    assert requests.post(url, json={"Suppressions": []}, timeout=5).status_code == 401
    assert server.get("/message-streams/outbound/suppressions/dump").status_code == 401


def fate_of_next(server, provider, to):
    ADAPTERS[provider]().send(outgoing(to_address=to))
    return server.messages()[0]["outcome"]


def bounced_before(server, provider, address):
    server.set_controls(provider, bounce_rate=1)
    assert fate_of_next(server, provider, address) == "bounced"
    server.set_controls(provider, bounce_rate=0)


@pytest.mark.parametrize("provider", ["ses", "sendgrid", "simulator"])
def test_bounced_address_is_dropped_until_it_is_lifted(server, provider):
    address, account = f"Grace+{provider}@example.com", account_of(provider)
    assert not account.unsuppress(address)
    bounced_before(server, provider, address)
    assert fate_of_next(server, provider, address) == "suppressed"
    assert account.unsuppress(address)
    assert not account.unsuppress(address)
    assert fate_of_next(server, provider, address) == "delivered"


def test_postmark_refuses_a_bounced_address_until_it_is_lifted(server):
    address, account = "Grace+postmark@example.com", account_of("postmark")
    assert not account.unsuppress(address)
    bounced_before(server, "postmark", address)
    with pytest.raises(ProviderError) as refused:
        Postmark().send(outgoing(to_address=address))
    assert refused.value.error_class is P
    body = body_of("postmark", address, {})
    answer = requests.post(server.url + PATHS["postmark"], json=body, headers=CREDENTIALS["postmark"], timeout=5)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (422, 406)
    assert account.unsuppress(address)
    assert not account.unsuppress(address)
    assert fate_of_next(server, "postmark", address) == "delivered"


@pytest.mark.parametrize("provider", ["ses", "sendgrid", "simulator"])
def test_complaint_can_be_lifted(server, provider):
    address, account = f"complaint+{provider}@example.com", account_of(provider)
    ADAPTERS[provider]().send(outgoing(to_address=address))
    assert (account.unsuppress(address), account.unsuppress(address)) == (True, False)


def test_postmark_does_not_lift_complaints(server):
    Postmark().send(outgoing(to_address="complaint@example.com"))
    with pytest.raises(ProviderError) as kept:
        account_of("postmark").unsuppress("complaint@example.com")
    assert (kept.value.error_class, kept.value.code) == (P, "kept")


def test_postmark_dumps_its_list_as_documented(server):
    bounced_before(server, "postmark", "dumped@example.com")
    Postmark().send(outgoing(to_address="complaint@example.com"))
    (one,) = dump(server, EmailAddress="Dumped@example.com")
    assert datetime.fromisoformat(one.pop("CreatedAt")).utcoffset() == timedelta(0)
    assert one == {"EmailAddress": "dumped@example.com", "SuppressionReason": "HardBounce", "Origin": "Recipient"}
    assert {one["EmailAddress"] for one in dump(server, SuppressionReason="SpamComplaint")} == {"complaint@example.com"}
    assert {"dumped@example.com", "complaint@example.com"} <= {one["EmailAddress"] for one in dump(server)}
    assert dump(server, Origin="Admin") == dump(server, EmailAddress="unlisted@example.com") == []


def dump(server, **filters):
    url = f"{server.url}/message-streams/outbound/suppressions/dump"
    answer = requests.get(url, params=filters, headers=CREDENTIALS["postmark"], timeout=5)
    assert answer.status_code == 200
    return answer.json()["Suppressions"]


def test_postmark_reports_an_unlisted_address_as_deleted(server):
    url = f"{server.url}/message-streams/outbound/suppressions/delete"
    body = {"Suppressions": [{"EmailAddress": "unlisted@example.com"}]}
    answer = requests.post(url, json=body, headers=CREDENTIALS["postmark"], timeout=5)
    assert [one["Status"] for one in answer.json()["Suppressions"]] == ["Deleted"]


def test_broken_suppression_request_is_refused(server):
    url = f"{server.url}/message-streams/outbound/suppressions/delete"
    for raw in (b"{", b"[]", json.dumps({"Suppressions": [{}]}).encode()):
        assert requests.post(url, data=raw, headers=CREDENTIALS["postmark"], timeout=5).status_code == 422


def test_complaint_is_on_a_separate_list_of_sendgrid(server):
    SendGrid().send(outgoing(to_address="complaint@example.com"))
    for kind, status in (("bounces", 404), ("blocks", 404), ("spam_reports", 204), ("spam_reports", 404)):
        url = f"{server.url}/v3/suppression/{kind}/complaint@example.com"
        assert requests.delete(url, headers=CREDENTIALS["sendgrid"], timeout=5).status_code == status


@pytest.mark.parametrize("provider", ["ses", "sendgrid", "simulator", "postmark"])
def test_lifting_another_reason_keeps_the_bounce(server, provider):
    address, account = f"Grace+{provider}@example.com", account_of(provider)
    bounced_before(server, provider, address)
    for other in (Reason.COMPLAINT, Reason.UNSUBSCRIBED):
        assert not account.unsuppress(address, other)
    assert account.unsuppress(address, Reason.HARD_BOUNCE)
    assert not account.unsuppress(address, Reason.HARD_BOUNCE)
