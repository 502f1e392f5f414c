"""Keep a browser's sign-up in a signed cookie.

Users can read it, so it has the same content whether the address has an account or not.
"""

import time
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.models import User

COOKIE = "signed_up"
AGE_S = 86_400
# The minimum time between two emails of one sign-up.
PAUSE_S = 60


@dataclass(frozen=True, kw_only=True)
class PendingSignUp:
    """The field names are stored in the cookie, which outlives a release."""

    address: str
    name: str = ""
    wants_news: bool = False
    #: The `sign_up` of the account, if one was created.
    account: UUID = field(default_factory=uuid4)
    #: The reference of the last email.
    mail: UUID = field(default_factory=uuid4)
    #: When the last email was requested, in seconds since the epoch.
    mailed_at: int = field(default_factory=lambda: int(time.time()))
    #: The page to open after confirming.
    next: str = ""

    @property
    def age_s(self) -> float:
        return max(0.0, time.time() - self.mailed_at)

    @property
    def wait_s(self) -> int:
        """Return the seconds until the user may request another email."""
        return max(0, round(PAUSE_S - self.age_s))

    def made(self, user: User | None) -> bool:
        # Whether this sign-up created the account.
        return user is not None and user.sign_up == self.account

    @classmethod
    def load(cls, request: HttpRequest) -> "PendingSignUp | None":
        """Return this browser's sign-up; None if the cookie is missing, expired or forged."""
        try:
            values: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=AGE_S)
            values |= {"account": UUID(values["account"]), "mail": UUID(values["mail"])}
            return cls(**values)
        except (signing.BadSignature, KeyError, TypeError, ValueError):
            # The last three come from a cookie of another release.
            return None

    def save(self, response: HttpResponse) -> None:
        values = {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(self).items()}
        response.set_cookie(
            COOKIE,
            signing.dumps(values, salt=COOKIE),
            max_age=AGE_S,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )

    @staticmethod
    def clear(response: HttpResponse) -> None:
        response.delete_cookie(COOKIE, samesite="Lax")
