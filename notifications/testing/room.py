"""One test's Mailroom: what it enqueues, delivered in its process to a provider that records."""

import os
import unittest
from collections.abc import Collection
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from typing import Any, Self, Unpack
from uuid import UUID

from django.conf import ENVIRONMENT_VARIABLE
from django.test import override_settings

from notifications.providers.recording.backend import Recorder, Recording, recorder
from notifications.testing import enqueued
from notifications.testing.delivering import deliver_due, pass_time
from notifications.testing.enqueued import Enqueued, Wanted
from notifications.testing.isolation import without_redis
from notifications.testing.reporting import ReportedOutcome, report_outcome
from notifications.testing.sent import SentEmail, sent_emails


class Mailroom:
    """Use it as a context manager. It needs the test's database and no Redis.

    `provider.fail_next("transient")` lets the next call to the provider fail (`Failure`).
    """

    def __init__(self, settings: Any = None) -> None:
        """Override settings until the end; with `settings`, pytest-django's fixture, until that restores them."""
        self._settings = settings
        self.provider: Recorder = recorder
        self._open = ExitStack()
        self._cleared: Collection[UUID] = ()

    def __enter__(self) -> Self:
        self.provider.reset()
        with ExitStack() as stack:
            self._override_settings(stack)
            stack.enter_context(without_redis())
            self._open = stack.pop_all()
        return self

    def _override_settings(self, stack: ExitStack) -> None:
        if self._settings is None:
            stack.enter_context(override_settings(**_settings()))
            return
        # An override may end only after those that began later, and the test may begin one with the fixture.
        for name, value in _settings().items():
            setattr(self._settings, name, value)

    def __exit__(self, *exception: object) -> None:
        self._open.close()
        self.provider.reset()

    @property
    def outbox(self) -> list[Enqueued]:
        """Return what is enqueued in the test's database since `clear`, oldest first."""
        return enqueued.outbox(without=self._cleared)

    @property
    def sent(self) -> list[SentEmail]:
        """Return what the provider has accepted, oldest first."""
        return sent_emails(self.provider.accepted)

    def clear(self) -> None:
        """Hide what was enqueued and sent until now, such as by the test's preparations."""
        self._cleared = {one.message.id for one in enqueued.outbox()}
        self.provider.accepted.clear()

    def deliver(self, *, after: timedelta | None = None) -> list[SentEmail]:
        """Send what is due, as a worker does, and return what the provider has accepted.

        With `after`, as though this time had passed: for retries, scheduled and expired messages, lost answers.
        """
        before = len(self.provider.accepted)
        if after is not None:
            pass_time(after)
        deliver_due()
        return self.sent[before:]

    def report(self, email: SentEmail, report: ReportedOutcome | str, *, to: str = "") -> None:
        """Let the provider report "bounced" or another outcome; `to`: not of the first recipient."""
        report_outcome(email, report, to=to)

    def assert_enqueued(self, kind: str, *, count: int | None = None, **wanted: Unpack[Wanted]) -> list[Enqueued]:
        """Return the messages of this kind that fit. Raises AssertionError if there are none, or not `count`."""
        return enqueued.assert_among(self.outbox, kind, count=count, **wanted)

    def assert_not_enqueued(self, kind: str, **wanted: Unpack[Wanted]) -> None:
        """Raise AssertionError if a message of this kind fits."""
        enqueued.assert_among(self.outbox, kind, count=0, **wanted)


class MailroomMixin(unittest.TestCase):
    """For a Django TestCase: `self.mailroom` is the test's Mailroom."""

    mailroom: Mailroom

    def setUp(self) -> None:
        super().setUp()
        self.mailroom = self.enterContext(Mailroom())


def _settings() -> dict[str, Any]:
    # No email leaves the process, so no guard is needed.
    return {"EMAIL_PROVIDERS": [Recording.name], "ONLY_TO": [], "REDIRECT_TO": "", **_email_backend()}


def _email_backend() -> dict[str, Any]:
    # Django's test runner has replaced the project's backend. If that was the engine's, send_mail enqueues here too.
    module = os.environ.get(ENVIRONMENT_VARIABLE)
    backend = getattr(import_module(module), "EMAIL_BACKEND", "") if module else ""
    return {"EMAIL_BACKEND": backend} if backend.startswith("notifications.") else {}
