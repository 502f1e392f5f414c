"""Compare a provider's webhook set-up with our own URL."""

from urllib.parse import urlsplit

from notifications.conf import settings


def webhook_url(provider: str) -> str:
    return f"{settings.SITE_URL}/webhooks/{provider}/"


def without_credentials(url: str) -> str:
    # A webhook's URL may hold a user and a password.
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path}"


def is_ours(url: str, provider: str) -> bool:
    # Also if only the last slash is missing.
    return without_credentials(url).rstrip("/") == without_credentials(webhook_url(provider)).rstrip("/")


def is_exact(url: str, provider: str) -> bool:
    # Otherwise Django redirects the provider, and its report is lost.
    return without_credentials(url) == without_credentials(webhook_url(provider))
