"""Any SMTP server, through Django's own backend."""

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from email import policy
from email.charset import QP, Charset
from email.utils import getaddresses
from functools import cached_property
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from urllib3.util import wait_for_read

from notifications.providers.base import deadline
from notifications.providers.base.answers import sentence, status_of
from notifications.providers.base.backend import Provider
from notifications.providers.base.django_versions import IS_MODERN, SEVEN_BIT_POLICY
from notifications.providers.base.failures import unknown
from notifications.providers.base.rebuilt_email import RebuiltEmail
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.providers.smtp.answers import Step, read_reply
from notifications.providers.smtp.settings import settings
from notifications.rules import servers
from notifications.rules.retry import ErrorClass

# The step of each exception of smtplib, which raises the last one for STARTTLS.
STEPS = {
    smtplib.SMTPConnectError: Step.GREETING,
    smtplib.SMTPHeloError: Step.EHLO,
    smtplib.SMTPAuthenticationError: Step.AUTH,
    smtplib.SMTPSenderRefused: Step.MAIL,
    smtplib.SMTPDataError: Step.DATA,
    smtplib.SMTPResponseException: Step.STARTTLS,
}
START_OF_MESSAGE, CLOSING = 354, 421
ACCEPTED_RECIPIENT = {250, 251}
# Every server accepts it. 8-bit text needs 8BITMIME on each server along the way.
SEVEN_BIT = Charset("utf-8")
SEVEN_BIT.body_encoding = QP


