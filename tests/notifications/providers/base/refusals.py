"""What a refused SNS message says."""

from typing import Any

import pytest

from notifications.providers.base.webhook import ForgedError, Posted
from notifications.providers.ses.webhook import SesWebhook
from tests.notifications.providers.base.signing import as_posted


def refused(message: Any, error: type[Exception] = ForgedError) -> Exception:
    with pytest.raises(error) as refusal:
        SesWebhook().open(message if isinstance(message, Posted) else as_posted(message))
    return refusal.value
