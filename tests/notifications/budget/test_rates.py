import pytest

from notifications.budget.rates import BadRateError, parse_daily, parse_floors, parse_rates

NAMES = ["ses", "sendgrid"]
STREAMS = ["critical", "default", "bulk"]


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
    assert parse_rates(text, NAMES) == expected


@pytest.mark.parametrize(
    "text", ["ten", "-1", "0", "nan", "inf", "ses=", "mailgun=5", "ses=5;sendgrid=5", "ses=10,,", "ses=1,ses=2"]
)
def test_unreadable_rate_is_refused(text):
    with pytest.raises(BadRateError):
        parse_rates(text, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("bulk=0", {"bulk": 0.0}),
        ("bulk=1", {"bulk": 1.0}),
        ("critical=0.7, default=0.2, bulk=0.1", {"critical": 0.7, "default": 0.2, "bulk": 0.1}),
    ],
)
def test_floors(text, expected):
    assert parse_floors(text, STREAMS) == expected


@pytest.mark.parametrize(
    "text",
    ["0.2", "critical=0.7,bulk=0.4", "critical=1.2", "critical=-0.1", "critical=nan", "critical=half", "urgent=0.5"],
)
def test_impossible_floors_are_refused(text):
    with pytest.raises(BadRateError):
        parse_floors(text, STREAMS)


@pytest.mark.parametrize(
    ("text", "expected"), [("", {}), ("500", {"ses": 500, "sendgrid": 500}), ("ses=50000", {"ses": 50_000})]
)
def test_daily(text, expected):
    assert parse_daily(text, NAMES) == expected


@pytest.mark.parametrize("text", ["many", "0", "-5", "1.5", "nan", "inf", "1e300", "ses=", "mailgun=5", "ses=1,ses=2"])
def test_unreadable_day_is_refused(text):
    with pytest.raises(BadRateError):
        parse_daily(text, NAMES)
