"""The meanings of answers of HTTP APIs, without a server."""

import pytest

from notifications.providers.base.answers import RawAnswer, read_answer
from notifications.providers.base.answers.meaning import MESSAGE_REFUSED, OUTAGE, REFUSES_US, THROTTLED, UNKNOWN
from notifications.providers.registry import PROVIDERS
from notifications.providers.ses import answers as ses

TABLES = [spec.backend().answers for spec in PROVIDERS.values() if spec.backend().answers]


@pytest.mark.parametrize("rows", TABLES)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (402, REFUSES_US),
        (406, MESSAGE_REFUSED),
        (408, OUTAGE),
        (409, MESSAGE_REFUSED),
        (410, MESSAGE_REFUSED),
        (415, MESSAGE_REFUSED),
        (422, MESSAGE_REFUSED),
        (429, THROTTLED),
        (599, OUTAGE),
        (200, UNKNOWN),
        (299, UNKNOWN),
    ],
)
def test_documented_shape_proves_that_nothing_was_sent(rows, status, expected):
    assert read_answer(rows, RawAnswer(status=status, code="Odd", text="no"))[0] == expected


@pytest.mark.parametrize("rows", TABLES)
@pytest.mark.parametrize("status", [200, 202, 299, 400, 402, 408, 409, 422, 499, 500, 502, 503, 504, 520, 599])
def test_page_of_a_gateway_proves_nothing(rows, status):
    assert read_answer(rows, RawAnswer(status=status, text="no"))[0] == UNKNOWN


@pytest.mark.parametrize("code", ["MessageRejected", "BadRequestException"])
@pytest.mark.parametrize(
    "address", ["sending-paused@b.example", "blacklisted@b.example", "a@sending.suspended.example"]
)
def test_words_in_a_repeated_address_are_ignored(code, address):
    assert (
        read_answer(ses.ROWS, RawAnswer(status=400, code=code, text=f"Illegal address <{address}>"))[0]
        == MESSAGE_REFUSED
    )


@pytest.mark.parametrize("code", ["ThrottledException", "RequestLimitExceeded", "BandwidthLimitExceeded"])
@pytest.mark.parametrize("status", [400, 429, 503])
def test_all_throttling_codes_of_aws_are_known(code, status):
    assert read_answer(ses.ROWS, RawAnswer(status=status, code=code))[0] == THROTTLED


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("LimitExceeded", THROTTLED),
        ("MailFromDomainNotVerified", REFUSES_US),
        ("ConfigurationSetDoesNotExist", REFUSES_US),
        ("AccountSendingPaused", REFUSES_US),
        ("InvalidParameterValue", MESSAGE_REFUSED),
        ("ExpiredToken", REFUSES_US),
        ("E", UNKNOWN),
    ],
)
def test_codes_of_aws_have_one_meaning_in_both_protocols(code, expected):
    for name in (code, f"{code}Exception"):
        assert read_answer(ses.ROWS, RawAnswer(status=400, code=name))[0] == expected
