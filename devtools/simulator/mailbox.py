"""The web mailbox. Emails are untrusted: text is escaped, HTML is shown in a sandbox without scripts."""

import re
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from django.template import Context, Engine

from devtools.simulator.controls import BadControlError
from devtools.simulator.controls_form import filled_in, groups
from devtools.simulator.handlers import FOREIGN_PAGE, Handler, same_origin

PER_PAGE = 25
TEMPLATES = Engine(dirs=[str(Path(__file__).parent / "templates")])
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


def render(template: str, **context: object) -> str:
    return TEMPLATES.get_template(template).render(Context(context))


class Page(Handler):
    def show(self, template: str, **context: object) -> None:
        self.set_header("Content-Security-Policy", PAGE_POLICY)
        self.finish(render(template, **context))


class Inbox(Page):
    def get(self) -> None:
        to = self.get_argument("to", "")
        found = self.simulator.journal.find(to=to)
        pages = max(1, -(-len(found) // PER_PAGE))
        page = min(max(1, _whole(self.get_argument("page", "1"))), pages)
        self.show(
            "inbox.html",
            rows=[
                (entry, self.simulator.reported(entry.seq)) for entry in found[(page - 1) * PER_PAGE : page * PER_PAGE]
            ],
            to=to,
            page=page,
            pages=pages,
            count=len(found),
            stats=self.simulator.stats(),
        )


class ControlsPage(Page):
    """The controls of all providers, or of one: ?provider=NAME."""

    def get(self) -> None:
        provider = self.get_argument("provider", "")
        if provider and provider not in self.simulator.parts:
            return self.refuse(HTTPStatus.NOT_FOUND, f"There is no provider {provider!r}.")
        return self.show_form(provider)

    def post(self) -> None:
        if not same_origin(self.request):
            return self.refuse(HTTPStatus.FORBIDDEN, FOREIGN_PAGE)
        form = dict(parse_qsl(self.request.body.decode(errors="replace")))
        provider = form.get("provider", "")
        try:
            self.simulator.set_controls(filled_in(form), provider)
        except BadControlError as error:
            self.set_status(HTTPStatus.BAD_REQUEST)
            return self.show_form(provider if provider in self.simulator.parts else "", error=str(error))
        self.redirect(f"/controls?{urlencode({'provider': provider, 'applied': 1})}", status=HTTPStatus.SEE_OTHER)
        return None

    def show_form(self, provider: str, error: str = "") -> None:
        parts = self.simulator.parts
        chosen = [parts[provider]] if provider else parts.values()
        self.show(
            "controls.html",
            providers=parts,
            provider=provider,
            groups=groups(part.controls for part in chosen),
            applied=self.get_argument("applied", "") == "1",
            reporting=self.simulator.reporter is not None,
            error=error,
        )


class ShowMessage(Page):
    def get(self, seq: str) -> None:
        entry = self.simulator.journal.get(int(seq))
        if entry is None:
            self.set_status(HTTPStatus.NOT_FOUND)
        reports = self.simulator.reported(entry.seq) if entry else []
        self.show("message.html", entry=entry, seq=seq, reports=reports, reporting=self.simulator.reporter is not None)


class ShowHtml(Handler):
    """The email's HTML, for the frame: no scripts, forms or external resources. Links open a new tab."""

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
        self.finish(render("style.css"))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004 - no page beyond
