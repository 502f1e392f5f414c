"""The messages in the test's database, and assertions about them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from notifications.models import Message
from notifications.outbox.context import stored
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment, Content, unpacked
from notifications.rules.states import Status, Stream


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """A message that the code under test has enqueued. `message` is the row.

    `context` is as templates get it. `to`, `cc`, `bcc` and `reply_to` are bare addresses. `subject` is that of a
    finished email, such as Django's; that of a kind is rendered later. `content` has the rest of what was given.
    """

    kind: str
    to: list[str]
    user: Any
    key: str
    context: dict[str, Any]
    stream: Stream
    status: Status
    send_at: datetime | None = None
    content: Content = field(default_factory=Content)
    message: Message = field(compare=False)

    @property
    def cc(self) -> list[str]:
        return _bare(self.content.cc)

    @property
    def bcc(self) -> list[str]:
        return _bare(self.content.bcc)

    @property
    def reply_to(self) -> list[str]:
        return _bare(self.content.reply_to)

    @property
    def subject(self) -> str:
        return self.content.finished.subject if self.content.finished else ""

    @property
    def attachments(self) -> list[Attachment]:
        # An email of Django stores its alternatives next to them.
        alternatives = {place for _, place, _ in self.content.email["alternatives"]} if self.content.email else set()
        return [file for place, file in enumerate(self.content.attachments) if place not in alternatives]

    def __repr__(self) -> str:
        parts = {
            "user": self.user,
            "subject": self.subject,
            "key": self.key,
            "stream": self.stream.value,
            "context": self.context,
            "cc": self.cc,
            "bcc": self.bcc,
            "attachments": [file.name for file in self.attachments],
            "send_at": self.send_at and self.send_at.isoformat(),
            "status": "" if self.status is Status.QUEUED else self.status.value,
        }
        shown = ", ".join(f"{name}={value!r}" for name, value in parts.items() if value)
        return f"{self.kind} to {', '.join(self.to)} ({shown})"


_ADDRESSES = {"to", "cc", "bcc", "reply_to"}


class Wanted(TypedDict, total=False):
    """What a message must have.

    `to`, `cc`, `bcc` and `reply_to`: one of the addresses, or a list of all. `context`: a part of the context.
    """

    to: str | Sequence[str]
    cc: str | Sequence[str]
    bcc: str | Sequence[str]
    reply_to: str | Sequence[str]
    user: Any
    key: str
    stream: Stream | str
    context: dict[str, Any]
    subject: str
    send_at: datetime | None


def outbox(*, without: Collection[UUID] = ()) -> list[Enqueued]:
    """Return the messages in the test's database, oldest first."""
    rows = Message.objects.select_related("user", "stored_content").exclude(id__in=without).order_by("created_at", "id")
    return [_enqueued(row) for row in rows]


def assert_enqueued(kind: str, *, count: int | None = None, **wanted: Unpack[Wanted]) -> list[Enqueued]:
    """Return the messages of this kind that fit. Raises AssertionError if there are none, or not `count`."""
    return assert_among(outbox(), kind, count=count, **wanted)


def assert_not_enqueued(kind: str, **wanted: Unpack[Wanted]) -> None:
    """Raise AssertionError if a message of this kind fits."""
    assert_among(outbox(), kind, count=0, **wanted)


def assert_among(
    enqueued: Sequence[Enqueued], kind: str, *, count: int | None = None, **wanted: Unpack[Wanted]
) -> list[Enqueued]:
    if unknown := wanted.keys() - Wanted.__annotations__.keys():
        raise TypeError(f"unknown: {', '.join(sorted(unknown))}; use {', '.join(Wanted.__annotations__)} and count")
    differing = [(one, differences(one, kind, wanted)) for one in enqueued]
    fitting = [one for one, names in differing if not names]
    if len(fitting) == count or (fitting and count is None):
        return fitting
    asked = ", ".join([repr(kind), *(f"{name}={value!r}" for name, value in wanted.items())])
    expected = "at least 1" if count is None else str(count)
    lines = [f"  {one!r}" + (f"  [differs: {', '.join(names)}]" if names else "") for one, names in differing]
    seen = "\n".join(["Enqueued:", *lines]) if lines else "Nothing was enqueued."
    raise AssertionError(f"{len(fitting)} messages fit {asked}, expected {expected}. {seen}")


def differences(one: Enqueued, kind: str, wanted: Wanted) -> list[str]:
    """Return the names of what does not fit. Pure."""
    names = [] if one.kind == kind else ["kind"]
    return names + [name for name, value in wanted.items() if not _fits(one, name, value)]


def _fits(one: Enqueued, name: str, value: Any) -> bool:
    found: Any = getattr(one, name)
    if name in _ADDRESSES:
        fits = value.lower() in found if isinstance(value, str) else found == [each.lower() for each in value]
        return bool(fits)
    if name == "context":
        return stored(value).items() <= one.context.items()
    return bool(found == value)


def _enqueued(row: Message) -> Enqueued:
    content = _content(row)
    return Enqueued(
        kind=row.kind,
        to=[row.to_address, *_bare(content.to)],
        user=row.user,
        key=row.idempotency_key,
        context=row.context,
        stream=Stream(row.stream),
        status=Status(row.status),
        send_at=row.send_at,
        content=content,
        message=row,
    )


def _content(row: Message) -> Content:
    # Some time after the message has ended, only its row is kept.
    data = row.stored_content.packed if row.has_content else None
    return unpacked(bytes(data)) if data else Content()


def _bare(people: Iterable[NamedAddress]) -> list[str]:
    return [one.address.lower() for one in people]
