"""docs/reference/provider-answers.md, generated from the tables that the adapters read."""

import re
from collections.abc import Iterable, Sequence

from notifications.providers.base.answers import api, bounced
from notifications.providers.base.answers.meaning import MEANINGS, REFUSES_US, UNKNOWN
from notifications.providers.base.backend import Provider
from notifications.providers.base.webhook import Told
from notifications.providers.registry import PROVIDERS, webhook_of
from notifications.providers.smtp import answers as smtp
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import ErrorClass

HEAD = """# What a provider's answer means

Written by `make pages` from the tables of `notifications/providers`; do not
edit it.

An answer is about the **recipient**, about this **message**, about **us** (our account, sender or set-up), about the
**moment** (the provider is down, or wants less), or **unknown**. Only what is about us or the moment touches other
email. The first row that fits decides. An answer, a webhook and a later bounce that say the same lead to the same: a
refusal that speaks of the address is kept as an event and read like a report of the provider.
"""
MESSAGE = {
    ErrorClass.TRANSIENT: "is tried again",
    ErrorClass.RATE_LIMITED: "waits",
    ErrorClass.PERMANENT: "is a dead letter",
    ErrorClass.MISCONFIGURED: "waits until the set-up is right",
    ErrorClass.AMBIGUOUS: "is uncertain, and is not sent again blindly",
}
ADDRESS = {
    BounceKind.HARD: "suppressed",
    BounceKind.SOFT: "counts as a soft bounce when the message ends",
    BounceKind.BLOCKED: "stays; never a reason to hold email back",
    None: "",
}
CIRCUIT = {"opens": "opens immediately, with an alarm", "counts": "counts; five in a row open it", "": ""}
STEPS = {
    smtp.ANY: "any",
    smtp.SESSION: "greeting, EHLO, STARTTLS, AUTH, MAIL FROM",
    smtp.NOT_RCPT: "any but RCPT TO",
    smtp.NOT_STARTTLS: "any but STARTTLS",
    smtp.RCPT: "RCPT TO",
    smtp.DATA: "DATA",
    smtp.TO_ONE: "RCPT TO, DATA",
}
CLASSES = {smtp.LATER: "4yz", smtp.NEVER: "5yz", smtp.EITHER: "4yz, 5yz"}
# What a pattern needs and a reader does not.
_ANCHORS = re.compile(r"\\b|[\^$\\]")


def page() -> str:
    apis = _apis()
    parts = [HEAD, _meanings(), _smtp(), *map(_api, apis), _general(apis), _bounces(), _webhooks(), _silence()]
    return "\n".join(parts)


def _meanings() -> str:
    rows = [
        (
            meaning.name,
            str(meaning.about),
            MESSAGE[meaning.error_class],
            "no" if not meaning.costs_an_attempt else "yes",
            ADDRESS[meaning.bounce],
            CIRCUIT[meaning.circuit],
            "is lowered" if meaning.error_class is ErrorClass.RATE_LIMITED else "",
        )
        for meaning in MEANINGS
    ]
    head = ("meaning", "about", "the message", "costs an attempt", "the address", "the provider's circuit", "the rate")
    return _section("What follows", _table(head, rows))


def _smtp() -> str:
    rows = [(STEPS[row.steps], _reply(row), _code(row.status), _words(row), row.meaning.name) for row in smtp.ROWS]
    rows += [
        (str(step), "5yz", "", f"read as a bounce: {bounce.value if bounce else 'says too little'}", meaning.name)
        for step, meanings in smtp.REFUSED.items()
        for bounce, meaning in meanings.items()
    ]
    rows.append(("any", "anything else", "", "", UNKNOWN.name))
    text = "The server's sentence, without addresses and links, is the attempt's text.\n\n"
    return _section("SMTP", text + _table(("answer to", "reply", "status", "words", "means"), rows))


def _reply(row: smtp.Row) -> str:
    return ", ".join(map(str, sorted(row.codes))) or CLASSES[row.classes]


def _words(row: smtp.Row) -> str:
    return f"{row.says} (not {row.excepting})" if row.excepting else row.says


