"""The meanings of SendGrid's answers."""

from notifications.providers.base.answers.api import row, status
from notifications.providers.base.answers.meaning import (
    BAD_ADDRESS,
    MESSAGE_REFUSED,
    QUOTA_SPENT,
    REFUSES_US,
)

# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
ROWS = (
    status(
        QUOTA_SPENT,
        401,
        403,
        429,
        text="Maximum credits exceeded|exceeded your (messaging|sending) limit",
        name="credits-exhausted",
    ),
    status(REFUSES_US, 403, text="verified Sender Identity", name="sender-identity"),
    status(REFUSES_US, 400, field=r"^(from|reply_to)\b", name="sender-identity"),
    status(BAD_ADDRESS, 400, field=r"^personalizations\.\d+\.to\b", text="valid address|invalid email"),
    row(MESSAGE_REFUSED, "400"),
)
