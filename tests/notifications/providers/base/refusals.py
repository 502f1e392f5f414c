"""Post an SNS message that must be refused."""

from typing import Any

import pytest

from notifications.providers.base.webhook import InvalidSignatureError, WebhookRequest
from notifications.providers.ses.webhook import SesWebhook
from tests.notifications.providers.base.signing import as_posted


def refused(message: Any, error: type[Exception] = InvalidSignatureError) -> Exception:
    with pytest.raises(error) as refusal:
        SesWebhook().verify_and_parse(message if isinstance(message, WebhookRequest) else as_posted(message))
    return refusal.value
