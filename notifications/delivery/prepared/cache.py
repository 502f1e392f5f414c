"""Keep prepared emails, and learn which values the templates of a kind only print."""

from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import tzinfo

from django.template import Engine
from django.utils import timezone

from notifications.delivery.engine import Templates, strict_engine, templates_of
from notifications.delivery.prepared.email import PreparedEmail
from notifications.delivery.prepared.fields import FIELD_TYPES, NotComparableError, frozen
from notifications.delivery.prepared.prepare import prepare
from notifications.delivery.prepared.tracing import Data, UnsupportedUseError

#: Beyond these, the cache starts again: it keeps pages of HTML.
MAX_PLANS, MAX_KEYS, MAX_SEEN = 200, 50, 10_000
#: Emails for data that differs in its fields only: as many ways through the templates.
MAX_PER_KEY = 8
#: After this many failures without success, the templates of a kind are not tried again.
MAX_FAILURES = 20


class Plan:
    """What is known about the templates of one kind in one language."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        # Values that the templates use for more than printing, and those that all emails share.
        self.shared = {"site_name", "site_url", "language"}
        self.prepared: dict[Hashable, list[PreparedEmail]] = {}
        # How often, by the key's hash.
        self.seen: Counter[int] = Counter()
        self.failures = 0

    def find_all(self, emails: Sequence[Data]) -> list[PreparedEmail | None]:
        size = len(self.shared)
        found = []
        for data, key in [(data, self.see(data)) for data in emails]:
            found.append(self.find(data, key) if key else None)
            if len(self.shared) > size:
                # The keys are outdated.
                return self.find_all(emails)
        return found

    def find(self, data: Data, key: Hashable) -> PreparedEmail | None:
        known = self.prepared.get(key, [])
        found = next((prepared for prepared in known if prepared.covers(data)), None)
        return found or (self.prepare(data) if self.is_worth_preparing(key, len(known)) else None)

    def is_worth_preparing(self, key: Hashable, known: int) -> bool:
        # Data that is seen once may never come again, and preparing an email takes as long as rendering five.
        is_hopeless = self.failures >= MAX_FAILURES and not self.prepared
        return self.seen[hash(key)] > 1 and known < MAX_PER_KEY and not is_hopeless

    def prepare(self, data: Data) -> PreparedEmail | None:
        while True:
            fields = self.fields(data)
            try:
                return self.keep(data, prepare(self.kind, data, fields))
            except UnsupportedUseError as error:
                reasons = error.names & fields
            except Exception:  # noqa: BLE001 - the usual rendering reports it
                # Some tags demand a number.
                reasons = frozenset(name for name in fields if type(data[name]) is not str)
            if not reasons:
                self.failures += 1
                return None
            self.shared |= reasons

    def keep(self, data: Data, prepared: PreparedEmail) -> PreparedEmail:
        if len(self.prepared) >= MAX_KEYS:
            self.prepared.clear()
        self.prepared.setdefault(self.key(data), []).append(prepared)
        return prepared

    def see(self, data: Data) -> Hashable | None:
        # Returns what `data` has in common with other emails, or None if this is unknown.
        try:
            key = self.key(data)
            if len(self.seen) >= MAX_SEEN:
                self.seen.clear()
            self.seen[hash(key)] += 1
        except NotComparableError:
            return None
        return key

    def fields(self, data: Data) -> set[str]:
        return {name for name, value in data.items() if type(value) in FIELD_TYPES} - self.shared

    def key(self, data: Data) -> Hashable:
        values = [
            None if type(value) in FIELD_TYPES and name not in self.shared else (frozen(value),)
            for name, value in data.items()
        ]
        return tuple(data), tuple(values)


_plans: dict[tuple[Templates, str, tzinfo], Plan] = {}


def prepared_for(kind: str, emails: Sequence[Data]) -> list[PreparedEmail | None]:
    """Return a prepared email for each data of a kind, in the active language.

    It gives the same content as rendering the data. None if there is none: the email has to be rendered alone.
    """
    # Reloaded templates are other templates.
    templates = templates_of(kind, strict_engine(Engine.get_default()))
    where = (templates, emails[0]["language"], timezone.get_current_timezone())
    if where not in _plans and len(_plans) >= MAX_PLANS:
        _plans.clear()
    return _plans.setdefault(where, Plan(kind)).find_all(emails)


def reset() -> None:
    _plans.clear()
