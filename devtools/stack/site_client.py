"""An HTTP client for the site's forms, for benchmarks and fault runs."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT_S = 60.0
PASSWORD = "correct horse battery staple"  # noqa: S105 - of simulated people
CHECK_INBOX = "/check-inbox/"


@dataclass(frozen=True)
class Answer:
    """The response to a form's POST: its status, its redirect, and how long it took."""

    status: int
    location: str
    took_s: float
    text: str

    def led_to(self, path: str) -> bool:
        return self.status == requests.codes.found and self.location == path


@dataclass(frozen=True)
class Form:
    """An opened form: its URL and its hidden fields."""

    url: str
    hidden: dict[str, str]
    page: Answer


class RejectedError(RuntimeError):
    """The site did not accept the request; `answer` is its response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the site answered {answer.status} {answer.location}")
        self.answer = answer


class SavedTwiceError(RejectedError):
    """Two posts of a single-use link both succeeded."""


class _Hidden(HTMLParser):
    """Collects the hidden fields of the form that a page posts to the same URL."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._is_in_form = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_in_form = not given.get("action")
        if self._is_in_form and tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.found[str(given["name"])] = given.get("value") or ""


class SiteClient:
    """One browser session. Not thread-safe; `fill_in_twice` starts its threads itself."""

    def __init__(self, site_url: str) -> None:
        self.site_url = site_url
        self.http = _session()

    def fill_in(self, path: str, **fields: str) -> Answer:
        """Open a form, fill in `fields` and post it. Raises requests.RequestException."""
        form = self.open(path)
        return _post(self.http, form, fields) if form.hidden else form.page

    def fill_in_twice(self, path: str, *variants: dict[str, str]) -> list[Answer]:
        """Open a form and post all `variants` at the same time, like a double click.

        Raises requests.RequestException.
        """
        form = self.open(path)
        if not form.hidden:
            return [form.page]
        with ThreadPoolExecutor(len(variants)) as pool:
            return list(pool.map(lambda fields: self._post_apart(form, fields), variants))

    def open(self, path: str) -> Form:
        """Open a page by its path or URL. Raises requests.RequestException."""
        page = self.http.get(urljoin(self.site_url, path), timeout=TIMEOUT_S)
        answer = Answer(page.status_code, "", page.elapsed.total_seconds(), page.text)
        return Form(url=page.url, hidden=_Hidden(page.text).found, page=answer)

    def sign_up(self, address: str, name: str = "") -> Answer:
        # Raises RejectedError unless the site accepts it.
        return _led_to(CHECK_INBOX, self.fill_in("/sign-up/", email=address, name=name, password=PASSWORD))

    def sign_up_twice(self, address: str) -> Answer:
        """Sign up with a double click. Raises RejectedError unless both posts lead to the same page."""
        fields = {"email": address, "name": "", "password": PASSWORD}
        first, *others = [_led_to(CHECK_INBOX, answer) for answer in self.fill_in_twice("/sign-up/", fields, fields)]
        return max([first, *others], key=lambda answer: answer.took_s)

    def ask_for_reset(self, address: str) -> Answer:
        # Raises RejectedError unless the site accepts it.
        return _led_to("/password-reset/done/", self.fill_in("/password-reset/", email=address))

    def choose_password(self, link: str) -> Answer:
        """Use a reset link in two windows at the same time, with two passwords. One of them must be saved.

        Raises SavedTwiceError, and RejectedError if neither was saved.
        """
        answers = self.fill_in_twice(link, *({"password": f"{PASSWORD} {number}"} for number in (1, 2)))
        saved = [answer for answer in answers if answer.led_to("/password-reset/complete/")]
        if len(saved) > 1:
            raise SavedTwiceError(saved[1])
        return saved[0] if saved else _led_to("/password-reset/complete/", answers[0])

    def _post_apart(self, form: Form, fields: dict[str, str]) -> Answer:
        with _session() as http:
            http.cookies.update(self.http.cookies)
            return _post(http, form, fields)


def _session() -> requests.Session:
    http = requests.Session()
    # Retry as browsers do: a server may close an idle connection at the moment it is reused.
    http.mount("http://", HTTPAdapter(max_retries=Retry(total=2, connect=0, status=0, allowed_methods={"GET"})))
    # No proxy for loopback.
    http.trust_env = False
    return http


def _post(http: requests.Session, form: Form, fields: dict[str, str]) -> Answer:
    began = time.perf_counter()
    response = http.post(
        form.url,
        data={**form.hidden, **fields},
        headers={"Referer": form.url},
        allow_redirects=False,
        timeout=TIMEOUT_S,
    )
    took_s = time.perf_counter() - began
    return Answer(response.status_code, response.headers.get("Location", ""), took_s, response.text)


def _led_to(path: str, answer: Answer) -> Answer:
    if not answer.led_to(path):
        raise RejectedError(answer)
    return answer
