"""Remember a browser's sign-up in a signed cookie, without a row.

Signed, not secret: it must look the same whether the address had an account already or not.
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
# Between two emails of one sign-up.
PAUSE_S = 60


@dataclass(frozen=True, kw_only=True)
class PendingSignUp:
    """The names of the fields are those in the cookie, which outlives a release."""

    address: str
    name: str = ""
    wants_news: bool = False
    #: The `sign_up` of the account that came of it, if any did.
    account: UUID = field(default_factory=uuid4)
    #: The reference of the last email.
    mail: UUID = field(default_factory=uuid4)
    #: When that was asked for, in seconds since the epoch.
    mailed_at: int = field(default_factory=lambda: int(time.time()))
    #: The page that was wanted before.
    next: str = ""

    @property
    def age_s(self) -> float:
        return max(0.0, time.time() - self.mailed_at)

    @property
    def wait_s(self) -> int:
        """Return the seconds until the user can request another email."""
        return max(0, round(PAUSE_S - self.age_s))

    def made(self, user: User | None) -> bool:
        # `user` is the account of this sign-up.
        return user is not None and user.sign_up == self.account

    @classmethod
    def load(cls, request: HttpRequest) -> "PendingSignUp | None":
        """Return this browser's sign-up; None if it is missing, too old or forged."""
        try:
            values: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=AGE_S)
            values |= {"account": UUID(values["account"]), "mail": UUID(values["mail"])}
            return cls(**values)
        except (signing.BadSignature, KeyError, TypeError, ValueError):
            # The last three: of an older or a newer release than this one.
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
