"""Judge bounce and complaint rates against the limits of SES and Gmail. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Judgement(StrEnum):
    # Too little email to judge.
    FEW = "few"
    OK = "ok"
    NEAR = "near"
    OVER = "over"


@dataclass(frozen=True, kw_only=True)
class ReputationLimits:
    """Shares of the sent email. From `near` on it is a warning, from `over` on it has consequences."""

    near: float
    over: float


# Amazon's: https://docs.aws.amazon.com/ses/latest/dg/reputation-dashboard-messages.html: the account is reviewed, then
# its sending is paused. Only hard bounces count.
SES_BOUNCES = ReputationLimits(near=0.05, over=0.10)
SES_COMPLAINTS = ReputationLimits(near=0.001, over=0.005)
# Google's: https://support.google.com/a/answer/81126: stay below the first, never reach the second.
GMAIL_COMPLAINTS = ReputationLimits(near=0.001, over=0.003)

#: A single report of a few emails says little.
LEAST_SENT = 100
LEAST_REPORTS = 2


def report_rate(reports: int, sent: int) -> float | None:
    # None without email. A report may be of email from before the period.
    return min(1.0, reports / sent) if sent else None


def judge(reports: int, sent: int, limits: ReputationLimits) -> Judgement:
    if sent < LEAST_SENT:
        return Judgement.FEW
    share = reports / sent
    if reports < LEAST_REPORTS or share < limits.near:
        return Judgement.OK
    return Judgement.OVER if share >= limits.over else Judgement.NEAR
