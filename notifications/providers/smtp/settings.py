"""Settings of the SMTP server."""

from collections.abc import Iterable

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from notifications import conf
from notifications.conf.setting import ca_file, text
from notifications.rules.servers import IMPLICIT_TLS, STARTTLS, BadUrlError, SmtpServer, is_loopback


def check_server(name: str, value: str) -> Iterable[CheckMessage]:
    if not value:
        return
    try:
        found = SmtpServer.from_url(value)
    except BadUrlError as error:
        hint = "Set SMTP_URL to smtp+tls://user:password@host:587, or SMTP_HOST, SMTP_USER and SMTP_PASSWORD."
        yield Error(f"{name} {error}.", hint=hint, id="mailroom.E033")
        return
    if found.user and found.security not in {STARTTLS, IMPLICIT_TLS} and not is_loopback(found.host):
        hint = "Use smtp+tls:// or smtp+ssl://."
        yield Warning("The password of the SMTP server is sent without encryption.", hint=hint, id="mailroom.W006")


class SmtpSettings(conf.Settings):
    SMTP_URL = text(
        "",
        "smtp+tls:// (STARTTLS, port 587), smtp+ssl:// (port 465) or smtp:// (plain, port 25), then"
        " user:password@host:port",
        check=check_server,
    )
    SMTP_CA_FILE = ca_file("the authority that signed the server's certificate; empty: the system's")


settings = SmtpSettings()
