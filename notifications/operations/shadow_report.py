"""Report how another backend and Mailroom took the same emails."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from notifications.rules.states import Status

#: What a copy may wait for its worker without being a difference.
WAITS_S = 60
# One row per copy, with what Mailroom did as one word. A message that ended without being composed was suppressed, has
# expired or was cancelled: Mailroom would not have sent the email. OFFSET 0: each message is found by its id.
_COPIES = """
WITH copies AS (
    SELECT one.*, coalesce(nullif(message.status_reason, ''), message.status, 'deleted') AS reason,
        extract(epoch FROM composed_at - one.created_at) AS wait_s,
        CASE
            WHEN new_error <> '' THEN 'failed'
            WHEN composed_at IS NOT NULL AND differences = '[]' THEN 'equal'
            WHEN composed_at IS NOT NULL THEN 'different'
            WHEN message.status <> ALL(%(open)s) OR message.id IS NULL THEN 'withheld'
            WHEN one.created_at < statement_timestamp() - %(waits_s)s * interval '1 second' THEN 'late'
            ELSE 'waiting'
        END AS taken
    FROM notifications_shadowcopy AS one
    LEFT JOIN LATERAL (SELECT * FROM notifications_message WHERE id = one.id OFFSET 0) AS message ON true
    WHERE one.created_at > statement_timestamp() - %(hours)s * interval '1 hour'
)
"""
_COUNTS = f"""{_COPIES}
SELECT taken, count(*), count(*) FILTER (WHERE old_error <> '') FROM copies GROUP BY taken
"""  # noqa: S608 - made of constants only
_TIMES = f"""{_COPIES}
SELECT percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY old_ms),
    percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY new_ms),
    percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY wait_s) FILTER (WHERE wait_s IS NOT NULL)
FROM copies
"""  # noqa: S608 - the same
_FINDINGS = f"""{_COPIES}
SELECT side, what, count(*), min(id::text) FROM (
    SELECT 'content' AS side, part AS what, id FROM copies, jsonb_array_elements_text(differences) AS part
    UNION ALL SELECT 'failed', new_error, id FROM copies WHERE taken = 'failed'
    UNION ALL SELECT taken, reason, id FROM copies WHERE taken IN ('withheld', 'late')
    UNION ALL SELECT 'old backend failed', old_error, id FROM copies WHERE old_error <> ''
) AS found GROUP BY side, what ORDER BY count(*) DESC, side, what LIMIT %(most)s
"""  # noqa: S608 - the same


@dataclass(frozen=True, kw_only=True)
class ShadowFinding:
    """What `count` emails have in common. `example` is the id of one of their messages."""

    side: str
    what: str
    count: int
    example: str


@dataclass(frozen=True, kw_only=True)
class Times:
    """The median and the 95th percentile; None without a value."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True)
class ShadowReport:
    """The emails of some hours.

    `mailroom` counts the copies by their result: "equal", "different", "failed", "withheld" (Mailroom would not have
    sent the email), "late" and "waiting".
    """

    mailroom: dict[str, int]
    old_accepted: int
    old_failed: int
    old_ms: Times
    mailroom_ms: Times
    hand_over_s: Times
    findings: tuple[ShadowFinding, ...]

    @property
    def copies(self) -> int:
        return sum(self.mailroom.values())

    @property
    def is_equal(self) -> bool:
        # Without a copy, nothing is known.
        differing = sum(self.mailroom[result] for result in ("different", "failed", "withheld", "late"))
        return self.copies > 0 and not differing


RESULTS = ("equal", "different", "failed", "withheld", "late", "waiting")


def shadow_report(*, hours: float, most: int) -> ShadowReport:
    """Report on the emails of the last `hours`, with the `most` frequent findings. Raises database errors."""
    asked: dict[str, Any] = {
        "hours": hours,
        "open": [Status.QUEUED, Status.SENDING],
        "waits_s": WAITS_S,
        "shares": [0.5, 0.95],
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        counts = cursor.fetchall()
        cursor.execute(_TIMES, asked)
        (times,) = cursor.fetchall()
        cursor.execute(_FINDINGS, asked)
        findings = [
            ShadowFinding(side=side, what=what, count=count, example=example)
            for side, what, count, example in cursor.fetchall()
        ]
    old_ms, mailroom_ms, hand_over_s = (
        Times(p50=one[0], p95=one[1]) for one in (each or (None, None) for each in times)
    )
    copies, failed = sum(count for _, count, _ in counts), sum(failed for *_, failed in counts)
    return ShadowReport(
        mailroom=dict.fromkeys(RESULTS, 0) | {result: count for result, count, _ in counts},
        old_accepted=copies - failed,
        old_failed=failed,
        old_ms=old_ms,
        mailroom_ms=mailroom_ms,
        hand_over_s=hand_over_s,
        findings=tuple(findings),
    )
