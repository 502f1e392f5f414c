"""Protect Flower with a password: without one it does not start."""

from flower.views.monitor import Healthcheck, Metrics
from tornado.options import options
from tornado.web import authenticated

from config.environment import env
from config.variables import SiteVariables

REFUSAL = (
    "Flower does not start without a password: its pages show addresses of servers and every task. "
    "Set FLOWER_BASIC_AUTH=user:password, or FLOWER_BASIC_AUTH_FILE. (mailroom.E037)"
)


def flower_credentials(text: str) -> list[str]:
    """Parse FLOWER_BASIC_AUTH: user:password, or several, one a line.

    Raises ValueError. A comma does not separate, unlike in Flower: half of a password would be one.
    """
    pairs = text.splitlines()
    if not pairs or not all(_is_pair(pair) for pair in pairs):
        raise ValueError("no user:password")
    return pairs


def require_password() -> None:
    # Authenticates all pages. Ends the process if there is no password.
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
