"""What the engine asks about a user: config/settings.py names these functions."""

from accounts.models import User

# One more than the column of ids can hold: no link in a preview opens an account.
NO_ID = 2**63


def language(user: User) -> str:
    return user.language


def has_confirmed(user: User, address: str) -> bool:
    return user.confirmed_at is not None and address == user.email.lower()


def preview_user(language: str) -> User:
    return User(
        pk=NO_ID, email="ada@example.com", name="Ada Lovelace", new_email="ada.lovelace@example.com", language=language
    )
