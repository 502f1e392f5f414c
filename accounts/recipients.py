"""Functions with which the engine reads a user. config/settings.py names them."""

from accounts.models import User

# More than the id column can hold, so that no link in a preview opens an account.
NO_ID = 2**63


def language(user: User) -> str:
    return user.language


def has_confirmed(user: User, address: str) -> bool:
    return user.confirmed_at is not None and address == user.email.lower()


def preview_user(language: str) -> User:
    return User(
        pk=NO_ID, email="ada@example.com", name="Ada Lovelace", new_email="ada.lovelace@example.com", language=language
    )