class _Smtp(smtplib.SMTP):
    """smtplib's connection, with a deadline and a separate limit for connecting."""

    _watched: deadline.WatchedSocket | None = None
    # The recipient without whom the email is not sent.
    _first = ""

    def connect(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        try:
            return super().connect(*args, **kwargs)
        except OSError:
            # smtplib leaves this to its caller, which has no object yet: the constructor has not returned.
            self.close()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # SMTP_SSL calls this too, and starts TLS on what it returns.
        connection: socket.socket = super()._get_socket(  # type: ignore[misc]
            host, port, min(timeout, settings.PROVIDER_CONNECT_TIMEOUT_S)
        )
        self._watched = deadline.watch(connection)
        connection.settimeout(timeout)
        return connection

    def sendmail(self, from_addr: str, to_addrs: Any, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        if self._watched is not None:
            self._watched.may_have_carried = False
        self._first = to_addrs[0]
        deadline.begin_request()
        return super().sendmail(from_addr, to_addrs, *args, **kwargs)

    def rcpt(self, recip: str, options: Any = ()) -> tuple[int, bytes]:
        code, reply = super().rcpt(recip, options)
        if recip == self._first and code not in ACCEPTED_RECIPIENT and code != CLOSING:
            # smtplib would send the email to the others, and the message would count as sent.
            with suppress(smtplib.SMTPServerDisconnected):
                self.rset()
            raise smtplib.SMTPRecipientsRefused({recip: (code, reply)})
        return code, reply

    def getreply(self) -> tuple[int, bytes]:
        reply = super().getreply()
        # The server asks for the message: it is sent next.
        if reply[0] == START_OF_MESSAGE and self._watched is not None:
            self._watched.is_ready()
        return reply

    def send(self, s: Any) -> None:
        deadline.about_to_send(self._watched)
        super().send(s)

    def close(self) -> None:
        super().close()
        if self._watched is not None:
            self._watched.release()
            self._watched = None


class _SmtpSsl(smtplib.SMTP_SSL, _Smtp):
    pass


class SmtpBackend(EmailBackend):
    """Django's backend, which checks a connection before it uses it again."""

    def _send(self, email_message: EmailMessage) -> bool:
        from_address, people = _envelope(email_message)
        content = _written(email_message)
        assert self.connection is not None  # noqa: S101 - its only caller has opened it
        try:
            refused = self.connection.sendmail(from_address, people, content)
        except smtplib.SMTPDataError as error:
            _end_transaction(self.connection, error.smtp_code)
            raise
        email_message.refused = [*refused.values()]  # type: ignore[attr-defined]
        return True

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        # With the authorities of SMTP_CA_FILE alone, or the system's.
        return ssl.create_default_context(cafile=settings.SMTP_CA_FILE or None)

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SmtpSsl if self.use_ssl else _Smtp

    def open(self) -> bool | None:
        if self.connection is not None and not is_usable(self.connection):
            self.close()
        try:
            return super().open()
        except OSError:
            self.close()
            raise

    def _close_connection(self, connection: smtplib.SMTP) -> None:
        # This does not wait for the answer to QUIT: a server may never send it.
        with suppress(OSError):
            connection.putcmd("quit")
        connection.close()


def _envelope(email: EmailMessage) -> tuple[str, list[str]]:
    if isinstance(email, RebuiltEmail):
        return email.envelope
    # With bare addresses: Django would decode a name that looks like an encoded word.
    (_, sender), *people = getaddresses([email.from_email, *email.recipients()])
    return sender, [address for _, address in people]


def _written(email: EmailMessage) -> bytes:
    if isinstance(email, RebuiltEmail) and email.mime:
        # Written again, a signature could become invalid.
        return re.sub(rb"\r?\n", b"\r\n", email.mime)
    if not IS_MODERN:
        written: bytes = email.message().as_bytes(linesep="\r\n")
        return written
    # An author's email as Django's own backend writes it.
    how = policy.SMTP if isinstance(email, RebuiltEmail) else SEVEN_BIT_POLICY
    return bytes(email.message(policy=how).as_bytes(policy=how))  # type: ignore[call-arg]  # of Django 6


def _end_transaction(connection: smtplib.SMTP, code: int) -> None:
    # After a rejected DATA smtplib keeps the transaction open. The server would answer the next MAIL FROM with 503,
    # which would look like a rejection of us.
    if code == CLOSING:
        connection.close()
    else:
        with suppress(smtplib.SMTPServerDisconnected):
            connection.rset()


def is_usable(connection: smtplib.SMTP) -> bool:
    # Data without a request is a server's announcement that it closes the connection (421).
    return connection.sock is not None and not wait_for_read(connection.sock, timeout=0)


class Smtp(Provider):
    """`SMTP_URL` is smtp://, smtp+tls:// (STARTTLS) or smtp+ssl://, with user:password@host:port."""

    name = "smtp"
    title = "SMTP"
    usual_rate = 5
    marks_requests = True
    names_refused = True

    def connect(self) -> BaseEmailBackend:
        server = servers.SmtpServer.from_url(settings.SMTP_URL)
        return SmtpBackend(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.security == servers.STARTTLS,
            use_ssl=server.security == servers.IMPLICIT_TLS,
            timeout=settings.PROVIDER_READ_TIMEOUT_S,
        )

    def missing_settings(self) -> list[str]:
        return [] if settings.SMTP_URL else ["SMTP_URL"]

    @property
    def reaches_people(self) -> bool:
        # A server on the same machine is a developer's, which shows email and sends none.
        try:
            return not servers.is_loopback(servers.SmtpServer.from_url(settings.SMTP_URL).host)
        except servers.BadUrlError:
            return True

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        # SMTP has no message id; the server's log shows ours from the header.
        refused: list[tuple[int, bytes]] = message.refused  # type: ignore[attr-defined]
        said = [sentence(text.decode("utf-8", "replace")) for _, text in refused]
        note = f"{len(refused)} of {len(message.recipients())} recipients refused: {said[0]}" if refused else ""
        return Accepted(message.extra_headers.get("Message-ID", ""), note)

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:
        if not IS_MODERN and not isinstance(message, RebuiltEmail):
            message.encoding = SEVEN_BIT
        if mail.tags:
            message.extra_headers["X-Tag"] = ", ".join(mail.tags)

    def secrets(self) -> list[str]:
        try:
            server = servers.SmtpServer.from_url(settings.SMTP_URL)
        except servers.BadUrlError:
            return []
        return [server.user, server.password]

    def translate(self, error: Exception) -> ProviderError:
        code = type(error).__name__
        # smtplib raises the second for a server without a log-in method that it supports.
        if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
            return ProviderError(ErrorClass.MISCONFIGURED, code, "the server does not support what SMTP_URL asks for")
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return from_reply(Step.RCPT, *max(error.recipients.values()))
        if isinstance(error, smtplib.SMTPResponseException):
            return from_reply(STEPS[type(error)], error.smtp_code, error.smtp_error)
        if isinstance(error, ssl.SSLCertVerificationError):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the server's certificate is not trusted")
        if isinstance(error, ConnectionRefusedError | socket.gaierror):
            return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the server")
        return unknown(error)


def from_reply(step: Step, code: int, text: bytes | str) -> ProviderError:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    code_of_attempt = "-".join(filter(None, ["smtp", str(code), status_of(words)]))
    return read_reply(step, code, words).error(code_of_attempt, sentence(words))
