"""Links that prove something. Called by whoever sends them, at the moment of sending: tokens are never stored."""

from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User
from accounts.tokens import address_change_tokens, confirmation_tokens, password_reset_tokens


def confirmation_path(user: User) -> str:
    """Return the path at which `user` confirms the address the account has now."""
    return reverse("accounts:confirm", args=[_uid(user), confirmation_tokens.make_token(user)])


def password_reset_path(user: User) -> str:
    """Return the path at which `user` chooses a new password; it works once."""
    return reverse("accounts:password-reset-confirm", args=[_uid(user), password_reset_tokens.make_token(user)])


def address_change_path(user: User) -> str:
    """Return the path at which `user` confirms the new address, which then replaces the old one."""
    return reverse("accounts:address-confirm", args=[_uid(user), address_change_tokens.make_token(user)])


def user_of(uid: str) -> User | None:
    """Return whom the first part of a link names; None for what was made up and for a closed account."""
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


def _uid(user: User) -> str:
    return urlsafe_base64_encode(force_bytes(user.pk))
