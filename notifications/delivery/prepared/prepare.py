"""Render an email once, with stand-ins for what differs, and verify the result."""

from collections.abc import Iterable

from django.template import Engine
from django.template.base import Template

from notifications.conf import settings
from notifications.delivery.engine import inlined, render_content, subject_line, templates_of, tidy
from notifications.delivery.prepared.email import PRINTABLE, Part, PreparedEmail, Slot
from notifications.delivery.prepared.engine import GuardedContext, GuardedOneLanguage, engine_of_stand_ins
from notifications.delivery.prepared.html import Form, forms_of
from notifications.delivery.prepared.tracing import Data, StandIn, Trace, UnsupportedUseError, printed_text

#: Values that show whether a template, a translation or the HTML does more with a value than expected.
PROBES = (
    "x",
    "Ré 😀 \"O'Neil\" <b title='%s'>&amp;&lt;</b> 100%% %(name)s {{ x }} {% y %}\n a=b/>&nbsp;\xa0--> ]]> \\1 " * 3
    + "Z",
)


def prepare(kind: str, data: Data, fields: Iterable[str]) -> PreparedEmail:
    """Return the email for all data that differs from `data` only in `fields`.

    Uses the active language. Raises UnsupportedUseError, with the names of the fields that are the reason, if the
    result would differ from rendering each email separately. Raises any error of a template.
    """
    names = frozenset(fields)
    prepared = _render_once(kind, data, names)
    if not _is_right(prepared, kind, data):
        raise UnsupportedUseError
    probed = [name for name in names if type(data[name]) is str and data[name]]
    if not _withstands_probes(prepared, kind, data, probed):
        raise UnsupportedUseError(
            frozenset(name for name in probed if not _withstands_probes(prepared, kind, data, [name]))
        )
    return prepared


def _withstands_probes(prepared: PreparedEmail, kind: str, data: Data, names: Iterable[str]) -> bool:
    return all(_is_right(prepared, kind, data | dict.fromkeys(names, probe)) for probe in PROBES)


def _is_right(prepared: PreparedEmail, kind: str, data: Data) -> bool:
    return prepared.covers(data) and prepared.content(data) == render_content(kind, data)


def _render_once(kind: str, data: Data, fields: Iterable[str]) -> PreparedEmail:
    trace = Trace(data)
    given = data | {name: trace.stand_in(name) for name in fields}
    templates = templates_of(kind, engine_of_stand_ins(Engine.get_default()))
    subject = subject_line(_render(templates.subject, given, trace, escape=False))
    given["subject"] = _subject_of(trace, subject)
    text = tidy(_render(templates.text, given, trace, escape=False))
    html = _render(templates.html, given, trace, escape=True)
    ready = inlined(html)
    forms = forms_of(trace, html, ready)
    prepared = PreparedEmail(
        subject=_part(trace, subject, {}),
        text=_part(trace, text, {}),
        html=_part(trace, ready, forms),
        values=tuple(_printed(trace)),
        conditions=tuple(trace.conditions),
    )
    # It may hold a token, which must not stay in memory.
    trace.data = {}
    return prepared


def _render(template: Template, data: Data, trace: Trace, *, escape: bool) -> str:
    context_class = GuardedContext if data["language"] == settings.LANGUAGE_CODE else GuardedOneLanguage
    context = context_class(dict(data), autoescape=escape)
    context.trace = trace
    return str(template.render(context))


def _subject_of(trace: Trace, subject: str) -> str | StandIn:
    # For the other templates, which may print the subject.
    numbers = {int(number) for number in trace.token.findall(subject)}
    if not numbers:
        return subject

    def evaluate(data: Data) -> str:
        return subject_line(
            trace.token.sub(lambda found: printed_text(trace.printed[int(found[1])].evaluate(data)), subject)
        )

    return StandIn(trace, evaluate, frozenset().union(*(trace.printed[number].names for number in numbers)))


def _part(trace: Trace, text: str, forms: dict[int, Form]) -> Part:
    places = {id(value): place for place, value in enumerate(_printed(trace))}
    # Every other piece is the number of a token.
    pieces = trace.token.split(text)
    slots = [
        Slot(places[id(trace.printed[number])], forms.get(number, Form.PLAIN)) for number in map(int, pieces[1::2])
    ]
    literals = pieces[::2]
    return [literals[0], *(each for pair in zip(slots, literals[1:], strict=True) for each in pair)]


def _printed(trace: Trace) -> list[StandIn]:
    # Each once. Raises UnsupportedUseError for a value that is HTML, or of an unknown type.
    values = list({id(value): value for value in trace.printed}.values())
    for value in values:
        if type(value.evaluate(trace.data)) not in PRINTABLE:
            raise UnsupportedUseError(value.names)
    return values
