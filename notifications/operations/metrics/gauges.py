"""The present state as gauges."""

from collections.abc import Iterable, Iterator, Sequence

from notifications.operations.figures import SystemStatus
from notifications.operations.finding import StatusFinding
from notifications.operations.metrics.exposition import Family, Sample
from notifications.operations.problems import is_silent


def gauges(status: SystemStatus, found: Sequence[StatusFinding]) -> Iterator[Family]:
    yield from _streams(status)
    yield from _messages(status)
    yield from _providers(status)
    yield from _processes(status)
    yield _gauge(
        "mailroom_problem",
        "1 for each current problem, by the codes of the status page.",
        _once(Sample(value=1, labels={"code": finding.code}) for finding in found if finding.is_problem),
    )
    yield _gauge("mailroom_redis_up", "Whether Redis answers.", [Sample(value=not status.broker_is_down)])
    yield _gauge(
        "mailroom_database_connections", "Connections to the database.", [Sample(value=status.connections_used)]
    )
    yield _gauge(
        "mailroom_database_connections_allowed",
        "The most connections that the database allows.",
        [Sample(value=status.connections_allowed)],
    )


def _gauge(name: str, help_text: str, samples: Iterable[Sample]) -> Family:
    return Family(name=name, kind="gauge", help_text=help_text, samples=list(samples))


def _once(samples: Iterable[Sample]) -> list[Sample]:
    # Several findings may have one code.
    return list({tuple(sample.labels.items()): sample for sample in samples}.values())


def _streams(status: SystemStatus) -> Iterator[Family]:
    def by_stream(name: str, help_text: str, values: Iterable[float | None]) -> Family:
        pairs = zip(status.lanes, values, strict=True)
        return _gauge(
            name,
            help_text,
            (Sample(value=value, labels={"stream": lane.stream}) for lane, value in pairs if value is not None),
        )

    lanes = status.lanes
    yield by_stream("mailroom_due_messages", "Messages that are due; at most 10,000.", (lane.due for lane in lanes))
    yield by_stream(
        "mailroom_later_messages", "Messages that are due later; at most 10,000.", (lane.later for lane in lanes)
    )
    yield by_stream(
        "mailroom_oldest_due_seconds", "How long the oldest has been due.", (lane.oldest_s for lane in lanes)
    )
    yield by_stream("mailroom_broker_tasks", "Tasks that wait in the broker.", (lane.published for lane in lanes))
    yield by_stream(
        "mailroom_stream_served",
        "Whether a healthy worker consumes the queue.",
        (None if lane.served is None else float(lane.served) for lane in lanes),
    )
    yield by_stream(
        "mailroom_budget_pace",
        "Messages per second that the budget grants now; absent while it limits nothing.",
        (lane.pace for lane in lanes),
    )
    yield by_stream(
        "mailroom_budget_pause_seconds",
        "For how long the provider asked for a pause.",
        (lane.paused_s for lane in lanes),
    )


def _messages(status: SystemStatus) -> Iterator[Family]:
    yield _gauge(
        "mailroom_sending_messages", "Messages in the hands of workers; at most 10,000.", [Sample(value=status.sending)]
    )
    yield _gauge(
        "mailroom_uncertain_messages",
        "Messages whose answer was lost; at most 10,000.",
        [
            Sample(value=status.uncertain, labels={"settled_by": "time"}),
            Sample(value=status.held, labels={"settled_by": "operator"}),
        ],
    )
    yield _gauge(
        "mailroom_dead_messages",
        "Dead letters; at most 10,000 per cause.",
        [Sample(value=sum(d.ever for d in status.dead))],
    )
    yield _gauge(
        "mailroom_misfit_messages",
        "Messages that wait for a worker of another version.",
        [Sample(value=sum(misfit.count for misfit in status.misfits))],
    )
    yield _gauge(
        "mailroom_waiting_changes",
        "Changes that wait for the receivers of message_changed; at most 1,000.",
        [Sample(value=status.changes.count)],
    )
    yield _gauge(
        "mailroom_oldest_change_seconds", "How long the oldest has waited.", [Sample(value=status.changes.oldest_s)]
    )
    yield _gauge(
        "mailroom_paused",
        "1 for each stream, kind or provider that an operator has paused.",
        (Sample(value=1, labels={"what": pause.what, "name": pause.name}) for pause in status.pauses),
    )
    yield _gauge("mailroom_guard_on", "Whether the staging guard is on.", [Sample(value=bool(status.guard))])
    yield _gauge("mailroom_bounce_brake_on", "Whether the bounce brake is on.", [Sample(value=status.brake.on)])


def _providers(status: SystemStatus) -> Iterator[Family]:
    yield _gauge(
        "mailroom_circuit_open",
        "1 if the provider gets no email for now.",
        (Sample(value=each.state != "closed", labels={"provider": each.provider}) for each in status.circuits),
    )


def _processes(status: SystemStatus) -> Iterator[Family]:
    yield _gauge(
        "mailroom_heartbeat_age_seconds",
        "Seconds since the last heartbeat.",
        (Sample(value=each.silent_s, labels={"process": each.name}) for each in status.processes),
    )
    yield _gauge(
        "mailroom_process_healthy",
        "Whether the process has a heartbeat and reports no trouble.",
        (
            Sample(value=not (is_silent(each) or each.trouble), labels={"process": each.name})
            for each in status.processes
        ),
    )
