"""Deliver messages: find a route, budget, claim, check, render, hand over, send, record."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from uuid import UUID

from notifications.breaker.route import Route, find_route
from notifications.budget import grants
from notifications.budget.terms import USE_WITHIN_S
from notifications.delivery.batch import Batch, BatchCall, batch_limit, split
from notifications.delivery.claim import claim, defer, release, requeue
from notifications.delivery.facts import gather
from notifications.delivery.part import MOST, Part, calls_within, part_size
from notifications.delivery.record import Carrier, RecordLostError, retry_until_written
from notifications.delivery.relevance import skip_reason
from notifications.delivery.run import REQUEUED, DeliveryReport, Relevant, Run
from notifications.models import Message
from notifications.providers.base.sending import OutgoingBatch
from notifications.rules.states import Stream
from notifications.runtime.database import is_outage

#: How long to wait for a database that fails in mid-group: a restart takes less.
RELEASE_WITHIN_S = 10.0
#: The result of messages that stay queued because no provider accepts email.
NO_PROVIDER = "waiting for a provider"


def deliver(
    message_ids: Sequence[UUID], stream: Stream, carrier: Carrier, *, stopping: Callable[[], bool] = lambda: False
) -> DeliveryReport:
    """Send the messages that are due, relevant and within the budget.

    The others stay queued. Ends after the current call if its time slice is over or `stopping()` is true; the relay
    publishes the rest immediately. Raises database errors if no message was handed over before, else RecordLostError.
    """
    run = Run(stream, carrier, single=len(message_ids) == 1, stopping=stopping)
    rest = list(message_ids)
    while rest:
        if run.is_over:
            run.report.counts[REQUEUED] += requeue(rest)
            break
        with find_route(rest) as route:
            if route is None:
                run.report.counts[NO_PROVIDER] += requeue(rest)
                break
            if route.is_probe:
                rest.sort(key=lambda message_id: str(message_id) != route.probe_message)
            size = _group_size(run, rest, route)
            # The grants of a group are only fresh for a short time, so it begins with the turn.
            with run.turn if size > MOST else nullcontext():
                rest = _deliver_group(run, rest[:size], route) + rest[size:]
    return run.report


def _group_size(run: Run, rest: Sequence[UUID], route: Route) -> int:
    if rest[0] not in run.alone and (limit := batch_limit(run, route)) > 1:
        return limit
    # As many as can be sent while their grant is fresh: the budget counts grants, the provider counts calls.
    return 1 if route.is_probe else calls_within(USE_WITHIN_S, route.name)


def _deliver_group(run: Run, message_ids: Sequence[UUID], route: Route) -> list[UUID]:
    # Returns the released ids, which need another route or time.
    grant = run.grant = grants.reserve(route.name, run.stream, len(message_ids))
    if grant.waits_s:
        defer(message_ids[grant.count :], grant.waits_s)
        run.report.counts["deferred"] += len(grant.waits_s)
    claimed = claim(message_ids[: grant.count])
    try:
        going = _relevant(run, claimed)
        grants.release(route.name, run.stream, grant, grant.count - len(going))
        shared, alone, later = _divided(run, going, route)
        released = _deliver_alone(run, route, alone) + _release(run, route, later)
        for batch, members in shared:
            released += _deliver_batch(run, route, batch, members)
        return [message.id for message in released]
    except Exception as error:
        _release_after_error(run, claimed, error)
        raise


def _divided(run: Run, going: list[Relevant], route: Route) -> tuple[list[Batch], list[Relevant], list[Relevant]]:
    # Batches; what is sent alone; what is sent alone later, with fresh grants.
    if batch_limit(run, route) == 1:
        return [], going, []
    shared, alone = split(run, going)
    run.alone.update(message.id for message, _ in alone)
    most = calls_within(USE_WITHIN_S, route.name)
    return shared, alone[:most], alone[most:]


def _deliver_alone(run: Run, route: Route, going: Sequence[Relevant]) -> list[Message]:
    rest, released = list(going), []
    while rest and route.accepts_email() and not run.is_over:
        size = part_size([message for message, _ in rest], route)
        released += Part(run, route).deliver(rest[:size])
        rest = rest[size:]
    return released + _release(run, route, rest)


def _deliver_batch(run: Run, route: Route, batch: OutgoingBatch, members: Sequence[Relevant]) -> list[Message]:
    if not route.accepts_email() or run.is_over:
        return _release(run, route, members)
    return BatchCall(run, route, batch).deliver(members)


def _release(run: Run, route: Route, relevant: Sequence[Relevant]) -> list[Message]:
    messages = [message for message, _ in relevant]
    if messages:
        release(messages)
        grants.release(route.name, run.stream, run.grant, len(messages))
    return messages


def _relevant(run: Run, claimed: Sequence[Message]) -> list[Relevant]:
    relevant = []
    for message, facts in gather(claimed):
        if skip := skip_reason(facts):
            run.skip(message, skip, age_s=facts.age_s)
        else:
            relevant.append((message, facts))
    return relevant


def _release_after_error(run: Run, claimed: Sequence[Message], error: Exception) -> None:
    # In an outage of the database, Celery retries all. After any other error, the current message is suspect: it
    # keeps its claim until the lease ends, which counts as a lost claim, and the others are released.
    is_down = is_outage(error)
    others = [message for message in claimed if is_down or message is not run.current]
    # If the outage lasts, their claims end with their leases.
    with suppress(RecordLostError):
        retry_until_written(lambda: release(others, relay_now=is_down), within_s=RELEASE_WITHIN_S)
