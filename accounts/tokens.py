"""The tokens of links that confirm an address. Like Django's for passwords they are computed, never stored."""

from copy import copy
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.crypto import constant_time_compare
from django.utils.http import base36_to_int

from accounts.models import User


class _AddressTokenGenerator(PasswordResetTokenGenerator):
    def check_token(self, user: User | None, token: str | None) -> bool:
        """Django's check, with a lifetime of our own: its PASSWORD_RESET_TIMEOUT is for passwords."""
        made = _timestamp(token or "")
        if user is None or token is None or made is None:
            return False
        return self.is_ours(user, token) and self._age(made) <= settings.CONFIRMATION_TIMEOUT

    def is_ours(self, user: User, token: str) -> bool:
        """Whether it was made here for what the account says now, however long ago."""
        made = _timestamp(token)
        secrets = [self.secret, *self.secret_fallbacks]
        return made is not None and any(
            constant_time_compare(self._make_token_with_timestamp(user, made, one), token) for one in secrets
        )

    def _age(self, made: int) -> timedelta:
        return timedelta(seconds=self._num_seconds(self._now()) - made)


class ConfirmationTokenGenerator(_AddressTokenGenerator):
    """Valid for one address of one account, until it is confirmed or CONFIRMATION_TIMEOUT is over."""

    key_salt = "accounts.tokens.ConfirmationTokenGenerator"

    def was_used(self, user: User | None, token: str) -> bool:
        """Whether it was a good token before the address was confirmed."""
        if user is None or user.confirmed_at is None:
            return False
        before = copy(user)
        before.confirmed_at = None
        return self.check_token(before, token)

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{user.pk}/{user.email}/{user.confirmed_at}/{user.replaced_at}/{timestamp}"


class AddressChangeTokenGenerator(_AddressTokenGenerator):
    """Valid for one new address of one account, until the address or the password is another or the time is over."""

    key_salt = "accounts.tokens.AddressChangeTokenGenerator"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{user.pk}/{user.email}/{user.new_email}/{user.password}/{timestamp}"


def _timestamp(token: str) -> int | None:
    stamp, dash, _ = token.partition("-")
    try:
        return base36_to_int(stamp) if dash else None
    except ValueError:
        return None


confirmation_tokens = ConfirmationTokenGenerator()
address_change_tokens = AddressChangeTokenGenerator()
