"""Parse DATABASE_URL with PostgreSQL's own library."""

from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from notifications.rules.servers import LAST_PORT, BadUrlError, is_address, require_host, split_url

SCHEMES = {"postgres": 5432, "postgresql": 5432}
LONGEST_NAME = 63
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# libpq reads these as whole numbers, but only when it connects.
_WHOLE = (
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
)


def database_settings(url: str) -> dict[str, Any]:
    """Convert a PostgreSQL URL into Django's setting. Raises BadUrlError."""
    scheme = split_url(url, SCHEMES, several_hosts=True).scheme
    if "#" in url:
        raise BadUrlError("has a fragment, which PostgreSQL's library would read as part of the database's name")
    try:
        options = conninfo_to_dict(scheme + url[len(scheme) :])
    except psycopg.Error:
        # libpq's message quotes the value, so it is dropped.
        raise BadUrlError("has a part that PostgreSQL's library does not know") from None
    name, *others = (str(options.pop(part, "")) for part in ("dbname", "user", "password", "host", "port"))
    if not name:
        raise BadUrlError("names no database")
    found = dict(zip(("USER", "PASSWORD", "HOST", "PORT"), others, strict=True))
    return checked({"ENGINE": "django.db.backends.postgresql", "NAME": name, **found, "OPTIONS": options})


def checked(database: dict[str, Any]) -> dict[str, Any]:
    """Let libpq validate the settings before it connects. Raises BadUrlError."""
    options = database["OPTIONS"]
    _check_places(database)
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise BadUrlError(f"has an unknown sslmode; possible are {', '.join(SSL_MODES)}")
    if not all(str(options.get(name, 0)).isdecimal() for name in _WHOLE):
        raise BadUrlError(f"needs a whole number for each of {', '.join(_WHOLE)}")
    if len(database["NAME"].encode()) > LONGEST_NAME:
        raise BadUrlError("has a database name that is too long for PostgreSQL")
    if not _are_understood(database):
        raise BadUrlError("has a part that PostgreSQL's library does not understand")
    return database


def _check_places(database: dict[str, Any]) -> None:
    for host in database["HOST"].split(","):
        if host and not host.startswith("/"):
            require_host(host)
    addresses = str(database["OPTIONS"].get("hostaddr", "")).split(",")
    ports = str(database["PORT"]).split(",")
    if not all(is_address(one) for one in addresses if one) or not all(_is_port(port) for port in ports if port):
        raise BadUrlError("has a host or a port that cannot be read")


def _are_understood(database: dict[str, Any]) -> bool:
    # libpq validates all options before it connects, here to a socket that cannot exist.
    options = {name: value for name, value in database["OPTIONS"].items() if name != "hostaddr"}
    nowhere = ",".join("/dev/null" for _ in database["HOST"].split(","))
    tried = pq.PGconn.connect_start(make_conninfo(**options, host=nowhere, port=str(database["PORT"])).encode())
    try:
        return tried.status != pq.ConnStatus.BAD or b"/dev/null" in tried.error_message
    finally:
        tried.finish()


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= LAST_PORT
