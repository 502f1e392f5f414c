"""Find out how to insert a value into HTML whose styles are inlined."""

import re
from enum import StrEnum
from html.parser import HTMLParser

from notifications.delivery.prepared.tracing import Trace, UnsupportedUseError

_STYLE = re.compile(r"<style\b.*?</style", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE_SELECTOR = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[\w-]+")
# Which styles an element gets may depend on them.
_STYLING = {"style", "class", "id", "lang"}


class Form(StrEnum):
    """How a value is written into an email."""

    PLAIN = "plain"
    TEXT = "text"
    ATTRIBUTE = "attribute"


# As the serialization in the HTML standard.
_ESCAPES = {
    Form.PLAIN: str.maketrans({}),
    Form.TEXT: str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"}),
    Form.ATTRIBUTE: str.maketrans({"&": "&amp;", '"': "&quot;", "\xa0": "&nbsp;"}),
}
_ESCAPED = re.compile('[&<>"\xa0]')


def written(value: str, form: Form) -> str:
    return value.translate(_ESCAPES[form]) if form is not Form.PLAIN and _ESCAPED.search(value) else value


def forms_of(trace: Trace, html: str, inlined: str) -> dict[int, Form]:
    """Return how each token of `html` is written in `inlined`, by its number.

    Raises UnsupportedUseError for a token in a place where its value could matter to the styles or the structure.
    """
    parser = _Finder(trace, _STYLING | _selected_attributes(html))
    parser.feed(inlined)
    parser.close()
    # Those in <style> are no longer there.
    for number in map(int, trace.token.findall(html)):
        if number not in parser.forms:
            raise UnsupportedUseError(trace.printed[number].names)
    return parser.forms


def _selected_attributes(html: str) -> set[str]:
    selectors = _ATTRIBUTE_SELECTOR.findall(" ".join(_STYLE.findall(html)))
    return {name.lower() for selector in selectors for name in _NAME.findall(selector)}


class _Finder(HTMLParser):
    def __init__(self, trace: Trace, refused: set[str]) -> None:
        super().__init__()
        self.trace = trace
        self.refused = refused
        self.forms: dict[int, Form] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.found(value or "", Form.ATTRIBUTE, is_refused=name in self.refused)

    def handle_data(self, data: str) -> None:
        self.found(data, Form.TEXT, is_refused=self.cdata_elem in {"script", "style"})

    def found(self, text: str, form: Form, *, is_refused: bool) -> None:
        for number in map(int, self.trace.token.findall(text)):
            if is_refused or self.forms.setdefault(number, form) is not form:
                raise UnsupportedUseError(self.trace.printed[number].names)
