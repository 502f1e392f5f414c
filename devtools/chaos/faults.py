"""The faults: what happens to which part, for how long, and how long the effects last. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from devtools.chaos.conditions import LEASE_S, PROVIDERS, READ_S, SETTLE_S

ProviderControls = Mapping[str, Mapping[str, float | str]]

# The values of the controls after a fault.
NEUTRAL: Mapping[str, float | str] = {
    "error_rate": 0,
    "error_status": 503,
    "fault": "none",
    "fault_rate": 0,
    "webhook_lost_rate": 0,
    "webhook_doubled_rate": 0,
    "webhook_delay_ms": 0,
    "webhook_shuffle": "false",
}
WORKERS = ("worker-critical", "worker-main", "worker-bulk")
# Until a process or a connection works again, with a margin.
BACK_S = 5.0
# Until the circuit of a provider that refuses everything is open, at the slowest rate of people, and emails go to the
# other provider.
NOTICED_S = 5.0
# From the end of a fault until its uncertain messages are settled and, if their kind asks for it, resent.
SETTLED_S = SETTLE_S + 2.0


class Action(StrEnum):
    KILL = "kill"  # kill -9
    FREEZE = "freeze"  # SIGSTOP, then SIGCONT
    STOP = "stop"  # in order, then started again
    CRASH = "crash"  # SIGQUIT: PostgreSQL's immediate shutdown, without a checkpoint
    WIPE = "wipe"  # FLUSHALL
    OLDER = "older"  # a worker of the release before joins
    CONTROL = "control"  # change controls of the simulated providers


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`target`: a program. `controls`: the controls to change, by provider, `apart_s` after each other.

    `lasts_s` counts from the last change. `quiet_s`: how long no other fault may begin afterwards, because the effects
    are still visible, and an uncertain message could become uncertain twice.
    """

    name: str
    action: Action
    target: str
    lasts_s: float
    quiet_s: float
    controls: ProviderControls = field(default_factory=dict)
    apart_s: float = 0.0

    @property
    def of_broker(self) -> bool:
        return self.target == "valkey"


def _processes() -> list[Fault]:
    return [
        Fault(name="relay killed", action=Action.KILL, target="relay", lasts_s=0, quiet_s=BACK_S),
        *(
            Fault(name=f"{worker} killed", action=Action.KILL, target=worker, lasts_s=0, quiet_s=LEASE_S + SETTLED_S)
            for worker in WORKERS
        ),
        *(
            Fault(name=f"{process} frozen", action=Action.FREEZE, target=process, lasts_s=2, quiet_s=BACK_S)
            for process in (*WORKERS, "relay")
        ),
        Fault(
            name="worker-main frozen past its lease",
            action=Action.FREEZE,
            target="worker-main",
            lasts_s=LEASE_S + 1,
            quiet_s=SETTLED_S,
        ),
    ]


def _deploys() -> list[Fault]:
    return [
        Fault(
            name="worker without the newest kind", action=Action.OLDER, target="worker-older", lasts_s=6, quiet_s=BACK_S
        )
    ]


def _servers() -> list[Fault]:
    return [
        Fault(name="broker stopped", action=Action.STOP, target="valkey", lasts_s=3, quiet_s=BACK_S),
        Fault(name="broker frozen", action=Action.FREEZE, target="valkey", lasts_s=3, quiet_s=BACK_S),
        Fault(name="broker wiped", action=Action.WIPE, target="valkey", lasts_s=0, quiet_s=BACK_S),
        Fault(name="broker restarted", action=Action.STOP, target="valkey", lasts_s=0, quiet_s=BACK_S),
        Fault(name="database restarted", action=Action.STOP, target="postgres", lasts_s=0, quiet_s=BACK_S + 1),
        Fault(name="database crashed", action=Action.CRASH, target="postgres", lasts_s=0, quiet_s=BACK_S + 1),
    ]


def _refuses(status: int) -> Mapping[str, float | str]:
    return {"error_rate": 1, "error_status": status}


def _meets(fault: str) -> Mapping[str, float | str]:
    return {"fault": fault, "fault_rate": 1}


OUT = _refuses(503)
# What a provider does, the controls for it, and how long the effects last.
MISBEHAVIOURS: dict[str, tuple[Mapping[str, float | str], float]] = {
    "answers 429": (_refuses(429), BACK_S),
    "answers 500": (_refuses(500), BACK_S),
    "answers 503": (_refuses(503), BACK_S),
    "answers 401": (_refuses(401), 2 * BACK_S),
    "hangs without accepting": (_meets("hang_before"), READ_S + SETTLED_S),
    "accepts, then hangs": (_meets("hang_after"), READ_S + SETTLED_S),
    "disconnects without accepting": (_meets("cut_before"), SETTLED_S),
    "accepts, then disconnects": (_meets("cut_after"), SETTLED_S),
    "accepts, sends half an answer": (_meets("truncate"), SETTLED_S),
    "accepts, then answers 500": (_meets("error_after"), SETTLED_S),
    "suspends the account": (_meets("suspended"), 2 * BACK_S),
}
# Half of the answers are cut at the same time, because only uncertain messages need the reports.
CUT_HALF: Mapping[str, float | str] = {"fault": "cut_after", "fault_rate": 0.5}
REPORTS: dict[str, Mapping[str, float | str]] = {
    "lost": {"webhook_lost_rate": 1},
    "doubled": {"webhook_doubled_rate": 1},
    "late": {"webhook_delay_ms": 2000},
    "shuffled": {"webhook_shuffle": "true", "webhook_delay_ms": 500},
}


def _controlled(
    name: str, controls: ProviderControls, *, lasts_s: float, quiet_s: float, apart_s: float = 0.0
) -> Fault:
    return Fault(
        name=name,
        action=Action.CONTROL,
        target="providers",
        lasts_s=lasts_s,
        quiet_s=quiet_s,
        controls=controls,
        apart_s=apart_s,
    )


def _providers() -> list[Fault]:
    first, second = PROVIDERS
    faults = [_controlled("both down", {first: OUT, second: OUT}, lasts_s=3, quiet_s=2 * BACK_S)]
    for what, (controls, quiet_s) in MISBEHAVIOURS.items():
        faults += [
            _controlled(f"{first} {what}", {first: controls}, lasts_s=2, quiet_s=quiet_s),
            # The second provider is used only while the first is down, and has to accept emails before its fault.
            _controlled(
                *(f"{second} {what}", {first: OUT, second: controls}), lasts_s=2.5, quiet_s=quiet_s, apart_s=NOTICED_S
            ),
        ]
    return faults


def _webhooks() -> list[Fault]:
    return [
        _controlled(
            f"reports {how}, half of the answers cut",
            {provider: {**planned, **CUT_HALF} for provider in PROVIDERS},
            lasts_s=2.5,
            quiet_s=SETTLED_S + 1,
        )
        for how, planned in REPORTS.items()
    ]


FAULTS = (*_processes(), *_deploys(), *_servers(), *_providers(), *_webhooks())
BY_NAME = {fault.name: fault for fault in FAULTS}
