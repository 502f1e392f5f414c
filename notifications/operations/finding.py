"""What an operator should know: a code, and a sentence that says what to do."""

from dataclasses import dataclass
from enum import StrEnum

from notifications.operations.advice import ProviderCode


class Code(StrEnum):
    DATABASE_AWAY = "database-away"
    DATABASE_FULL = "database-full"
    DISK_FULL = "disk-full"
    BROKER_AWAY = "broker-away"
    NO_PROVIDER = "no-provider"
    NO_REPORTS = "no-reports"
    NO_RELAY = "no-relay"
    NO_BEAT = "no-beat"
    STREAM_UNSERVED = "stream-unserved"
    PROCESS_SILENT = "process-silent"
    PROCESS_TROUBLE = "process-trouble"
    CONNECTIONS = "connections"
    OVERDUE = "housekeeping-overdue"
    ALERT_WEBHOOK = "alert-webhook-failing"
    ALERT_PING = "alert-ping-failing"
    MISFITS = "misfits"
    PAUSED_CRITICAL = "paused-critical"
    BUDGET_PAUSED = "budget-paused"
    BUDGET_SPENT = "budget-spent"
    LATE = "late"
    CHANGES_LATE = "changes-late"
    BRAKE = "bounce-brake"
    BOUNCES = "bounces"
    COMPLAINTS = "complaints"
    DYING = "dying"
    # These wait for an operator; email goes on.
    DEAD_LETTERS = "dead-letters"
    UNCERTAIN = "uncertain"
    PAUSED = "paused"
    GUARD = "guard"
    NO_FLOWER = "no-flower"


@dataclass(frozen=True)
class StatusFinding:
    code: Code | ProviderCode
    sentence: str
    # The kinds of processes that it is about.
    of: frozenset[str] = frozenset()
    # What it names: processes, providers, streams. An alert is repeated when there are more of them.
    about: frozenset[str] = frozenset()

    @property
    def is_problem(self) -> bool:
        return self.code not in NOTICES

    @property
    def explains(self) -> frozenset[Code | ProviderCode]:
        # These findings are consequences of it, and are left out.
        of_processes = (FOLLOWS_FROM.get(kind, OF_WORKERS) for kind in self.of)
        return EXPLAINS.get(self.code, frozenset()).union(*of_processes)

    def __str__(self) -> str:
        return self.sentence


NOTICES = frozenset({Code.DEAD_LETTERS, Code.UNCERTAIN, Code.PAUSED, Code.GUARD, Code.NO_FLOWER})
# A cause, and what follows from it: one root cause is one line.
OF_WORKERS: frozenset[Code | ProviderCode] = frozenset({Code.STREAM_UNSERVED, Code.LATE})
EXPLAINS: dict[Code | ProviderCode, frozenset[Code | ProviderCode]] = {
    Code.BROKER_AWAY: frozenset({*OF_WORKERS, Code.PROCESS_TROUBLE, Code.NO_FLOWER, Code.OVERDUE}),
    Code.NO_PROVIDER: frozenset({*ProviderCode, Code.LATE, Code.NO_REPORTS}),
    Code.NO_RELAY: frozenset({Code.LATE, Code.CHANGES_LATE}),
    Code.NO_BEAT: frozenset({Code.OVERDUE}),
    Code.STREAM_UNSERVED: frozenset({Code.LATE}),
    Code.BUDGET_PAUSED: frozenset({Code.LATE}),
    Code.BUDGET_SPENT: frozenset({Code.LATE}),
    Code.DYING: frozenset({Code.DEAD_LETTERS}),
}
# The same for a process without a heartbeat or in trouble; all others are workers.
FOLLOWS_FROM: dict[str, frozenset[Code | ProviderCode]] = {
    "relay": frozenset({Code.LATE, Code.CHANGES_LATE}),
    "beat": frozenset({Code.OVERDUE}),
}
