"""Parse the URLs of Redis and SMTP servers for every library that connects. Pure."""

import ipaddress
import re
import ssl
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit

# Libraries read URLs differently: redis-py understands `?db=7`, kombu drops it; kombu verifies no certificate by
# default. So this module parses a URL once, gives each library the options that it understands, and refuses URLs that a
# library would misread.

REDIS_SCHEMES = {"redis": 6379, "rediss": 6379}
SMTP_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465, "smtps": 465}
STARTTLS, IMPLICIT_TLS = "smtp+tls", "smtp+ssl"
# Ports where servers speak TLS from the first byte, and ports where they begin in plain text.
IMPLICIT_TLS_PORTS, PLAIN_FIRST_PORTS = {465}, {25, 587}
LAST_PORT = 65535
LAST_DB = 15

_SPLITS_A_URL = re.compile(r"[/?#\[\]\\]|%(?![0-9A-Fa-f]{2})")
_NAME = re.compile(r"[\w.-]+")
LONGEST_HOST = 253


class BadUrlError(ValueError):
    """A URL that cannot be used. The message completes "NAME …" and contains no part of the value."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A parsed and decoded URL. `tail` is what follows host and port."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    tail: str


@dataclass(frozen=True, kw_only=True)
class RedisServer:
    host: str
    port: int = 6379
    db: int = 0
    user: str = ""
    password: str = ""
    tls: bool = False

    @classmethod
    def from_url(cls, url: str, *, password: str = "") -> Self:
        # `password` is used if the URL has none.
        parts = split_url(url, REDIS_SCHEMES)
        path = parts.tail.removeprefix("/")
        if not re.fullmatch(r"\d{0,5}", path):
            raise BadUrlError("may only have the number of a database after the host, as in /0")
        return cls(
            host=require_host(parts.host),
            port=parts.port or REDIS_SCHEMES[parts.scheme],
            db=int(path or 0),
            user=parts.user,
            password=parts.password or password,
            tls=parts.scheme == "rediss",
        )

    def __post_init__(self) -> None:
        if self.user and not self.password:
            raise BadUrlError("names a user without a password")

    def next_database(self) -> Self:
        # On the same server. Redis has sixteen databases by default.
        return replace(self, db=self.db + 1 if self.db < LAST_DB else self.db - 1)

    @property
    def url(self) -> str:
        # redis-py, kombu and Flower read this form in the same way.
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://{_login(self.user, self.password)}{bracketed(self.host)}:{self.port}/{self.db}"

    def client_options(self, ca_file: str) -> dict[str, Any]:
        options = {"host": self.host, "port": self.port, "db": self.db}
        login = {"username": self.user or None, "password": self.password or None}
        return options | login | ({"ssl": True, **tls_options(ca_file)} if self.tls else {})


def tls_options(ca_file: str) -> dict[str, Any]:
    # kombu passes these to redis-py, which then verifies the certificate and its name.
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return verified | ({"ssl_ca_certs": ca_file} if ca_file else {})


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    host: str
    port: int
    security: str = "smtp"
    user: str = ""
    password: str = ""

    @classmethod
    def from_url(cls, url: str, *, password: str = "") -> Self:
        # `password` is used if the URL has none.
        parts = split_url(url, SMTP_SCHEMES)
        if parts.tail not in {"", "/"}:
            raise BadUrlError("may have nothing after host and port")
        return cls(
            host=require_host(parts.host),
            port=parts.port or SMTP_SCHEMES[parts.scheme],
            security=IMPLICIT_TLS if parts.scheme == "smtps" else parts.scheme,
            user=parts.user,
            password=parts.password or password,
        )

    def __post_init__(self) -> None:
        if bool(self.user) != bool(self.password):
            raise BadUrlError("names a user without a password, or a password without a user")
        if not (self.user + self.password).isascii():
            raise BadUrlError("has a user or password with non-ASCII characters, which SMTP servers do not accept")
        if self.security == IMPLICIT_TLS and self.port in PLAIN_FIRST_PORTS:
            raise BadUrlError(f"asks for TLS from the start on port {self.port}, where servers expect STARTTLS")
        if self.security != IMPLICIT_TLS and self.port in IMPLICIT_TLS_PORTS:
            raise BadUrlError(f"names port {self.port}, where servers expect TLS from the start (smtp+ssl)")

    @property
    def url(self) -> str:
        return f"{self.security}://{_login(self.user, self.password)}{bracketed(self.host)}:{self.port}"


def split_url(url: str, schemes: dict[str, int], *, several_hosts: bool = False) -> Parts:
    """Parse a URL. Raises BadUrlError if libraries would read it in different ways."""
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in schemes:
        known = " or ".join(f"{name}://" for name in schemes)
        raise BadUrlError(f"must start with {known}; unix sockets cannot be used")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise BadUrlError("contains a space or a control character")
    login, _, place = rest.rpartition("@")
    if _SPLITS_A_URL.search(login):
        raise BadUrlError("has one of / ? # [ ] \\ % in its user or password, or an @ after the host")
    user, _, password = login.partition(":")
    try:
        user, password = (unquote(text, errors="strict") for text in (user, password))
        parts = urlsplit(f"//{place}")
        port = None if several_hosts and "," in parts.netloc else parts.port
    except ValueError:
        # Python's error message quotes the value.
        raise BadUrlError("has an invalid host, port or %-escape") from None
    if "\0" in user + password:
        raise BadUrlError("has a NUL in its user or password")
    if port == 0:
        raise BadUrlError("has port 0")
    tail = place.removeprefix(parts.netloc)
    return Parts(scheme=scheme, user=user, password=password, host=parts.hostname or "", port=port, tail=tail)


def web_address(url: str) -> SplitResult | None:
    """Return the parts of a web address without login; None for any other URL."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    printable = url.isprintable() and not any(character.isspace() for character in url)
    return parts if usable and printable and is_host(parts.hostname or "") else None


def require_host(host: str) -> str:
    if not is_host(host):
        raise BadUrlError("has no host that a network connection can reach")
    return host


def is_host(host: str) -> bool:
    # For a label of 64 letters, connecting would raise UnicodeError instead of OSError.
    if is_address(host):
        return True
    try:
        named = bool(_NAME.fullmatch(host) and host.encode("idna")) and len(host) <= LONGEST_HOST
    except ValueError:
        return False
    return named and not host.replace(".", "").isdigit()


def is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    # A path is a unix socket.
    return host in {"", "localhost", "::1"} or host.startswith(("127.", "/"))


def crosses_networks(host: str) -> bool:
    # A full name or a public address probably leaves the private network.
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not is_loopback(host) and not host.endswith((".local", ".internal", ".localhost"))


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _login(user: str, password: str) -> str:
    return f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
