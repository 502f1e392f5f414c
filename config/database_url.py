"""What DATABASE_URL says, read by PostgreSQL's own library. Apart from config.servers, which providers import. Pure."""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.servers import LAST_PORT, BadUrlError, require_host, split

SCHEMES = {"postgres": 5432, "postgresql": 5432}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# What libpq reads as whole numbers, but only when it connects.
_WHOLE = (
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
)


def database(url: str) -> dict[str, Any]:
    """Return a PostgreSQL URL as Django takes it, read by PostgreSQL's own library. Raises BadUrlError."""
    split(url, SCHEMES, several_hosts=True)
    try:
        options = conninfo_to_dict(url)
    except psycopg.Error:
        # libpq's sentence quotes the value, so it is not even kept as the cause.
        raise BadUrlError("has a part that PostgreSQL's library does not know") from None
    name, *others = (str(options.pop(part, "")) for part in ("dbname", "user", "password", "host", "port"))
    if not name:
        raise BadUrlError("names no database")
    found = dict(zip(("USER", "PASSWORD", "HOST", "PORT"), others, strict=True))
    return checked({"ENGINE": "django.db.backends.postgresql", "NAME": name, **found, "OPTIONS": options})


def checked(database: dict[str, Any]) -> dict[str, Any]:
    """Return what Django is given of a database. Raises BadUrlError for what libpq refuses only when it connects."""
    options = database["OPTIONS"]
    for host in database["HOST"].split(","):
        if host and not host.startswith("/"):
            require_host(host)
    if not all(_is_port(port) for port in str(database["PORT"]).split(",") if port):
        raise BadUrlError("has a host or a port that cannot be read")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise BadUrlError(f"has an sslmode that is none of {', '.join(SSL_MODES)}")
    if not all(str(options.get(name, 0)).isdecimal() for name in _WHOLE):
        raise BadUrlError(f"has something else than a whole number for one of {', '.join(_WHOLE)}")
    return database


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= LAST_PORT
