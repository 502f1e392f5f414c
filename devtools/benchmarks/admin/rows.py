"""The rows of the benchmark, as SQL over n, the number of a message: the oldest is 1."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from notifications.kinds import KINDS
from notifications.rules.states import Stream

DAYS = 300
# The newest are a backlog of bulk, and what was sent beside it.
BACKLOG = 0.02
BACKLOG_S = 3_600
FIRST_USER = 1_000
# A monitor: its address has more email than a search shows.
BUSY_ADDRESS = "monitor@example.com"
# No app declares it any more; few messages have it.
RETIRED_KIND = "order-shipped"
_DOMAINS = "(ARRAY['gmail.com', 'example.com', 'outlook.com', 'yahoo.com', 'example.org'])[1 + {} % 5]"
NAME = "(ARRAY['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Radia', 'Leslie'])[1 + n % 8] || ' ' || n"


def chance(salt: int, of: int) -> str:
    # A number below `of`, spread evenly and the same in each run.
    return f"(abs(hashint4((n + {salt * 1_000_003})::integer)::bigint) % {of})"


def address_of(number: str) -> str:
    return f"'person' || {number} || '@' || {_DOMAINS.format(f'({number})')}"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    messages: int
    now: datetime

    @property
    def users(self) -> int:
        return max(self.messages // 5, 100)

    @property
    def results(self) -> int:
        # Kept for a week.
        return max(self.messages // 5, 100)

    @property
    def suppressions(self) -> int:
        return max(self.messages // 50, 100)

    @property
    def log_entries(self) -> int:
        return max(self.messages // 50, 100)


def messages(sizes: Sizes, first: int, last: int, only: str = "true") -> str:
    """Return a query for messages with their attempt and their event: n, at, id, kind, status …"""
    newest = int(sizes.messages * (1 - BACKLOG))
    milliseconds = "lpad(to_hex((1000 * extract(epoch FROM at))::bigint), 12, '0')"
    return f"""
    SELECT * FROM (
        SELECT *, CASE WHEN status = 'sent' THEN {_outcome()} WHEN status = 'dead' AND n % 20 = 3 THEN 'bounced'
                ELSE 'unknown' END AS outcome,
            CASE WHEN status IN ('queued', 'suppressed', 'cancelled') THEN '' ELSE {_provider()} END AS provider,
            ({milliseconds} || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS id,
            CASE WHEN n % 100 <> 7 THEN {FIRST_USER} + person END AS user_id,
            CASE WHEN n % 100 = 7 THEN '{BUSY_ADDRESS}' ELSE {address_of("person")} END AS address
        FROM (SELECT *, {_status(newest, sizes.messages)} AS status, {_stream()} AS stream
            FROM (SELECT n, {_at(sizes, newest)} AS at, {_kind()} AS kind, 1 + {chance(4, sizes.users)} AS person
                FROM generate_series({first}, {last}) AS n) AS numbered) AS timed
    ) AS made WHERE {only}"""  # noqa: S608 - the texts are of this package


def _at(sizes: Sizes, newest: int) -> str:
    step_s, backlog_step_s = DAYS * 86_400 / sizes.messages, BACKLOG_S / max(sizes.messages - newest, 1)
    return f"""timestamptz '{sizes.now.isoformat()}' - interval '1 s' * CASE
        WHEN n > {newest} THEN ({sizes.messages} - n) * {backlog_step_s}
        ELSE {BACKLOG_S} + ({newest} - n) * {step_s} END"""


def _kind() -> str:
    bulk = _array(name for name, kind in KINDS.items() if kind.stream is Stream.BULK)
    single = _array(name for name, kind in KINDS.items() if kind.stream is not Stream.BULK)
    return f"""CASE WHEN n % 100003 = 5 THEN '{RETIRED_KIND}'
        WHEN {chance(1, 10)} < 6 THEN ({bulk})[1 + n % array_length({bulk}, 1)]
        WHEN {chance(1, 10)} < 8 THEN 'welcome' ELSE ({single})[1 + n % array_length({single}, 1)] END"""


def _array(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(repr(name) for name in names)}]"


def _stream() -> str:
    cases = " ".join(f"WHEN '{name}' THEN '{kind.stream.value}'" for name, kind in KINDS.items())
    return f"CASE kind {cases} ELSE 'default' END"


def _status(newest: int, count: int) -> str:
    draw, sending = chance(2, 100_000), min(count // 1000, 50)
    return f"""CASE WHEN n > {count - sending} THEN 'sending' WHEN n > {newest} AND n % 10 < 6 THEN 'queued'
        WHEN {draw} < 1000 THEN 'dead' WHEN {draw} < 2000 THEN 'suppressed' WHEN {draw} < 2500 THEN 'expired'
        WHEN {draw} < 3500 THEN 'cancelled' WHEN {draw} < 3505 THEN 'uncertain' ELSE 'sent' END"""


def _outcome() -> str:
    draw = chance(3, 1_000)
    return f"""CASE WHEN {draw} < 930 THEN 'delivered' WHEN {draw} < 970 THEN 'unknown' WHEN {draw} < 985 THEN 'bounced'
        WHEN {draw} < 986 THEN 'complained' WHEN {draw} < 998 THEN 'deferred' ELSE 'rejected' END"""


def _provider() -> str:
    draw = chance(5, 1_000)
    return f"CASE WHEN {draw} < 980 THEN 'simulator' WHEN {draw} < 999 THEN 'ses' ELSE 'postmark' END"
