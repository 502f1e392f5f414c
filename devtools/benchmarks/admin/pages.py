"""Find the pages of the admin: those that a page links to, and those that only its URLs name."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.apps import apps
from django.contrib import admin
from django.urls import NoReverseMatch, Resolver404, URLPattern, resolve, reverse

START = "/admin/"
# Log-in and log-out have no data; the others load files or leave the admin.
IGNORED = {"login", "logout", "password_change", "password_change_done", "jsi18n", "view_on_site"}
CLIENT_ERRORS = range(400, 500)
# Of the pages that differ only in an object, or in the value of one filter.
MOST_OBJECTS = 4
MOST_VALUES = 8

Get = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Page:
    url: str
    #: What its URL is called, and the names of its parameters.
    name: str
    shape: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {' '.join(self.shape)}".strip()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Live parts of a page name the URL that they load in a `data-` attribute.
        for name, value in attrs:
            if value and (name == "href" or (name.startswith("data-") and value.startswith(("/", "?")))):
                self.found.append(value)


@dataclass
class Crawl:
    """Requests each page once, and keeps what it has found."""

    get: Get
    #: What to search for on a list, by the name of its page.
    searches: Callable[[str], Iterable[str]]
    #: How the names of the pages begin.
    within: str = ""
    start: str = START
    most_values: int = MOST_VALUES
    most_objects: int = MOST_OBJECTS
    pages: list[Page] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _counts: Counter[Any] = field(default_factory=Counter)
    _waiting: deque[str] = field(default_factory=deque)

    def run(self) -> list[Page]:
        self._waiting.append(self.start)
        self._follow()
        # Pages that no page links to.
        self._waiting.extend(unlinked({page.name for page in self.pages}))
        self._follow()
        return self.pages

    def _follow(self) -> None:
        while self._waiting:
            url = self._waiting.popleft()
            if (page := self._wanted(url)) is None:
                continue
            answer = self.get(page.url)
            if answer.status_code in CLIENT_ERRORS:
                # Only for POST, or only with parameters.
                continue
            self.pages.append(page)
            if answer.status_code == HTTPStatus.OK and answer.get("Content-Type", "").startswith("text/html"):
                self._waiting.extend(_links_of(page.url, answer.content.decode()))
            if page.name.endswith("_changelist") and not page.shape:
                self._waiting.extend(f"{page.url}?q={word}" for word in self.searches(page.name))

    def _wanted(self, url: str) -> Page | None:
        if url in self._seen:
            return None
        self._seen.add(url)
        page = page_at(url)
        if page is None or len(page.shape) > 1 or not page.name.startswith(self.within):
            return None
        if page.url != url and page.url in self._seen:
            return None
        self._seen.add(page.url)
        # Each value of a filter is a separate page; of objects, a few are enough.
        most = self.most_values if page.shape else self.most_objects
        self._counts[page.name, page.shape] += 1
        searched = page.shape == ("q",)
        return page if searched or self._counts[page.name, page.shape] <= most else None


def page_at(url: str) -> Page | None:
    """Return the page of the admin at this URL, or None."""
    parts = urlsplit(url)
    if parts.netloc or not parts.path.startswith(START):
        return None
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    name = match.url_name or ""
    if not match.app_names or match.app_names[0] != "admin" or name in IGNORED or not name:
        return None
    names = sorted({key for key, _value in parse_qsl(parts.query, keep_blank_values=True)} - {"_changelist_filters"})
    query = f"?{parts.query}" if parts.query and names else ""
    return Page(url=parts.path + query, name=name, shape=tuple(names))


def _links_of(url: str, html: str) -> Iterator[str]:
    parser = _Links()
    parser.feed(html)
    for link in parser.found:
        if not link.startswith(("#", "javascript:", "mailto:", "{")):
            yield urljoin(url, link)


def unlinked(known: Iterable[str]) -> Iterator[str]:
    """Yield a URL for each page of the admin that is not among the known ones, with an object where it needs one."""
    for pattern in admin.site.get_urls():
        for entry in getattr(pattern, "url_patterns", [pattern]):
            name = getattr(entry, "name", None)
            if name and name not in known and name not in IGNORED and isinstance(entry, URLPattern):
                yield from _reversed(name, entry)


def _reversed(name: str, entry: URLPattern) -> Iterator[str]:
    names = list(entry.pattern.converters)
    if not names:
        candidates: list[list[Any]] = [[]]
    else:
        candidates = [[key] for key in _keys_for(name)]
    for arguments in candidates:
        try:
            yield reverse(f"admin:{name}", args=arguments)
        except NoReverseMatch:
            continue


def _keys_for(name: str) -> list[Any]:
    # Names of Django's admin begin with the app and the model.
    for model in apps.get_models():
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):  # noqa: SLF001 - documented
            return list(model._default_manager.order_by("pk").values_list("pk", flat=True)[:1])  # noqa: SLF001 - documented
    return []
