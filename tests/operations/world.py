"""A site without processes: a relay, workers and time that move only when a test says so.

The relay's rounds, the tasks, PostgreSQL and the broker are real.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings
from django.utils import timezone

from notifications import pauses
from notifications.bounce_brake import brake
from notifications.breaker import permits
from notifications.budget.keys import day_key, pace_key
from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import Message
from notifications.outbox import publish, relay
from notifications.providers.base.webhook import RawEvent
from notifications.rules.states import Stream
from notifications.runtime import redis_client
from notifications.runtime.heartbeat import beat, delete_row, served_key
from notifications.runtime.redis_client import client
from tests.notifications.breaker import breakers
from tests.notifications.budget import budgets
from tests.notifications.stateful.world import pass_time
from tests.operations.worker import Worker
from tests.scripted import ScriptedProvider

RELAY = "relay@here"
HOUR_S = 3600
# The relay and the workers have nothing left to do after fewer rounds.
MOST_ROUNDS = 12


@dataclass
class World:
    """The relay runs if `is_relayed`, and workers if `is_served`. `settings` is pytest-django's fixture."""

    provider: ScriptedProvider
    second: ScriptedProvider
    settings: Any
    is_relayed: bool = True
    is_served: bool = True
    passed_s: float = 0.0
    redis_url: str = field(default_factory=lambda: settings.REDIS_URL)
    worker: Worker = field(default_factory=Worker)

    def report_health(self) -> None:
        """Let the processes that run report it, as they do every few seconds."""
        if self.is_relayed:
            beat(RELAY)
        else:
            delete_row(RELAY)
        with suppress(redis.RedisError):
            for stream in Stream:
                client().set(served_key(stream), "1") if self.is_served else client().delete(served_key(stream))

    def run(self) -> None:
        """Run the relay and the workers until they have nothing to do."""
        for _ in range(MOST_ROUNDS):
            is_idle = not self.is_relayed or self._relay_round()
            if not (self.is_served and self._work()) and is_idle:
                return

    def _relay_round(self) -> bool:
        read_due()
        return relay.run_once().idle

    def _work(self) -> int:
        ran = self.worker.run_retries(timezone.now() + timedelta(seconds=self.passed_s))
        with suppress(redis.RedisError):
            ran += self.worker.run_queued()
        return ran

    def let_pass(self, seconds: float) -> None:
        """Let time pass in rows and in Redis."""
        pass_time(seconds)
        # While Redis cannot be reached, it keeps its times.
        with suppress(redis.RedisError):
            for provider in settings.EMAIL_PROVIDERS:
                breakers.let_pass(provider, seconds)
                budgets.let_pass(provider, seconds)
                _age_day(provider, time.time() + self.passed_s, seconds)
                for stream in Stream:
                    _age_key(pace_key(provider, stream), seconds)
        # The processes read again what they have kept for a moment.
        permits.reset()
        brake.reset()
        pauses.forget()
        self.passed_s += seconds

    def report(self, message: Message, kind: str, **more: str) -> None:
        """Let the provider report an event about a message."""
        payload = {
            "id": str(uuid4()),
            "kind": kind,
            "message": str(message.id),
            "recipient": message.to_address,
            **more,
        }
        ingest.store("scripted", [RawEvent(payload["id"], payload)])
        read_due()

    def forget_outage(self) -> None:
        """End the pauses of this process after a failed call to Redis."""
        publish.cooldown.clear()
        redis_client.cooldown.clear()


def _age_key(key: str, seconds: float) -> None:
    left_ms = client().pttl(key)
    if left_ms > 0:
        client().pexpire(key, max(1, round(left_ms - seconds * 1000)))


def _age_day(provider: str, now_s: float, seconds: float) -> None:
    hours = int((now_s + seconds) // HOUR_S) - int(now_s // HOUR_S)
    counted = client().hgetall(day_key(provider))
    if hours and counted:
        client().delete(day_key(provider))
        client().hset(day_key(provider), mapping={str(int(hour) - hours): count for hour, count in counted.items()})
