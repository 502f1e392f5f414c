"""The servers that this process connects to, read from a URL or from parts. In parts, any password works."""

from collections.abc import Callable
from typing import Any, TypeVar

from config import database_url
from config.environment import env
from config.reading import Problem
from config.variables import DatabaseVariables, RedisVariables, SmtpVariables
from notifications.conf.declarations import RedisSettings
from notifications.providers.smtp.settings import SmtpSettings
from notifications.rules import servers
from notifications.rules.servers import BadUrlError, RedisServer, SmtpServer

T = TypeVar("T")

# Set beside a URL, these would be ignored. Ports and names may be: they are often set for the server's container.
ONLY_IN_PARTS = {
    "REDIS": ("REDIS_TLS", "REDIS_USER"),
    "DATABASE": ("POSTGRES_SSLMODE",),
    "SMTP": ("SMTP_SECURITY", "SMTP_USER"),
}

# Used instead of a refused URL. The name never resolves (RFC 2606), so that the process reaches no other server.
NOWHERE = "refused.invalid"
SECURITIES = {"starttls": servers.STARTTLS, "tls": servers.IMPLICIT_TLS, "none": "smtp"}


def redis() -> RedisServer:
    def from_url(url: str) -> RedisServer:
        return RedisServer.from_url(url, password=env.read(RedisVariables.REDIS_PASSWORD))

    def from_parts(host: str) -> RedisServer:
        return RedisServer(
            host=servers.require_host(host),
            port=env.read(RedisVariables.REDIS_PORT),
            db=env.read(RedisVariables.REDIS_DB),
            user=env.read(RedisVariables.REDIS_USER),
            password=env.read(RedisVariables.REDIS_PASSWORD),
            tls=env.read(RedisVariables.REDIS_TLS),
        )

    url, host = env.read(RedisSettings.REDIS_URL), env.read(RedisVariables.REDIS_HOST)
    found = _read("REDIS", url=url, from_url=from_url, host=host, from_parts=from_parts, id_="mailroom.E031")
    return found or RedisServer(host=NOWHERE)


def limits_redis() -> RedisServer:
    # By default another database on the broker's server.
    url = env.read(RedisVariables.LIMITS_REDIS_URL)
    if not url:
        return redis().next_database()
    try:
        return RedisServer.from_url(url, password=env.read(RedisVariables.REDIS_PASSWORD))
    except BadUrlError as error:
        name = "LIMITS_REDIS_URL"
        hint = f"Percent-encode special characters, or unset {name} to use another database on the broker's server."
        env.refuse(Problem(name=name, text=f"{name} {error}.", hint=hint, id="mailroom.E044"))
        return RedisServer(host=NOWHERE)


def database() -> dict[str, Any]:
    """Return Django's setting, empty for a refused URL: Django then refuses to connect."""
    ca_file = env.read(DatabaseVariables.POSTGRES_CA_FILE)
    verified = {"sslmode": "verify-full", "sslrootcert": ca_file} if ca_file else {}

    def from_url(url: str) -> dict[str, Any]:
        read = database_url.database_settings(url)
        read["PASSWORD"] = read["PASSWORD"] or env.read(DatabaseVariables.POSTGRES_PASSWORD)
        return read | {"OPTIONS": verified | read["OPTIONS"]}

    def from_parts(host: str) -> dict[str, Any]:
        mode = env.read(DatabaseVariables.POSTGRES_SSLMODE)
        return database_url.checked(
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": env.read(DatabaseVariables.POSTGRES_DB),
                "USER": env.read(DatabaseVariables.POSTGRES_USER),
                "PASSWORD": env.read(DatabaseVariables.POSTGRES_PASSWORD),
                "HOST": host,
                "PORT": str(env.read(DatabaseVariables.POSTGRES_PORT)),
                "OPTIONS": verified | ({"sslmode": mode} if mode else {}),
            }
        )

    url = env.read(DatabaseVariables.DATABASE_URL)
    host = env.read(DatabaseVariables.POSTGRES_HOST)
    read = _read("DATABASE", url=url, from_url=from_url, host=host, from_parts=from_parts, id_="mailroom.E032")
    return read or {}


def smtp() -> str:
    # Returns "" if no server is set.
    def from_url(url: str) -> SmtpServer:
        return SmtpServer.from_url(url, password=env.read(SmtpVariables.SMTP_PASSWORD))

    def from_parts(host: str) -> SmtpServer:
        security = SECURITIES[env.read(SmtpVariables.SMTP_SECURITY)]
        return SmtpServer(
            host=servers.require_host(host),
            port=_smtp_port(security),
            security=security,
            user=env.read(SmtpVariables.SMTP_USER),
            password=env.read(SmtpVariables.SMTP_PASSWORD),
        )

    url, host = env.read(SmtpSettings.SMTP_URL), env.read(SmtpVariables.SMTP_HOST)
    if not url and not host:
        return ""
    read = _read("SMTP", url=url, from_url=from_url, host=host, from_parts=from_parts, id_="mailroom.E033")
    return read.url if read else ""


def _smtp_port(security: str) -> int:
    return env.read(SmtpVariables.SMTP_PORT) if env.given("SMTP_PORT") else servers.SMTP_SCHEMES[security]


def _read(
    prefix: str, *, url: str, from_url: Callable[[str], T], host: str, from_parts: Callable[[str], T], id_: str
) -> T | None:
    """Read a server from a URL or from parts; return None after reporting a problem."""
    parts = "POSTGRES" if prefix == "DATABASE" else prefix
    names = f"{prefix}_URL", f"{parts}_HOST"
    hint = f"Percent-encode special characters, or set {parts}_HOST and {parts}_PASSWORD instead of {prefix}_URL."
    if env.given(names[0]) and (beside := [part for part in (names[1], *ONLY_IN_PARTS[prefix]) if env.given(part)]):
        text = f"{' and '.join([names[0], *beside])} are all set; only the URL would be used."
        env.refuse(Problem(name=names[0], text=text, hint="Set only the URL, or only the parts.", id=id_))
        return None
    try:
        return from_parts(host) if host else from_url(url)
    except BadUrlError as error:
        name = names[1] if host else names[0]
        env.refuse(Problem(name=name, text=f"{name} {error}.", hint=hint, id=id_))
        return None
