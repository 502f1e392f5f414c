"""Say that a provider will act on bounces or complaints, before it does."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from notifications.operations.figures import Traffic
from notifications.operations.finding import Code, StatusFinding
from notifications.operations.wording import grouped, percent
from notifications.rules.reputation import (
    SES_BOUNCES,
    SES_COMPLAINTS,
    Judgement,
    ReputationLimits,
    judge,
    report_rate,
)

TOO_MANY = {Judgement.NEAR, Judgement.OVER}


def reputation_findings(providers: Sequence[Traffic]) -> Iterator[StatusFinding]:
    for traffic in providers:
        if judge(traffic.day_hard_bounced, traffic.day_sent, SES_BOUNCES) in TOO_MANY:
            text = _(
                "%(provider)s: %(reports)s of %(sent)s emails of the last 24 hours bounced (%(rate)s). Providers review"
                " an account from %(near)s on and pause it from %(over)s on. Find where these addresses come from."
            )
            values = _values(traffic, traffic.day_hard_bounced, SES_BOUNCES)
            yield StatusFinding(Code.BOUNCES, text % values, about=frozenset({traffic.provider}))
        if judge(traffic.day_complained, traffic.day_sent, SES_COMPLAINTS) in TOO_MANY:
            text = _(
                "%(provider)s: %(reports)s of %(sent)s emails of the last 24 hours were reported as spam (%(rate)s)."
                " Providers review an account from %(near)s on and pause it from %(over)s on. Send less, and"
                " only to users who asked for it."
            )
            values = _values(traffic, traffic.day_complained, SES_COMPLAINTS)
            yield StatusFinding(Code.COMPLAINTS, text % values, about=frozenset({traffic.provider}))


def _values(traffic: Traffic, reports: int, limits: ReputationLimits) -> dict[str, str]:
    return {
        "provider": traffic.provider,
        "reports": grouped(reports),
        "sent": grouped(traffic.day_sent),
        "rate": percent(report_rate(reports, traffic.day_sent) or 0.0),
        "near": percent(limits.near),
        "over": percent(limits.over),
    }
