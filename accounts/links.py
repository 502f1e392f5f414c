"""Build the links with tokens when an email is sent. The tokens are never stored."""

from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from accounts.models import User
from accounts.tokens import address_change_tokens, confirmation_tokens, password_reset_tokens


def confirmation_path(user: User) -> str:
    return reverse("accounts:confirm", args=[_uid(user), confirmation_tokens.make_token(user)])


def password_reset_path(user: User) -> str:
    return reverse("accounts:password-reset-confirm", args=[_uid(user), password_reset_tokens.make_token(user)])


def address_change_path(user: User) -> str:
    return reverse("accounts:address-confirm", args=[_uid(user), address_change_tokens.make_token(user)])


def user_of(uid: str) -> User | None:
    """Return the user of a link; None for an unknown uid or inactive account."""
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


def _uid(user: User) -> str:
    return urlsafe_base64_encode(force_bytes(user.pk))
