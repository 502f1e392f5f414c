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

# The event reader interprets the reports later. The status codes fit how the senders react: SendGrid and Postmark retry
# everything but 2xx for hours; SNS retries 5xx and drops the rest. So every failure of ours must be a 5xx.

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30


@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    # An outage of the database becomes the site's 503.
    webhook = webhook_of(provider)
    if webhook is None:
        raise Http404
    # Reads more than Django's limit, which is for forms: SendGrid sends up to a thousand events per request.
    body = request.read(webhook.max_bytes + 1)
    if len(body) > webhook.max_bytes:
        return _answer(413, "too large")
    try:
        batch = webhook.verify_and_parse(WebhookRequest(body, request.headers))
    except InvalidSignatureError as error:
        logger.warning("webhook of %s: invalid signature: %s", provider, error)
        return _answer(403, "invalid signature")
    except MalformedError as error:
        logger.warning("webhook of %s: malformed request: %s", provider, error)
        return _answer(400, "malformed request")
    except OversizedError as error:
        logger.warning("webhook of %s: request too large: %s", provider, error)
        return _answer(413, "too large")
    except CannotVerifyError as error:
        logger.warning("webhook of %s: cannot verify the signature now: %s", provider, error)
        return _answer(503, "cannot verify the signature now")
    ingest.store(provider, batch.events)
    if batch.note:
        logger.info("webhook of %s: %s", provider, batch.note)
    return _answer(200, "ok")


def _answer(status: int, text: str) -> HttpResponse:
    response = HttpResponse(f"{text}\n", content_type="text/plain", status=status)
    if status == 503:  # noqa: PLR2004
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response
