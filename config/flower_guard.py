"""Refuse to start Flower without a password."""

from flower.views.monitor import Healthcheck, Metrics
from tornado.options import options
from tornado.web import authenticated

from config.environment import env
from config.variables import SiteVariables

REFUSAL = (
    "Flower does not start without a password, because its pages show server addresses and every task. "
    "Set FLOWER_BASIC_AUTH=user:password, or FLOWER_BASIC_AUTH_FILE. (mailroom.E037)"
)


def flower_credentials(text: str) -> list[str]:
    """Parse FLOWER_BASIC_AUTH: one user:password per line. Raises ValueError.

    Flower itself splits at commas, which would cut a password with a comma in two.
    """
    pairs = text.splitlines()
    if not pairs or not all(_is_pair(pair) for pair in pairs):
        raise ValueError("no user:password")
    return pairs


def require_password() -> None:
    # Exits if there is no password. Protects all pages, also the two that Flower leaves open.
    try:
        options.basic_auth = flower_credentials(env.read(SiteVariables.FLOWER_BASIC_AUTH))
    except ValueError:
        if env.given("FLOWER_BASIC_AUTH") or not options.auth:
            raise SystemExit(REFUSAL) from None
    for page in (Metrics, Healthcheck):
        page.get = authenticated(page.get)


def _is_pair(text: str) -> bool:
    user, separator, password = text.partition(":")
    return bool(user and separator and password)
