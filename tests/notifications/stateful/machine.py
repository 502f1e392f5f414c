"""The other rules: time, the broker, the relay, provider events and an operator; then everything must end."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis.stateful import invariant, rule
from hypothesis.strategies import booleans, sampled_from

from notifications.delivery.claim import defer, requeue
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import ProviderEvent
from notifications.outbox import backlog, publish, recover, relay
from notifications.providers.base.webhook import RawEvent
from notifications.rules.outcomes import RANK, BounceKind, EventType, Outcome, reported_outcome
from notifications.rules.states import Event, Status, Stream
from notifications.runtime.redis_client import client
from tests.notifications.stateful import invariants, world
from tests.notifications.stateful.judging import expected_end
from tests.notifications.stateful.moves import Move
from tests.notifications.stateful.people import People, pick
from tests.notifications.stateful.scene import one_of, when
from tests.notifications.stateful.workers import Workers

State = ProviderEvent.State
RELAYS = (Event.LEASE_ENDED, Event.WORKER_LOST, Event.SETTLED, Event.FAILED, Event.DROPPED)
# Seconds: within a call, within a lease, beyond a lease, the settling time, much of a reset's max_age, a welcome's.
PAUSES = [3, 3, 20, 20, 50, 61, 130, 610, 1900, 200_000]
REPORTS = ["accepted", "deferred", "delivered", "bounced", "bounced softly", "complained", "not spam", "rejected"]
# How long everything may take to end, in rounds of this many seconds. The longest pause of a retry is an hour.
ROUNDS, ROUND_S = 16, 310


class Machine(Workers, People):
    def __init__(self) -> None:
        super().__init__()
        self.round = relay.Round()

    @rule(seconds=sampled_from(PAUSES))
    def time_passes(self, seconds):
        self._pass_time(seconds)

    @rule(pick=pick, what=sampled_from(["a wiped broker", "a full broker", "no budget", "no time"]))
    @when(lambda self: self.rows)
    def obstacle_appears(self, pick, what):
        """Add an obstacle that changes no message; messages only wait."""
        message_id = one_of(self.messages(), pick)
        acts: dict[str, Callable[[], object]] = {
            "a wiped broker": self._wipe_broker,
            "a full broker": publish.cooldown.start,
            "no budget": lambda: defer([message_id], [14.0]),
            "no time": lambda: requeue([message_id]),
        }
        before = self.rows[message_id]
        assert self.act(acts[what]) == []
        if before.status != Status.QUEUED:
            assert self.rows[message_id].due_at == before.due_at, "a message that was not due was deferred"

    @rule(after_s=sampled_from([0, 0, 61, 610]), reads=booleans())
    def relay_does_a_round(self, after_s, reads):
        """Run it immediately, after leases have ended, or after the settling time."""
        if after_s:
            self._pass_time(after_s)
        if reads:
            self._read_events()

        def once():
            self.round = relay.run_once(self.round)

        self._relay_acts(once)

    @rule(pick=pick, says=sampled_from(REPORTS), knows_our_id=booleans(), is_read=booleans())
    @when(lambda self: any(story.taken for story in self.stories.values()))
    def provider_reports(self, pick, says, knows_our_id, is_read):
        """Report any earlier acceptance twice; an unreported one is a lost webhook."""
        calls = [(one, number) for one in self.messages() for number in sorted(self.stories[one].taken)]
        message_id, number = one_of(calls, pick)
        ours = {"message": str(message_id), "attempt": number} if knows_our_id else {}
        bounce = {"bounced": {"bounce": "hard"}, "bounced softly": {"kind": "bounced", "bounce": "soft"}}.get(says, {})
        payload = {"id": str(uuid4()), "kind": says, "recipient": "unknown@example.com", **ours, **bounce}
        payload["provider_message_id"] = f"scripted-{message_id}-{number}"
        for _ in range(2):
            ingest.store("scripted", [RawEvent(payload["id"], payload)])
        if is_read:
            self._read_events()

    @rule(pick=pick, what=sampled_from(["recover", "settle", "take due", "read"]))
    @when(lambda self: self.rows)
    def code_runs_while_a_row_is_locked(self, pick, what):
        """Check that no one waits for the row or changes it."""
        message_id = one_of(self.messages(), pick)
        acts: dict[str, Callable[[], object]] = {
            "recover": recover.recover_ended_leases,
            "settle": recover.settle_uncertain,
            "take due": lambda: [backlog.take_due(stream, 10) for stream in Stream],
        }
        with world.held(self.other, message_id):
            moves = self._read_events() if what == "read" else self._relay_acts(acts[what])
        assert all(move.before.id != message_id for move in moves)

    @rule(pick=pick, decides=sampled_from([Event.SETTLED, Event.DROPPED, Event.ACCEPTED]))
    @when(lambda self: self.rows)
    def operator_settles(self, pick, decides):
        """Use a page that may be outdated: a message that is not uncertain or is anonymized does not change."""
        uncertain = self.messages(Status.UNCERTAIN)
        message_id = one_of(uncertain or self.messages(), pick)
        moves = self.act(lambda: world.settle_by_hand(message_id, decides), decides)
        refused = decides is Event.SETTLED and self.rows[message_id].anonymized_at
        assert len(moves) == bool(uncertain and not refused)
        if moves and decides is Event.SETTLED:
            self.stories[message_id].settled(moves[0], by_hand=True)
        self.stories[message_id].said_to_be_sent |= bool(moves) and decides is Event.ACCEPTED

    @rule(pick=pick)
    @when(lambda self: self.rows)
    def operator_replays(self, pick):
        """Check that only relevant dead letters change."""
        dead = self.messages(Status.DEAD)
        message_id = one_of(dead or self.messages(), pick)
        row = self.rows[message_id]
        end = expected_end(row, self.person_of(row), self.rows, is_recheck=True)
        if moves := self.act(lambda: world.replay(message_id), Event.REPLAYED):
            assert end is None, "replayed, but not relevant"
            self.stories[message_id].replayed(moves[0])
        else:
            assert not dead or end or row.to_address in world.suppressed(), "relevant, but not replayed"

    @invariant()
    def rows_are_true(self):
        invariants.check(self.rows, self.stories)

    def teardown(self) -> None:
        if sys.exception() is None:
            self._everything_ends()

    def _pass_time(self, seconds: int) -> None:
        for claim in self.claims:
            claim.lease_left_s -= seconds
        assert self.act(lambda: world.pass_time(seconds)) == []

    def _relay_acts(self, do: Callable[[], object]) -> list[Move]:
        unread = ProviderEvent.objects.filter(state=State.STORED).order_by("received_at").first()
        moves = self.act(do, *RELAYS)
        now = datetime.now(UTC)
        for move in moves:
            if move.event is Event.SETTLED:
                assert move.before.settle_at is not None
                assert move.before.settle_at <= (unread.received_at if unread else now), "settled too early"
                self.stories[move.before.id].settled(move, by_hand=False)
            elif move.event is Event.DROPPED:
                assert move.before.anonymized_at, "only an operator may drop it"
            else:
                # Too many lost claims in a row before any hand-over: it may crash its workers.
                assert move.event is not Event.FAILED or move.before.claims_lost >= recover.MAX_LOST_CLAIMS - 1
                assert move.before.lease_until is not None
                assert move.before.lease_until <= now, "an active claim was ended"
        return moves

    def _drop(self, message_id: UUID) -> None:
        assert len(self.act(lambda: world.settle_by_hand(message_id, Event.DROPPED), Event.DROPPED)) == 1

    def _wipe_broker(self) -> None:
        client().flushdb()
        self.tasks.clear()

    def _read_events(self) -> list[Move]:
        moves = self.act(read_due, Event.ACCEPTED)
        self._note_applied_events()
        return moves

    def _note_applied_events(self) -> None:
        """From now on, the rows must contain what the provider reported."""
        reported: dict[UUID, list[Outcome]] = {}
        assert not ProviderEvent.objects.filter(state=State.FOREIGN, payload__has_key="message").exists(), "it is ours"
        for event in ProviderEvent.objects.filter(state=State.APPLIED):
            assert event.message_id is not None
            self.stories[event.message_id].known_taken = True
            assert not self.rows[event.message_id].anonymized_at or (event.recipient, event.payload) == ("", {})
            found = reported_outcome(EventType(event.kind), BounceKind(event.bounce) if event.bounce else None)
            reported.setdefault(event.message_id, [Outcome.UNKNOWN]).append(found or Outcome.UNKNOWN)
        for message_id, outcomes in reported.items():
            assert self.rows[message_id].outcome == max(outcomes, key=RANK.__getitem__)

    def _everything_ends(self) -> None:
        """Stop all faults: frozen workers continue, the provider accepts, and every message must end."""
        publish.cooldown.clear()
        for _ in range(ROUNDS):
            for claim in list(self.claims):
                self.finish(claim)
            self._read_events()
            if not self.messages(Status.QUEUED, Status.SENDING, Status.UNCERTAIN):
                break
            self.relay_does_a_round(after_s=ROUND_S, reads=True)
            for task in world.tasks_in_the_broker():
                self.claim(task)
            self.rows_are_true()
            for message_id in self.messages(Status.UNCERTAIN):
                if self.rows[message_id].settle_at is None:
                    self._drop(message_id)
        assert not self.messages(Status.QUEUED, Status.SENDING, Status.UNCERTAIN), "it never ends"
        self.rows_are_true()
        invariants.check_attempts(self.rows, self.stories)
