"""Mailroom: transactional and bulk email for Django and Celery. This is its public API; the rest may change.

In an app's `emails.py`, declare kinds of email (docs/how-to/add-a-kind.md):
- `Kind`: one declaration; `register(kind)` adds it
- `Stream`: critical, default or bulk
- `DeliveryGuarantee`: what to do when a provider's answer was lost

Inside the transaction that causes an email:
- `enqueue(draft)`, `enqueue_many(drafts)`: write messages; `Draft`: what to send, and to whom
- `Attachment`: a file
- `cancel(key_or_id)`: cancel a message that was not handed over to a provider yet
- `reschedule(key_or_id, at)`: send it at another time
- `UnknownKindError`, `BadAddressError`, `BadContextError`, `BadContentError`, `KeyConflictError`: what they raise

Ask what happened:
- `progress(message_id)`: how far a message has come (`Progress`)
- `history(user, limit)`: the newest messages to a user (`HistoryEntry`)
- `refusal(address)`: why an address gets no email (`Refusal`), None if it does
- `can_recheck(address)`: whether its owner may have a bounced address tested now
- `request_recheck(draft)`: send one message to it, once a day; if it is delivered, the address gets email again
- `last_sent(users, kinds)`: when the newest message of these kinds was sent to each user
- `never_written_to(users, kind)`: those users for whom no message of this kind is kept
- `message_changed`: signal that a message was sent, delivered, bounced …; `MessageChange`: which of them
- `kept_for()`: how long ended messages, and so idempotency keys, are kept; None: for good

Bulk email, which its readers can unsubscribe from:
- `unsubscribed`, `resubscribed`: signals that `addresses` did so, sent inside the transaction that records it
- `is_unsubscribed(address)`: whether its reader has unsubscribed
- `unsubscribe(address)`: send it no more bulk email; `resubscribe(address)`: send it bulk email again, unless its
  reader complained (then it returns False)

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

Links from an admin page of a user to the messages (docs/how-to/install.md):
- `LinksToMessages`: mix it into the admin of the user model; `messages_url(user)`: the list, for other pages

Names are imported when they are first used: Django imports this package before its models are ready.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notifications.admin.large_lists import DayFilter, LargeList, SoundChoice
    from notifications.admin.of_user import LinksToMessages, messages_url
    from notifications.admin.search import TidySearch
    from notifications.events.consent import is_unsubscribed, resubscribe, unsubscribe
    from notifications.housekeeping import Job, register_job
    from notifications.kinds import DeliveryGuarantee, Kind, UnknownKindError, register
    from notifications.lookup import (
        HistoryEntry,
        Refusal,
        history,
        last_sent,
        never_written_to,
        progress,
        refusal,
    )
    from notifications.operations.retention import kept_for
    from notifications.outbox.cancel import cancel
    from notifications.outbox.content import KeyConflictError
    from notifications.outbox.context import BadContextError
    from notifications.outbox.draft import Draft
    from notifications.outbox.enqueue import enqueue, enqueue_many
    from notifications.outbox.recheck import can_recheck, request_recheck
    from notifications.outbox.scheduled import reschedule
    from notifications.providers.base.given import BadContentError
    from notifications.rules.addresses import BadAddressError, one_address
    from notifications.rules.changes import MessageChange
    from notifications.rules.content import Attachment
    from notifications.rules.progress import Progress
    from notifications.rules.states import Stream
    from notifications.rules.text import BIDI, one_form
    from notifications.runtime.redis_client import Cooldown
    from notifications.signals import message_changed, resubscribed, unsubscribed

__all__ = [
    "BIDI",
    "Attachment",
    "BadAddressError",
    "BadContentError",
    "BadContextError",
    "Cooldown",
    "DayFilter",
    "DeliveryGuarantee",
    "Draft",
    "HistoryEntry",
    "Job",
    "KeyConflictError",
    "Kind",
    "LargeList",
    "LinksToMessages",
    "MessageChange",
    "Progress",
    "Refusal",
    "SoundChoice",
    "Stream",
    "TidySearch",
    "UnknownKindError",
    "can_recheck",
    "cancel",
    "enqueue",
    "enqueue_many",
    "history",
    "is_unsubscribed",
    "kept_for",
    "last_sent",
    "message_changed",
    "messages_url",
    "never_written_to",
    "one_address",
    "one_form",
    "progress",
    "refusal",
    "register",
    "register_job",
    "request_recheck",
    "reschedule",
    "resubscribe",
    "resubscribed",
    "unsubscribe",
    "unsubscribed",
]

_NAMES = {
    "admin.large_lists": ["DayFilter", "LargeList", "SoundChoice"],
    "admin.of_user": ["LinksToMessages", "messages_url"],
    "admin.search": ["TidySearch"],
    "events.consent": ["is_unsubscribed", "resubscribe", "unsubscribe"],
    "housekeeping": ["Job", "register_job"],
    "kinds": ["DeliveryGuarantee", "Kind", "UnknownKindError", "register"],
    "lookup": [
        *("HistoryEntry", "Refusal"),
        *("history", "last_sent", "never_written_to", "progress", "refusal"),
    ],
    "operations.retention": ["kept_for"],
    "outbox.cancel": ["cancel"],
    "outbox.content": ["KeyConflictError"],
    "outbox.context": ["BadContextError"],
    "outbox.draft": ["Draft"],
    "outbox.enqueue": ["enqueue", "enqueue_many"],
    "outbox.recheck": ["can_recheck", "request_recheck"],
    "outbox.scheduled": ["reschedule"],
    "providers.base.given": ["BadContentError"],
    "rules.addresses": ["BadAddressError", "one_address"],
    "rules.changes": ["MessageChange"],
    "rules.content": ["Attachment"],
    "rules.progress": ["Progress"],
    "rules.states": ["Stream"],
    "rules.text": ["BIDI", "one_form"],
    "runtime.redis_client": ["Cooldown"],
    "signals": ["message_changed", "resubscribed", "unsubscribed"],
}
_MODULE_OF = {name: f"notifications.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
