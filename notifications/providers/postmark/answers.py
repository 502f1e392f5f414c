"""The meanings of Postmark's answers."""

from notifications.providers.base.answers.api import row, status
from notifications.providers.base.answers.meaning import (
    BAD_ADDRESS,
    INACTIVE,
    OUTAGE,
    REFUSES_SOME,
    REFUSES_US,
    THROTTLED,
)

# https://postmarkapp.com/developer/api/overview#error-codes
ROWS = (
    row(BAD_ADDRESS, "300", text=r"^(Invalid|Error parsing) 'To'"),
    row(REFUSES_US, "300", text=r"^(Invalid|Error parsing) '(From|Reply-?To)'"),
    row(INACTIVE, "406"),
    # About the only recipient.
    status(INACTIVE, 200, text="will not deliver to these inactive addresses", name="postmark-406"),
    row(THROTTLED, "429"),
    row(OUTAGE, "100"),
    # While Postmark reviews a new account, it accepts only email to our own domain.
    row(REFUSES_SOME, "412"),
    row(REFUSES_US, "10", "400", "401", "405", "413", "1226", "1235"),
)
