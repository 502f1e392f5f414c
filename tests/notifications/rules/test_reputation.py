"""Rates and limits."""

import pytest

from notifications.rules.reputation import (
    GMAIL_COMPLAINTS,
    SES_BOUNCES,
    SES_COMPLAINTS,
    Judgement,
    judge,
    report_rate,
)


@pytest.mark.parametrize(
    ("reports", "sent", "limits", "judgement"),
    [
        (0, 0, SES_BOUNCES, Judgement.FEW),
        (50, 99, SES_BOUNCES, Judgement.FEW),
        (0, 100, SES_BOUNCES, Judgement.OK),
        (4, 100, SES_BOUNCES, Judgement.OK),
        (5, 100, SES_BOUNCES, Judgement.NEAR),
        (99, 1000, SES_BOUNCES, Judgement.NEAR),
        (100, 1000, SES_BOUNCES, Judgement.OVER),
        # Bounces of email from before the period.
        (300, 200, SES_BOUNCES, Judgement.OVER),
        # A single complaint is no rate.
        (1, 100, SES_COMPLAINTS, Judgement.OK),
        (2, 2001, SES_COMPLAINTS, Judgement.OK),
        (2, 2000, SES_COMPLAINTS, Judgement.NEAR),
        (4, 1000, SES_COMPLAINTS, Judgement.NEAR),
        (5, 1000, SES_COMPLAINTS, Judgement.OVER),
        (2, 1000, GMAIL_COMPLAINTS, Judgement.NEAR),
        (3, 1000, GMAIL_COMPLAINTS, Judgement.OVER),
    ],
)
def test_judgement(reports, sent, limits, judgement):
    assert judge(reports, sent, limits) is judgement


@pytest.mark.parametrize(("reports", "sent", "expected"), [(0, 0, None), (1, 4, 0.25), (5, 4, 1.0)])
def test_report_rate(reports, sent, expected):
    assert report_rate(reports, sent) == expected
