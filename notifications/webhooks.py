"""Receive providers' reports: verify, store, answer."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications.events import ingest
from notifications.providers.base.webhook import (
    CannotVerifyError,
    InvalidSignatureError,
    MalformedError,
    OversizedError,
    WebhookRequest,
)
from notifications.providers.registry import webhook_of

# A reader interprets the reports afterwards. The status codes depend on how the senders react. SendGrid and Postmark
# repeat everything that is not 2xx for hours; SNS repeats 5xx and drops the rest for good. So every trouble of our own
# must be a 5xx.

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30


@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    # A database outage becomes the site's own 503.
    webhook = webhook_of(provider)
    if webhook is None:
        raise Http404
    # Read past Django's limit, which is meant for forms; SendGrid sends up to a thousand events at once.
    body = request.read(webhook.max_bytes + 1)
    if len(body) > webhook.max_bytes:
        return _answer(413, "too large")
    try:
        batch = webhook.verify_and_parse(WebhookRequest(body, request.headers))
    except InvalidSignatureError as error:
        logger.warning("a request to the webhook of %s is not proven to be from it: %s", provider, error)
        return _answer(403, "not proven genuine")
    except MalformedError as error:
        logger.warning("a request to the webhook of %s cannot be taken apart: %s", provider, error)
        return _answer(400, "cannot be taken apart")
    except OversizedError as error:
        logger.warning("a request to the webhook of %s is too large: %s", provider, error)
        return _answer(413, "too large")
    except CannotVerifyError as error:
        logger.warning("a request to the webhook of %s could not be checked: %s", provider, error)
        return _answer(503, "cannot be checked now")
    ingest.store(provider, batch.events)
    if batch.note:
        logger.info("webhook of %s: %s", provider, batch.note)
    return _answer(200, "ok")


def _answer(status: int, text: str) -> HttpResponse:
    response = HttpResponse(f"{text}\n", content_type="text/plain", status=status)
    if status == 503:  # noqa: PLR2004
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response