def _apis() -> list[list[Provider]]:
    # Providers that share a table are one group.
    found: dict[int, list[Provider]] = {}
    for spec in PROVIDERS.values():
        provider = spec.backend()
        if provider.answers:
            found.setdefault(id(provider.answers), []).append(provider)
    return list(found.values())


def _api(providers: Sequence[Provider]) -> str:
    first, *others = providers
    rows = [_api_row(row) for row in first.answers]
    head = ("code", "status", "words", "names the field", "means")
    title = f"{first.title} (and {', '.join(one.title for one in others)})" if others else first.title
    return _section(title, _table(head, rows))


def _api_row(row: api.Row) -> tuple[str, ...]:
    pause = f", for {row.meaning.pause_s:.0f} s" if row.meaning.pause_s else ""
    statuses = ", ".join(map(str, sorted(row.statuses)))
    codes = ", ".join(f"`{code}`" for code in sorted(row.codes))
    return codes, statuses, _code(row.text), _code(row.field), row.meaning.name + pause


def _general(apis: Iterable[Sequence[Provider]]) -> str:
    rows = [(_statuses(row), "own error shape", row.meaning.name) for row in api.SHAPED]
    rows += [(_statuses(row), "any other page", row.meaning.name) for row in api.SHAPELESS]
    rows += [("300-399", "any", REFUSES_US.name), ("anything else", "any", UNKNOWN.name)]
    shapes = ", ".join(f"{first.error_shape} ({first.title})" for first, *_ in apis)
    text = (
        f"What no row above knows. The documented error shape is {shapes}.\n"
        "A page without it may be a gateway's, after the provider has accepted.\n\n"
    )
    return _section("Every HTTP API", text + _table(("status", "answer", "means"), rows))


def _statuses(row: api.Row) -> str:
    found = sorted(row.statuses)
    return f"{found[0]}-{found[-1]}" if len(found) > len(smtp.Step) else ", ".join(map(str, found))


def _bounces() -> str:
    rows = [(_code(row.pattern), row.means, _bounce(row.bounce)) for row in bounced.STATUSES]
    rows = [("(any)", row.means, _bounce(row.bounce)) for row in bounced.FIRST] + rows
    words = [("(no clear status)", row.means, _bounce(row.bounce)) for row in bounced.TEXTS]
    text = (
        "Replies to a recipient, SES' diagnostic codes, and the details of SendGrid's and Postmark's bounces are read\n"
        "by this table. Words alone never make a bounce more final than the provider calls it.\n\n"
    )
    head = ("status", "speaks of", "bounce")
    return _section("What a recipient's server says of the address", text + _table(head, [*rows, *words]))


def _webhooks() -> str:
    rows = [
        (spec.backend().title, name, _told(told))
        for provider, spec in PROVIDERS.items()
        if spec.backend().delivers and (webhook := webhook_of(provider))
        for name, told in webhook.bounce_types().items()
    ]
    text = "Where the recipient's server says nothing clear, the provider's own type counts.\n\n"
    return _section("What a provider calls a bounce", text + _table(("provider", "type", "means"), rows))


def _told(told: Told) -> str:
    if told is None:
        return "says nothing of a message's fate"
    kind, bounce = told
    return f"{kind.value}, {bounce.value}" if bounce else kind.value


def _bounce(bounce: BounceKind | None) -> str:
    return bounce.value if bounce else "says too little"


def _silence() -> str:
    rows = [
        ("no connection, a failed handshake, a name that is not found", "provider down"),
        ("a certificate that is not trusted, a key that cannot be a header, no credentials", "refuses us"),
        ("an exception before the request was handed to the connection", "message refused"),
        ("an exception, a timeout or a broken connection after that", "unknown"),
    ]
    return _section("No answer", _table(("what happens", "means"), rows))


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell or ' ' for cell in line)} |\n" for line in lines)


def _code(pattern: str) -> str:
    # A pattern as code in a cell of a table, "" for none.
    shown = _ANCHORS.sub("", pattern.replace(r"\d+", "N")).replace("|", r"\|")
    return f"`{shown}x`" if shown.endswith(".") else f"`{shown}`" * bool(shown)
