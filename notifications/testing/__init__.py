"""Mailroom in the tests of a project: docs/how-to/test-your-email.md.

- `Mailroom`: what a test enqueued, and its delivery without broker and worker; `MailroomMixin` for unittest.
  With pytest, the fixture `mailroom` is one
- `assert_enqueued`, `assert_not_enqueued`, `outbox`: the messages in the test's database; `Enqueued`: one of them
- `SentEmail`: an email that was delivered in a test; `Failure`: how a delivery fails; `ReportedOutcome`: what the
  provider reports later; `ReceiverFailedError`: a receiver of `message_changed` failed
- `render_every_kind`, `render_kind`, `kinds_and_languages`: the templates of every kind; `RenderedKind`,
  `UnrenderableKindError`
- `prove`: a project's code under a killed worker and a wiped broker; `Proof`, `BrokenPromiseError`,
  `CannotProveError`

Names are imported when they are first used: pytest loads the plugin of this package before Django is configured.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notifications.providers.recording.backend import Failure
    from notifications.testing.delivering import ReceiverFailedError
    from notifications.testing.enqueued import Enqueued, assert_enqueued, assert_not_enqueued, outbox
    from notifications.testing.proof.comparison import BrokenPromiseError, Proof
    from notifications.testing.proof.prove import CannotProveError, prove
    from notifications.testing.rendering import (
        RenderedKind,
        UnrenderableKindError,
        kinds_and_languages,
        render_every_kind,
        render_kind,
    )
    from notifications.testing.reporting import ReportedOutcome
    from notifications.testing.room import Mailroom, MailroomMixin
    from notifications.testing.sent import SentEmail

__all__ = [
    "BrokenPromiseError",
    "CannotProveError",
    "Enqueued",
    "Failure",
    "Mailroom",
    "MailroomMixin",
    "Proof",
    "ReceiverFailedError",
    "RenderedKind",
    "ReportedOutcome",
    "SentEmail",
    "UnrenderableKindError",
    "assert_enqueued",
    "assert_not_enqueued",
    "kinds_and_languages",
    "outbox",
    "prove",
    "render_every_kind",
    "render_kind",
]

_NAMES = {
    "providers.recording.backend": ["Failure"],
    "testing.delivering": ["ReceiverFailedError"],
    "testing.enqueued": ["Enqueued", "assert_enqueued", "assert_not_enqueued", "outbox"],
    "testing.proof.prove": ["CannotProveError", "prove"],
    "testing.proof.comparison": ["BrokenPromiseError", "Proof"],
    "testing.rendering": [
        *("RenderedKind", "UnrenderableKindError", "kinds_and_languages", "render_every_kind", "render_kind"),
    ],
    "testing.reporting": ["ReportedOutcome"],
    "testing.room": ["Mailroom", "MailroomMixin"],
    "testing.sent": ["SentEmail"],
}
_MODULE_OF = {name: f"notifications.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)
