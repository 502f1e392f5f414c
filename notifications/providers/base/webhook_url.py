"""Compare the URL of a provider's webhook with ours."""

from urllib.parse import urlsplit

from django.urls import NoReverseMatch, reverse

from notifications.conf import settings


def webhook_url(provider: str) -> str:
    # The project chooses the prefix.
    try:
        path = reverse("notifications:webhook", args=[provider])
    except NoReverseMatch:
        path = f"/webhooks/{provider}/"
    return f"{settings.SITE_URL}{path}"


def without_credentials(url: str) -> str:
    # A webhook's URL may contain a user and a password.
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path}"


def is_ours(url: str, provider: str) -> bool:
    # Ignores a missing slash at the end.
    return without_credentials(url).rstrip("/") == without_credentials(webhook_url(provider)).rstrip("/")


def is_exact(url: str, provider: str) -> bool:
    # At a URL without the slash, Django redirects the provider, and the report is lost.
    return without_credentials(url) == without_credentials(webhook_url(provider))
