"""Deliver messages: find a route, budget, claim, check, render, hand over, send, record."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from django.db import Error

from notifications.breaker.route import Route, find_route
from notifications.budget.allowance import Allowance
from notifications.delivery import fate
from notifications.delivery.attempt import Carrier
from notifications.delivery.batch import BatchCall, batch_limit, split
from notifications.delivery.claim import claim, count_paused, defer, release, requeue
from notifications.delivery.content import load_contents
from notifications.delivery.facts import gather
from notifications.delivery.part import GROUP_S, Part, calls_within, granted_together, part_size
from notifications.delivery.record import RecordLostError, retry_until_written
from notifications.delivery.relevance import skip_reason
from notifications.delivery.report import DeliveryReport
from notifications.delivery.run import REQUEUED, Relevant, Run
from notifications.delivery.shadow import compare_copy
from notifications.models import Message
from notifications.providers.base.sending import OutgoingBatch
from notifications.rules.shadow import COMPARED
from notifications.rules.states import Stream
from notifications.runtime.database import is_outage

#: Delivers the claimed messages of a group; returns those that were released.
Way = Callable[[Run, Route, Sequence[Relevant]], list[Message]]
#: How long to wait for a database that fails in mid-group: a restart takes less.
RELEASE_WITHIN_S = 10.0
#: The result of messages that stay queued because no provider accepts email.
NO_PROVIDER = "waiting for a provider"
#: The result of messages that stay queued because an operator has paused them.
PAUSED = "paused"


def deliver(
    message_ids: Sequence[UUID], stream: Stream, carrier: Carrier, *, stopping: Callable[[], bool] = lambda: False
) -> DeliveryReport:
    """Send the messages that are due, relevant and within the budget.

    The others stay queued. Ends after the current call if its time slice is over or `stopping()` is true; the relay
    publishes the rest immediately. Raises database errors if no message was handed over before, else RecordLostError.
    """
    run = Run(stream, carrier, size=len(message_ids), stopping=stopping)
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
            rest = _deliver_next(run, rest, route)
    if run.is_single and not run.report.decides:
        # Another task, worker or operator was faster.
        run.report.fates[fate.of_row(message_ids[0])] += 1
    return run.report


def _deliver_next(run: Run, rest: Sequence[UUID], route: Route) -> list[UUID]:
    # Returns what is left.
    if rest[0] not in run.alone and (size := batch_limit(run, route)) > 1:
        # The grants are only fresh for a short time, so they are taken within the turn.
        with run.turn:
            if run.is_over:
                # It may have waited long.
                return list(rest)
            left = _deliver_group(run, rest[:size], route, _deliver_together, wanted=len(rest[:size]))
    else:
        size = 1 if route.is_probe else calls_within(GROUP_S, route.name)
        wanted = granted_together(len(rest[:size]), route)
        left = _deliver_group(run, rest[:size], route, _deliver_alone, wanted=wanted)
    return [*left, *rest[size:]]


def _deliver_group(run: Run, ids: Sequence[UUID], route: Route, way: Way, *, wanted: int) -> list[UUID]:
    # Returns the ids that were not claimed or were released, which need another route or time. With all `wanted`
    # grants, others will probably be granted in time.
    run.allowance = Allowance(route.name, run.stream)
    try:
        grant = run.allowance.ask(wanted)
        later: Sequence[UUID] = []
        if grant.waits_s:
            defer(ids[grant.count : wanted], grant.waits_s)
            run.report.counts["deferred"] += len(grant.waits_s)
            ids, later = ids[: grant.count], ids[wanted:]
        claimed = claim(ids)
        released = _deliver_claimed(run, claimed, route, way)
    finally:
        run.allowance.end()
    _note_paused(run, ids, claimed)
    return [*(message.id for message in released), *later]


def _note_paused(run: Run, ids: Sequence[UUID], claimed: Sequence[Message]) -> None:
    # They stay queued, without an attempt. The relay publishes them when they are resumed.
    left = set(ids) - {message.id for message in claimed}
    try:
        if left and (paused := count_paused(list(left))):
            run.report.counts[PAUSED] += paused
    except Error as error:
        # What was sent is recorded. Only the result lacks the count.
        if not is_outage(error):
            raise


def _deliver_claimed(run: Run, claimed: Sequence[Message], route: Route, way: Way) -> list[Message]:
    try:
        return way(run, route, _relevant(run, claimed))
    except Exception as error:
        _release_after_error(run, claimed, error)
        raise


def _deliver_together(run: Run, route: Route, going: Sequence[Relevant]) -> list[Message]:
    shared, alone = split(run, going)
    run.alone.update(message.id for message, _ in alone)
    # The others need fresh grants.
    most = granted_together(len(alone), route)
    released = _deliver_alone(run, route, alone[:most]) + _release(alone[most:])
    for batch, members in shared:
        released += _deliver_batch(run, route, batch, members)
    return released


def _deliver_alone(run: Run, route: Route, going: Sequence[Relevant]) -> list[Message]:
    rest, released = list(going), []
    while rest and route.accepts_email() and not run.is_over:
        # Nothing is handed over without a grant for its first call.
        if not run.allowance.has_some(granted_together(len(rest), route)):
            break
        size = part_size([message for message, _ in rest], route)
        released += Part(run, route).deliver(rest[:size])
        rest = rest[size:]
    return released + _release(rest)


def _deliver_batch(run: Run, route: Route, batch: OutgoingBatch, members: Sequence[Relevant]) -> list[Message]:
    if not route.accepts_email() or run.is_over:
        return _release(members)
    return BatchCall(run, route, batch).deliver(members)


def _release(relevant: Sequence[Relevant]) -> list[Message]:
    messages = [message for message, _ in relevant]
    if messages:
        release(messages)
    return messages


def _relevant(run: Run, claimed: Sequence[Message]) -> list[Relevant]:
    relevant, copies = [], []
    for message, facts in gather(claimed):
        skip = skip_reason(facts)
        if skip is None:
            relevant.append((message, facts))
        elif skip.reason == COMPARED:
            copies.append((message, facts, skip))
        else:
            run.skip(message, skip, age_s=facts.age_s)
    load_contents([message for message, _ in relevant] + [message for message, *_ in copies])
    for message, facts, skip in copies:
        run.current = message
        compare_copy(message)
        run.skip(message, skip, age_s=facts.age_s)
    return relevant


def _release_after_error(run: Run, claimed: Sequence[Message], error: Exception) -> None:
    # In an outage of the database, Celery retries all. After any other error, the current message is suspect: it
    # keeps its claim until the lease ends, which counts as a lost claim, and the others are released.
    is_down = is_outage(error)
    others = [message for message in claimed if is_down or message is not run.current]
    # If the outage lasts, their claims end with their leases.
    with suppress(RecordLostError):
        retry_until_written(lambda: release(others, relay_now=is_down), within_s=RELEASE_WITHIN_S)
