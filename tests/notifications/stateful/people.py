"""Rules of users: they cause email, change their accounts, and delete them."""

from collections.abc import Callable
from contextlib import suppress

from django.db import transaction
from hypothesis.stateful import initialize, rule
from hypothesis.strategies import booleans, integers, lists, sampled_from

from accounts import emails
from accounts.models import User
from notifications.events import suppress as suppressing
from notifications.outbox import Draft, enqueue
from notifications.rules.states import Event, Status
from notifications.rules.suppression import Reason
from tests.notifications.stateful.scene import Scene, one_of, when
from tests.notifications.stateful.truth import Person, Stage

# Few, so that each one gets much email.
MOST_MESSAGES = 4
MOST_CHANGES = 1
pick = integers(0, 11)


class _UndoneError(Exception):
    """Raised to fail a request."""


class People(Scene):
    changes = 0

    @initialize(more=lists(sampled_from(["reset", "news", "welcome"]), max_size=2))
    def user_signs_up_first(self, more):
        """Begin with a sign-up and perhaps more, because examples without email are pointless."""
        for wants in ["welcome", *more]:
            self.user_causes_email(wants=wants, pick=0, fails=False)

    @rule(wants=sampled_from(["welcome", "reset", "news", "again"]), pick=pick, fails=sampled_from([0, 0, 0, 1]))
    @when(lambda self: len(self.rows) < MOST_MESSAGES)
    def user_causes_email(self, wants, pick, fails):
        """Enqueue in a request that may fail afterwards; `again` enqueues the same key."""
        causes: dict[str, Callable[[Person], object]] = {
            "reset": self._ask_for_a_reset,
            "news": self._announce,
            "again": lambda person: enqueue(emails.welcome_draft(User.objects.get(pk=person.pk))),
        }
        known = [person for person in self._living() if wants != "again" or person.address == person.first_address]
        person = one_of(known, pick) if known else None
        is_new = wants != "again" or person is None

        def request():
            with suppress(_UndoneError), transaction.atomic():
                user = self._sign_up() if person is None or wants == "welcome" else None
                if user is None:
                    causes[wants](person)
                if fails:
                    raise _UndoneError
                if user:
                    self.people.append(Person(pk=user.pk, first_address=user.email, address=user.email))

        self.accepts(request, new=int(is_new and not fails))

    @rule(pick=pick, change=sampled_from(["address", "confirm", "close", "delete"]), back=booleans())
    @when(lambda self: self._living() and self.changes < MOST_CHANGES)
    def user_changes(self, pick, change, back):
        self.changes += 1
        person = one_of(self._living(), pick)
        user = User.objects.get(pk=person.pk)
        if change == "delete":
            person.gone = True
            self._delete(user)
            return
        if change == "address":
            person.address = person.first_address if back else f"moved-{person.first_address}"
        elif change == "confirm":
            person.confirmed = not back
        else:
            person.active = back
        user.email, user.is_active = person.address, person.active
        user.confirmed_at = user.date_joined if person.confirmed else None
        self.accepts(user.save, new=0)

    @rule(pick=pick, reason=sampled_from([Reason.BY_HAND, Reason.SOFT_BOUNCES]))
    @when(lambda self: self._living() and any(claim.stage is Stage.JUDGED for claim in self.claims))
    def address_is_suppressed(self, pick, reason):
        """Suppress it while a worker has checked a message, but not handed it over."""
        person = one_of(self._living(), pick)
        self.accepts(lambda: suppressing.suppress(person.address, reason, ""), new=0)

    def _delete(self, user: User) -> None:
        """Delete the account: none of its messages waits, and no row contains its address."""
        theirs = {message_id for message_id, row in self.rows.items() if row.user_id == user.pk}
        for move in self.act(user.delete, Event.CANCELLED, Event.DROPPED):
            assert move.before.id in theirs
            assert move.before.handed_over_at is None, "handed over"
        for row in [self.rows[message_id] for message_id in theirs]:
            assert row.anonymized_at
            assert (row.to_address, row.context, row.user_id) == ("", {}, None)
            assert row.status not in {Status.QUEUED, Status.UNCERTAIN}
            assert row.status != Status.SENDING or row.handed_over_at

    def _living(self) -> list[Person]:
        return [person for person in self.people if not person.gone]

    def _sign_up(self) -> User:
        return User.objects.create_user(f"person{len(self.people)}@example.com", "a password", wants_news=True)

    def _ask_for_a_reset(self, person: Person) -> None:
        user = User.objects.get(pk=person.pk)
        emails.enqueue_email(emails.PASSWORD_RESET, user, user.email)

    def _announce(self, person: Person) -> None:
        user = User.objects.get(pk=person.pk)
        context = {"headline": "News", "paragraphs": []}
        enqueue(Draft(kind=emails.PRODUCT_NEWS.name, to=user.email, user=user, context=context))
