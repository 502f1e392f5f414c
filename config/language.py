"""In which language pages speak."""

import logging
import struct

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.urls import reverse
from django.utils import translation

logger = logging.getLogger(__name__)

# What gettext raises for a file of translations: none of its own, cut short, in no known encoding, with bad plurals.
UNREADABLE = (OSError, struct.error, LookupError, ValueError)


class PagesLanguageMiddleware(LocaleMiddleware):
    """People's pages speak the browser's language, the administration the site's own: its texts have no other."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path.startswith(reverse("admin:index")):
            use(request, settings.LANGUAGE_CODE)
            return
        try:
            super().process_request(request)
        except UNREADABLE as error:
            logger.warning("A translation cannot be read (%s): the page speaks %s", error, settings.LANGUAGE_CODE)
            use(request, settings.LANGUAGE_CODE)


def use(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()
