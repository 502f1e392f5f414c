import json

import pytest
import requests

from devtools.benchmarks.throughput import provider
from devtools.benchmarks.throughput.double import API_KEY, SEND, RejectedError, recipients

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


def test_a_batch_has_one_recipient_for_each_personalization():
    batch = GOOD | {"personalizations": [{"to": [{"email": f"{name}@example.com"}]} for name in "ab"]}
    assert recipients(batch) == ["a@example.com", "b@example.com"]


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


def test_a_new_count_starts_at_zero(double):
    double.restart(delay_ms=0)
    assert double.count() == 0


def test_its_capacity_can_be_measured(double):
    assert double.capacity(100) > 0
