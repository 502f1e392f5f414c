"""An email as a request to each provider's API, without a library."""

import json
from typing import Any

PROVIDERS = ("simulator", "sendgrid", "ses", "postmark")
PATHS = {
    "simulator": "/simulator/v3/mail/send",
    "sendgrid": "/v3/mail/send",
    "ses": "/v2/email/outbound-emails",
    "postmark": "/email",
}
CREDENTIALS = {
    "simulator": {"Authorization": "Bearer key"},
    "sendgrid": {"Authorization": "Bearer key"},
    "ses": {"Authorization": "AWS4-HMAC-SHA256 Credential=x"},
    "postmark": {"X-Postmark-Server-Token": "token"},
}


def body_of(provider: str, to: str, metadata: dict[str, str]) -> dict[str, Any]:
    if provider == "postmark":
        return {"From": "shop@example.com", "To": to, "Subject": "Hi", "TextBody": "Hi", "Metadata": metadata}
    if provider == "ses":
        return {
            "FromEmailAddress": "Shop <shop@example.com>",
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hi"}}}},
            "EmailTags": [{"Name": name, "Value": value} for name, value in metadata.items()],
        }
    return {
        "from": {"email": "shop@example.com"},
        "subject": "Hi",
        "personalizations": [{"to": [{"email": to}]}],
        "content": [{"type": "text/plain", "value": "Hi"}],
        "custom_args": metadata,
    }


def raw(provider: str, to: str = "ada@example.com") -> bytes:
    """Return the whole request as bytes."""
    body = json.dumps(body_of(provider, to, {})).encode()
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **CREDENTIALS[provider]}
    head = [f"POST {PATHS[provider]} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*head, "", ""]).encode() + body
