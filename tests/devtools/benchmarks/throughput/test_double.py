import json

import pytest
import requests

from devtools.benchmarks.throughput import provider
from devtools.benchmarks.throughput.double import (
    API_KEY,
    ID_KEY,
    MOST_PERSONALIZATIONS,
    MOST_SUBSTITUTED_BYTES,
    SEND,
    RejectedError,
    recipients,
)
from notifications.providers.base.sending import Accepted
from notifications.providers.sendgrid.backend import SendGrid
from tests.notifications.providers.base.batch_contract import batch_to, recipient

GOOD = {
    "from": {"email": "site@example.com"},
    "subject": "Welcome",
    "personalizations": [{"to": [{"email": "ada@example.com"}]}],
    "content": [{"type": "text/plain", "value": "text"}, {"type": "text/html", "value": "<p>text</p>"}],
}


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    with provider.running(tmp_path_factory.mktemp("double")) as running:
        yield running


def send(double, body, key=API_KEY):
    return requests.post(f"{double.url}{SEND}", data=body, headers={"Authorization": f"Bearer {key}"}, timeout=10)


def entry(name, *, token="-name-", text="Ada", **changed):
    return {
        "to": [{"email": f"{name}@example.com"}],
        "custom_args": {ID_KEY: name},
        "substitutions": {token: text},
    } | changed


def batch(*entries):
    content = [{"type": kind, "value": "Hi -name-"} for kind in ("text/plain", "text/html")]
    return GOOD | {"personalizations": list(entries), "content": content}


def test_a_batch_has_one_recipient_for_each_personalization():
    assert recipients(batch(entry("a"), entry("b", text="Bo"))) == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    "second",
    [
        entry("b", custom_args={}),
        entry("b", custom_args={ID_KEY: "a"}),
        entry("b", substitutions={}),
        entry("b", text=1),
        entry("b", text="é" * MOST_SUBSTITUTED_BYTES),
    ],
)
def test_a_wrong_batch_is_rejected(second):
    with pytest.raises(RejectedError):
        recipients(batch(entry("a"), second))


def test_a_token_that_the_content_does_not_have_is_rejected():
    with pytest.raises(RejectedError):
        recipients(batch(*(entry(name, token="-surname-") for name in "ab")))


def test_a_batch_has_a_limit():
    with pytest.raises(RejectedError):
        recipients(batch(*(entry(str(number)) for number in range(MOST_PERSONALIZATIONS + 1))))


@pytest.mark.parametrize(
    "changed",
    [
        {"personalizations": []},
        {"personalizations": [{"to": [{"email": "a@example.com"}, {"email": "b@example.com"}]}]},
        {"personalizations": [{"to": [{"email": "no address"}]}]},
        {"from": {}},
        {"subject": ""},
        {"content": [{"type": "text/plain", "value": "text"}]},
        {"content": None},
    ],
)
def test_a_request_of_another_shape_is_rejected(changed):
    with pytest.raises(RejectedError):
        recipients(GOOD | changed)


def test_the_double_counts_what_it_accepts(double):
    double.restart(delay_ms=20)
    assert send(double, json.dumps(GOOD)).status_code == 202
    assert send(double, json.dumps(GOOD)).status_code == 202
    assert send(double, json.dumps(GOOD), key="another").status_code == 401
    assert send(double, b"no json").status_code == 400
    results = double.results()
    assert double.count() == 1
    assert results["duplicates"] == {"ada@example.com": 1}
    assert sum(results["rejected"].values()) == 2


def test_the_double_counts_the_emails_of_a_batch(double):
    double.restart(delay_ms=0)
    assert send(double, json.dumps(batch(entry("a"), entry("b")))).status_code == 202
    assert double.count() == 2
    assert double.results()["requests"] == 1


def test_the_double_accepts_the_batches_of_the_engine(double, settings):
    settings.SENDGRID_API_KEY, settings.SENDGRID_API_URL = API_KEY, f"{double.url}/v3/"
    double.restart(delay_ms=0)
    answers = SendGrid().send_batch(batch_to(recipient(1), recipient(2)))
    assert [type(answer) for answer in answers] == [Accepted, Accepted]
    results = double.results()
    assert (double.count(), results["requests"], results["rejected"]) == (2, 1, {})


def test_a_new_count_starts_at_zero(double):
    double.restart(delay_ms=0)
    assert double.count() == 0


def test_its_capacity_can_be_measured(double):
    assert double.capacity(100) > 0
