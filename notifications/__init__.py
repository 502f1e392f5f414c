"""Mailroom: transactional and bulk email for Django and Celery. This is its public API; the rest may change.

In an app's `emails.py`, declare kinds of email (docs/how-to/add-a-kind.md):
- `Kind`: one declaration; `register(kind)` adds it
- `Stream`: critical, default or bulk
- `DeliveryGuarantee`: what to do when a provider's answer was lost

Inside the transaction that causes an email:
- `enqueue(draft)`, `enqueue_many(drafts)`: write messages; `Draft`: what to send, and to whom
- `cancel(message_id)`: cancel a message that was not handed over to a provider yet
- `UnknownKindError`, `BadAddressError`, `BadContextError`: what they raise before anything is written

Ask what happened:
- `progress(message_id)`: how far a message has come (`Progress`)
- `history(user, limit)`: the newest messages to a user (`HistoryEntry`)
- `refusal(address)`: why an address gets no email (`Refusal`), None if it does
- `last_sent(users, kinds)`: when the newest message of these kinds was sent to each user
- `never_written_to(users, kind)`: those users for whom no message of this kind was ever written

Bulk email, which its readers can unsubscribe from:
- `unsubscribed`: signal that `addresses` unsubscribed, sent inside the transaction that records it
- `is_unsubscribed(address)`: whether its reader has unsubscribed
- `resubscribe(address)`: send bulk email to the address again

Periodic jobs (docs/reference/periodic-jobs.md), in the `ready` of an app:
- `register_job(job)`: run it from now on; `Job`: what to do, and how often

Outages, for an app's own calls:
- `Cooldown(seconds)`: remember for some seconds that a server failed

Text and addresses as the engine stores and compares them:
- `one_address(text)`: the one address in a text, or `BadAddressError`
- `one_form(text)`: a text in one form, without invisible characters
- `BIDI`: pattern of the characters that change the direction of text

Parts of admin pages over tables with millions of rows:
- `LargeList`, `DayFilter`, `SoundChoice`, `TidySearch`

Names are imported when they are first used: Django imports this package before its models are ready.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notifications.admin.large_lists import DayFilter, LargeList, SoundChoice
    from notifications.admin.search import TidySearch
    from notifications.events.suppress import is_unsubscribed, resubscribe
    from notifications.housekeeping import Job, register_job
    from notifications.kinds import DeliveryGuarantee, Kind, UnknownKindError, register
    from notifications.lookup import (
        HistoryEntry,
        Progress,
        Refusal,
        history,
        last_sent,
        never_written_to,
        progress,
        refusal,
    )
    from notifications.outbox.cancel import cancel
    from notifications.outbox.context import BadContextError
    from notifications.outbox.enqueue import Draft, enqueue, enqueue_many
    from notifications.rules.addresses import BadAddressError, one_address
    from notifications.rules.states import Stream
    from notifications.rules.text import BIDI, one_form
    from notifications.runtime.redis_client import Cooldown
    from notifications.signals import unsubscribed

__all__ = [
    "BIDI",
    "BadAddressError",
    "BadContextError",
    "Cooldown",
    "DayFilter",
    "DeliveryGuarantee",
    "Draft",
    "HistoryEntry",
    "Job",
    "Kind",
    "LargeList",
    "Progress",
    "Refusal",
    "SoundChoice",
    "Stream",
    "TidySearch",
    "UnknownKindError",
    "cancel",
    "enqueue",
    "enqueue_many",
    "history",
    "is_unsubscribed",
    "last_sent",
    "never_written_to",
    "one_address",
    "one_form",
    "progress",
    "refusal",
    "register",
    "register_job",
    "resubscribe",
    "unsubscribed",
]

_NAMES = {
    "admin.large_lists": ["DayFilter", "LargeList", "SoundChoice"],
    "admin.search": ["TidySearch"],
    "events.suppress": ["is_unsubscribed", "resubscribe"],
    "housekeeping": ["Job", "register_job"],
    "kinds": ["DeliveryGuarantee", "Kind", "UnknownKindError", "register"],
    "lookup": [
        *("HistoryEntry", "Progress", "Refusal"),
        *("history", "last_sent", "never_written_to", "progress", "refusal"),
    ],
    "outbox.cancel": ["cancel"],
    "outbox.context": ["BadContextError"],
    "outbox.enqueue": ["Draft", "enqueue", "enqueue_many"],
    "rules.addresses": ["BadAddressError", "one_address"],
    "rules.states": ["Stream"],
    "rules.text": ["BIDI", "one_form"],
    "runtime.redis_client": ["Cooldown"],
    "signals": ["unsubscribed"],
}
_MODULE_OF = {name: f"notifications.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
