"""The preview of an email on its message's page."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext_lazy

from notifications import kinds
from notifications.delivery.preview import PLACEHOLDER, Likeness, Missing, NoPreviewError, Preview, render_again
from notifications.models import Message
from notifications.rules.states import Status

_LIKENESS = {
    Likeness.EXACT: gettext_lazy("This is exactly what was sent."),
    Likeness.TEMPLATE_CHANGED: gettext_lazy(
        "The template has changed since. The email that was sent looked different."
    ),
    Likeness.DATA_CHANGED: gettext_lazy(
        "The template is the same, but the account, a translation or a setting has changed since. The email that was"
        " sent looked different."
    ),
    Likeness.UNKNOWN: gettext_lazy("What was sent was not recorded. It may have looked different."),
    Likeness.NOT_SENT: gettext_lazy("Not sent. This is what would be sent now."),
}
_HANDED_OVER = gettext_lazy("This is exactly what was handed over to the provider.")
_PROBLEMS = {
    Missing.ANONYMIZED: gettext_lazy("There is no preview: the message was anonymized."),
    Missing.NO_ACCOUNT: gettext_lazy("There is no preview: no account has this address."),
    Missing.UNKNOWN_KIND: gettext_lazy("There is no preview: this process has no kind “%(kind)s”."),
    Missing.UNKNOWN_SECRETS: gettext_lazy(
        "There is no preview: the kind “%(kind)s” does not declare which values only the recipient may know."
    ),
    Missing.PURGED: gettext_lazy("There is no preview: the text was deleted some days after it was sent."),
    Missing.BROKEN: gettext_lazy("There is no preview: its templates failed with %(error)s."),
}
# A frame may style itself, and nothing else: no scripts, forms, links to other windows or loads.
_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
_POLICY += "frame-ancestors 'self'"
# No link leads anywhere: in the frame, it would only show an error.
_MARKED = f"""
<style>
a {{ pointer-events: none }}
a[href*="{PLACEHOLDER}"] {{ outline: 3px dashed #ba2121; outline-offset: 2px }}
</style>
"""


@dataclass(frozen=True, kw_only=True)
class PreviewSection:
    """What the message's page shows. Without `shown`, `sentence` says why."""

    sentence: str
    shown: Preview | None = None
    # Links with tokens are replaced.
    has_placeholders: bool = False


def preview_section(message: Message) -> PreviewSection:
    try:
        shown = render_again(message)
    except NoPreviewError as error:
        return PreviewSection(sentence=_problem_in_words(message, error))
    is_uncertain = message.status == Status.UNCERTAIN and shown.likeness is Likeness.EXACT
    return PreviewSection(
        sentence=str(_HANDED_OVER if is_uncertain else _LIKENESS[shown.likeness]),
        shown=shown,
        has_placeholders=bool(kinds.get(message.kind).secrets),
    )


def preview_frame(message: Message) -> HttpResponse:
    """Return the email's HTML, for a frame on the message's page."""
    try:
        response = HttpResponse(render_again(message).content.html + _MARKED)
    except NoPreviewError as error:
        response = HttpResponse(_problem_in_words(message, error), content_type="text/plain; charset=utf-8", status=404)
    response["Content-Security-Policy"] = _POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _problem_in_words(message: Message, error: NoPreviewError) -> str:
    return str(_PROBLEMS[error.reason]) % {"kind": message.kind, "error": error.detail}
