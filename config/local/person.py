"""A person with a browser, for measuring and for proving: uses the site's real forms over HTTP."""

import re
import time
from dataclasses import dataclass

import requests

TIMEOUT_S = 60.0
PASSWORD = "correct horse battery staple"  # noqa: S105 - nobody's
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What a form's POST came to: the status, where it led, and how long the person waited for it."""

    status: int
    location: str
    took_s: float
    text: str


class TurnedAwayError(RuntimeError):
    """The site did not do what the person asked for; `answer` is what it said."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the site answered {answer.status} {answer.location}")
        self.answer = answer


class Person:
    """One browser session. Not thread-safe; a person has two hands."""

    def __init__(self, site_url: str) -> None:
        self.site_url = site_url
        self.http = requests.Session()
        # A proxy of this machine's has no business between a person and loopback.
        self.http.trust_env = False

    def fill_in(self, path: str, **fields: str) -> Answer:
        """Open the page of a form, fill in `fields` and post it. Raises requests.RequestException."""
        page = self.http.get(self.site_url + path, timeout=TIMEOUT_S)
        found = _CSRF.search(page.text)
        if found is None:
            return Answer(page.status_code, "", page.elapsed.total_seconds(), page.text)
        began = time.perf_counter()
        response = self.http.post(
            self.site_url + path,
            data={"csrfmiddlewaretoken": found[1], **fields},
            headers={"Referer": self.site_url + path},
            allow_redirects=False,
            timeout=TIMEOUT_S,
        )
        took_s = time.perf_counter() - began
        return Answer(response.status_code, response.headers.get("Location", ""), took_s, response.text)

    def sign_up(self, address: str, name: str = "") -> Answer:
        """Sign up. Raises TurnedAwayError unless the site says that it is done."""
        return _led_to("/check-inbox/", self.fill_in("/sign-up/", email=address, name=name, password=PASSWORD))

    def ask_for_reset(self, address: str) -> Answer:
        """Ask for a new password. Raises TurnedAwayError unless the site says that it is done."""
        return _led_to("/password-reset/done/", self.fill_in("/password-reset/", email=address))


def _led_to(path: str, answer: Answer) -> Answer:
    if answer.status != requests.codes.found or answer.location != path:
        raise TurnedAwayError(answer)
    return answer
