"""The mailbox for people. Mail is hostile: everything is escaped, and HTML is shown in a sandbox without scripts."""

import re
from http import HTTPStatus

from django.http import QueryDict
from django.template.loader import render_to_string

from notifications.simulator.dials import BadDialError
from notifications.simulator.handlers import Handler, same_origin

PER_PAGE = 25
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


class Page(Handler):
    def show(self, template: str, **context: object) -> None:
        self.set_header("Content-Security-Policy", PAGE_POLICY)
        self.finish(render_to_string(f"simulator/{template}", {"dials": self.simulator.dials, **context}))


class Inbox(Page):
    def get(self) -> None:
        to = self.get_argument("to", "")
        found = self.simulator.journal.find(to=to)
        pages = max(1, -(-len(found) // PER_PAGE))
        page = min(max(1, _whole(self.get_argument("page", "1"))), pages)
        self.show(
            "inbox.html",
            entries=found[(page - 1) * PER_PAGE : page * PER_PAGE],
            to=to,
            page=page,
            pages=pages,
            count=len(found),
            stats=self.simulator.stats(),
        )


class TurnDials(Page):
    def post(self) -> None:
        if not same_origin(self.request):
            return self.refuse(HTTPStatus.FORBIDDEN, "Another site's page may not turn the dials.")
        form = QueryDict(self.request.body)
        try:
            self.simulator.turn({name: form[name] for name in self.simulator.dials.as_dict() if name in form})
        except BadDialError as error:
            return self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        self.redirect("/", status=HTTPStatus.SEE_OTHER)
        return None


class ShowMessage(Page):
    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            self.set_status(HTTPStatus.NOT_FOUND)
        self.show("message.html", entry=entry, seq=seq)


class ShowHtml(Handler):
    """The mail's own HTML, for the frame: no scripts, no forms, no loads; its links open a new tab."""

    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            self.refuse(HTTPStatus.NOT_FOUND, f"There is no message {seq}.")
            return
        self.set_header("Content-Security-Policy", MAIL_POLICY)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        base = '<base target="_blank">'
        html, found = HEAD.subn(lambda match: match.group() + base, entry.html, count=1)
        self.finish(html if found else base + entry.html)


class Style(Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=UTF-8")
        self.finish(render_to_string("simulator/style.css"))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004 - no page beyond
