"""What `{% email_progress %}` shows, signed into a link that expires."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.urls import reverse

from notifications.links import BadLinkError

AGE_S = 86_400
_SALT = "notifications.progress"


@dataclass(frozen=True, kw_only=True)
class ProgressLink:
    """One email on one page. The field names are in links, which outlive a release."""

    message_id: UUID
    #: When the waiting began, in seconds since the epoch.
    since: int
    #: The path of the page, to which the engine's own pages return.
    page: str = ""
    #: What the page shows as the recipient; empty for that of the message.
    address: str = ""
    #: What to do when the email is there.
    hint: str = ""
    #: True: the engine does it; a path: the page does it there.
    resend: bool | str = False
    correct: bool | str = False

    @property
    def is_handled_by_engine(self) -> bool:
        # Then it shows the newest of the resends.
        return self.resend is True or self.correct is True

    def token(self) -> str:
        return signing.dumps(asdict(self) | {"message_id": str(self.message_id)}, salt=_SALT, compress=True)

    @classmethod
    def load(cls, token: str) -> "ProgressLink":
        """Return what a token stands for. Raises BadLinkError."""
        try:
            values: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=AGE_S)
            return cls(**values | {"message_id": UUID(values["message_id"])})
        except (signing.BadSignature, KeyError, TypeError, ValueError):
            # The last three come from a token of another release.
            raise BadLinkError from None


def progress_part_url(token: str) -> str:
    return reverse("notifications:email-progress", args=[token])


def progress_address_url(token: str) -> str:
    return reverse("notifications:email-address", args=[token])
