import pytest

from notifications.delivery.rates import BadRateError, parse

NAMES = ["ses", "sendgrid"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("10", {"ses": 10.0, "sendgrid": 10.0}),
        ("ses=0.5", {"ses": 0.5}),
        (" ses = 10 , sendgrid=50", {"ses": 10.0, "sendgrid": 50.0}),
    ],
)
def test_parse(text, expected):
    assert parse(text, NAMES) == expected


@pytest.mark.parametrize("text", ["ten", "-1", "0", "nan", "inf", "ses=", "mailgun=5", "ses=5;sendgrid=5", "ses=10,,"])
def test_unreadable_rate_is_refused(text):
    with pytest.raises(BadRateError):
        parse(text, NAMES)
