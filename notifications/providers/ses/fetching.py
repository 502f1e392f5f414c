"""Send bounded GET requests to Amazon, for certificates and for the confirmation of subscriptions."""

import time
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from notifications.providers.base.webhook import CannotVerifyError

# SNS waits 15 s for our answer: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
TIMEOUTS_S = (2.0, 3.0)
WHOLE_ANSWER_S = 5.0
# A certificate of Amazon has about 2 KiB.
LARGEST = 16 * 1024
CHUNK = 4096


@dataclass(frozen=True)
class Fetched:
    """An answer. `body` ends soon after the largest size."""

    status: int
    body: bytes


def get(url: str) -> Fetched:
    """Fetch `url` without redirects.

    Raises CannotVerifyError if a retry may help. The error does not contain the URL, which may contain the token that
    confirms a subscription.
    """
    try:
        fetched = _get(url)
    except (requests.RequestException, HTTPError) as error:
        trouble = type(error).__name__
    else:
        if fetched.status < requests.codes.server_error and fetched.status != requests.codes.too_many_requests:
            return fetched
        trouble = f"status {fetched.status}"
    # Raised outside the handler: the library's exception contains the URL.
    raise CannotVerifyError(f"no answer from Amazon: {trouble}")


def _get(url: str) -> Fetched:
    with requests.Session() as session:
        # Without the proxy, credentials and certificate authorities of the environment and .netrc.
        session.trust_env = False
        headers = {"Accept-Encoding": "identity"}
        with session.get(url, timeout=TIMEOUTS_S, headers=headers, allow_redirects=False, stream=True) as answer:
            return Fetched(answer.status_code, _bounded(answer))


def _bounded(answer: requests.Response) -> bytes:
    ends = time.monotonic() + WHOLE_ANSWER_S
    body = b""
    # One read per iteration: a slow answer must not block a web process for longer than WHOLE_ANSWER_S.
    while len(body) <= LARGEST and (chunk := answer.raw.read1(CHUNK, decode_content=False)):
        body += chunk
        if time.monotonic() > ends:
            raise requests.Timeout
    return body
