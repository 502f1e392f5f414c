"""The language of the pages: a cookie that Django's LocaleMiddleware reads."""

from django.conf import settings
from django.http import HttpResponse

A_YEAR_S = 365 * 86_400


def speak(response: HttpResponse, language: str) -> None:
    """Show this browser the pages in `language` from the next one on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=A_YEAR_S,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
