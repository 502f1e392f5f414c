"""Create and check the tokens of links. Like Django's, they are computed and never stored."""

from copy import copy
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.crypto import constant_time_compare
from django.utils.http import base36_to_int

from accounts.models import User


class _LinkTokenGenerator(PasswordResetTokenGenerator):
    """`bound_to` names the fields of the account that a token depends on."""

    bound_to: ClassVar[tuple[str, ...]]

    def proof(self, user: User) -> dict[str, Any]:
        # A filter for the UPDATE: of two simultaneous posts of a link, only one finds the row unchanged.
        return {"pk": user.pk, "is_active": True, **{name: getattr(user, name) for name in self.bound_to}}


class PasswordResetTokens(_LinkTokenGenerator):
    """Valid until the address, the password or the last log-in changes, or it expires."""

    bound_to = ("email", "password", "last_login")


class _AddressTokenGenerator(_LinkTokenGenerator):
    def check_token(self, user: User | None, token: str | None) -> bool:
        # Django's own check uses PASSWORD_RESET_TIMEOUT.
        made = _timestamp(token or "")
        if user is None or token is None or made is None:
            return False
        return self.is_ours(user, token) and self._age(made) <= settings.CONFIRMATION_TIMEOUT

    def is_ours(self, user: User, token: str) -> bool:
        # Created by this site for the account's current state; it may have expired.
        made = _timestamp(token)
        secrets = [self.secret, *self.secret_fallbacks]
        return made is not None and any(
            constant_time_compare(self._make_token_with_timestamp(user, made, secret), token) for secret in secrets
        )

    def _age(self, made: int) -> timedelta:
        return timedelta(seconds=self._num_seconds(self._now()) - made)

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return "/".join(str(value) for value in (user.pk, *(getattr(user, name) for name in self.bound_to), timestamp))


class ConfirmationTokenGenerator(_AddressTokenGenerator):
    """Valid for one address of one account, until it is confirmed or the token expires."""

    key_salt = "accounts.tokens.ConfirmationTokenGenerator"
    bound_to = ("email", "confirmed_at", "replaced_at")

    def was_used(self, user: User | None, token: str) -> bool:
        # Was valid until the address was confirmed.
        if user is None or user.confirmed_at is None:
            return False
        before = copy(user)
        before.confirmed_at = None
        return self.check_token(before, token)


class AddressChangeTokenGenerator(_AddressTokenGenerator):
    """Valid for one new address, until the account changes or the token expires."""

    key_salt = "accounts.tokens.AddressChangeTokenGenerator"
    bound_to = ("email", "new_email", "password")


def _timestamp(token: str) -> int | None:
    stamp, dash, _ = token.partition("-")
    try:
        return base36_to_int(stamp) if dash else None
    except ValueError:
        return None


password_reset_tokens = PasswordResetTokens()
confirmation_tokens = ConfirmationTokenGenerator()
address_change_tokens = AddressChangeTokenGenerator()
