"""Read Flower's password, which may be in a file."""

from tornado.options import options

from config.environment import env
from config.variables import SiteVariables
from notifications.runtime.flower_login import REFUSAL


def flower_credentials(text: str) -> list[str]:
    """Parse FLOWER_BASIC_AUTH: one user:password per line. Raises ValueError.

    Flower itself splits at commas, which would cut a password with a comma in two.
    """
    pairs = text.splitlines()
    if not pairs or not all(_is_pair(pair) for pair in pairs):
        raise ValueError("no user:password")
    return pairs


def read_password() -> None:
    # Exits if it is not usable, or if there is no other log-in.
    try:
        options.basic_auth = flower_credentials(env.read(SiteVariables.FLOWER_BASIC_AUTH))
    except ValueError:
        if env.given("FLOWER_BASIC_AUTH") or not options.auth:
            raise SystemExit(REFUSAL) from None


def _is_pair(text: str) -> bool:
    user, separator, password = text.partition(":")
    return bool(user and separator and password)
