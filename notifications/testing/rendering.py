"""Render every kind of email in every language, with its `preview_context`."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import translation

from notifications import conf, kinds
from notifications.conf import settings
from notifications.delivery.engine import MissingVariableError, render_content
from notifications.delivery.example import example_message
from notifications.delivery.render import data_of, site_data
from notifications.kinds import Kind
from notifications.outbox.context import stored


@dataclass(frozen=True, kw_only=True)
class RenderedKind:
    """An example of a kind of email, for the user that the setting PREVIEW_USER provides."""

    kind: str
    language: str
    subject: str
    text: str
    html: str


class UnrenderableKindError(AssertionError):
    """Kinds of email that cannot be rendered with their preview_context. The text lists each with its error."""


def kinds_and_languages() -> list[tuple[str, str]]:
    """Return each kind with templates, with each of the project's LANGUAGES, by default LANGUAGE_CODE."""
    names = sorted(kind.name for kind in kinds.with_templates())
    return [(name, language) for name in names for language in _languages()]


def render_every_kind() -> list[RenderedKind]:
    """Render every kind in every language. Raises one UnrenderableKindError, which lists all failures."""
    rendered, problems = [], []
    for name, language in kinds_and_languages():
        try:
            rendered.append(render_kind(name, language))
        except UnrenderableKindError as error:
            problems.append(str(error))
    if problems:
        raise UnrenderableKindError("\n".join([f"{len(problems)} emails cannot be rendered:", *problems]))
    return rendered


def render_kind(name: str, language: str) -> RenderedKind:
    """Render one kind in one language. Raises UnrenderableKindError and UnknownKindError."""
    kind = kinds.get(name)
    try:
        with translation.override(language):
            message = example_message(kind, language)
            # As it is stored and read, so that a template that only works with a Decimal fails here too.
            message.context = stored(kind.preview_context)
            content = render_content(name, data_of(message, language, site_data()))
    except Exception as error:
        raise UnrenderableKindError(f"{name} in {language}: {_reason(kind, error)}") from error
    return RenderedKind(kind=name, language=language, subject=content.subject, text=content.text, html=content.html)


def _languages() -> Iterator[str]:
    if conf.is_set("LANGUAGES") and settings.USE_I18N:
        yield from (code for code, _ in settings.LANGUAGES)
    else:
        yield settings.LANGUAGE_CODE


def _reason(kind: Kind, error: Exception) -> str:
    if not isinstance(error, MissingVariableError):
        return f"{type(error).__name__}: {error}"
    hint = "" if kind.preview_context else "; the kind has no preview_context"
    return f"the variable {error} has no value{hint}"
