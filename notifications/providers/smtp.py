"""Any SMTP server, through Django's own backend."""

import smtplib
import ssl

import environ
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from notifications.providers.base import Provider, unknown
from notifications.providers.mail import Accepted, ErrorClass, ProviderError

TRANSIENT_REPLIES = range(400, 500)
PERMANENT_REPLIES = range(500, 600)


class Smtp(Provider):
    """`SMTP_URL` is smtp://, smtp+tls:// (STARTTLS) or smtp+ssl://, with user:password@host:port."""

    name = "smtp"

    def connect(self) -> BaseEmailBackend:
        config = environ.Env.email_url_config(settings.SMTP_URL)
        return EmailBackend(
            host=config["EMAIL_HOST"],
            port=config["EMAIL_PORT"],
            username=config["EMAIL_HOST_USER"],
            password=config["EMAIL_HOST_PASSWORD"],
            use_tls=config.get("EMAIL_USE_TLS", False),
            use_ssl=config.get("EMAIL_USE_SSL", False),
            timeout=int(settings.PROVIDER_READ_TIMEOUT_S),
        )

    def missing_settings(self) -> list[str]:
        return [] if settings.SMTP_URL else ["SMTP_URL"]

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        # SMTP has no id of its own; ours in the header is what the server's log shows.
        return Accepted(message.extra_headers.get("Message-ID", ""))

    def translate(self, error: Exception) -> ProviderError:
        code = type(error).__name__
        if isinstance(error, smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError):
            return ProviderError(ErrorClass.MISCONFIGURED, code, "the server refuses our log-in")
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return from_reply(max(reply for reply, _ in error.recipients.values()), code)
        if isinstance(error, smtplib.SMTPResponseException):
            return from_reply(error.smtp_code, code)
        if isinstance(error, ssl.SSLCertVerificationError):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the server's certificate is not trusted")
        if isinstance(error, ConnectionRefusedError):
            return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the server")
        return unknown(error)


def from_reply(reply: int, code: str) -> ProviderError:
    """Return what a three-digit reply means (RFC 5321, section 4.2.1): 4yz may pass later, 5yz never will."""
    if reply in TRANSIENT_REPLIES:
        return ProviderError(ErrorClass.TRANSIENT, f"smtp-{reply}")
    if reply in PERMANENT_REPLIES:
        return ProviderError(ErrorClass.PERMANENT, f"smtp-{reply}")
    return ProviderError(ErrorClass.AMBIGUOUS, code)
