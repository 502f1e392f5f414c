"""Our own end of a provider's webhook, as its set-up at the provider is compared with it."""

from urllib.parse import urlsplit

from notifications.conf import settings


def webhook_url(provider: str) -> str:
    return f"{settings.SITE_URL}/webhooks/{provider}/"


def without_credentials(url: str) -> str:
    """Return `url` fit to be shown and compared: a webhook's address may hold a user and a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path}"


def is_ours(url: str, provider: str) -> bool:
    """True also if only the last slash is missing: somebody meant us."""
    return without_credentials(url).rstrip("/") == without_credentials(webhook_url(provider)).rstrip("/")


def is_exact(url: str, provider: str) -> bool:
    """False where the provider would be redirected, and its report be lost with that."""
    return without_credentials(url) == without_credentials(webhook_url(provider))
