"""Render the three templates of an email with the site's engine, made strict."""

import re
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from css_inline import CSSInliner
from django.template import Context, Engine
from django.template.base import Template
from django.utils import translation

from notifications.conf import settings

# Gmail and Outlook ignore much of <style>, so styles are inlined, except media queries. Nothing is loaded.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
_STORED_TIMES = "notifications.delivery.stored_times"
# Template tags leave blank lines.
_BLANK_LINES = re.compile(r"\n{3,}")


class MissingVariableError(LookupError):
    """A template uses a variable that has no value. The error's text is its name."""


class BrokenTranslationError(ValueError):
    """A translated sentence cannot be filled in. One of its placeholders is misspelt or missing."""


class EmailTexts(NamedTuple):
    subject: str
    text: str
    html: str


class Templates(NamedTuple):
    """The compiled templates of a kind."""

    subject: Template
    text: Template
    html: Template


class _MissingVariable(str):
    """Raise when Django's engine inserts it for a missing variable, formatted with its name.

    An error is better than thousands of emails with a gap. `{% if %}` and `{% for %}` do not use this, so a template
    can handle an optional variable.
    """

    __slots__ = ()

    def __mod__(self, variable: object) -> NoReturn:
        raise MissingVariableError(str(variable))


class OneLanguage(Context):
    """Raise where Django would insert the untranslated sentence, so that no email mixes languages.

    For the untranslated sentence, Django turns translation off and adds the variables with `update`.
    """

    def update(self, other_dict: dict[str, Any] | Context) -> Any:
        if translation.get_language() is None:
            raise BrokenTranslationError
        return super().update(other_dict)


def render_content(kind: str, data: dict[str, Any]) -> EmailTexts:
    """Return the email of a kind for `data`, in the active language. Raises any error of a template."""
    subject, text, html = templates_of(kind, strict_engine(Engine.get_default()))
    context_class = Context if data["language"] == settings.LANGUAGE_CODE else OneLanguage
    line = subject_line(_render(subject, context_class({**data}, autoescape=False)))
    data = {**data, "subject": line}
    return EmailTexts(
        line,
        tidy(_render(text, context_class({**data}, autoescape=False))),
        inlined(_render(html, context_class({**data}, autoescape=True))),
    )


def templates_of(kind: str, engine: Engine) -> Templates:
    names = ("subject.txt", "body.txt", "body.html")
    return Templates(*(engine.get_template(f"emails/{kind}/{name}") for name in names))


def subject_line(text: str) -> str:
    return " ".join(text.split())


def tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", text).strip()


def inlined(html: str) -> str:
    return str(_inliner.inline(html))


@lru_cache(maxsize=1)
def strict_engine(site: Engine) -> Engine:
    # The site's engine, except that a missing variable is an error.
    return Engine(
        dirs=site.dirs,
        loaders=site.loaders,
        libraries=site.libraries,
        # Before the project's, which may replace it.
        builtins=[_STORED_TIMES, *(name for name in site.builtins if name not in Engine.default_builtins)],
        string_if_invalid=_MissingVariable("%s"),
    )


def _render(template: Template, context: Context) -> str:
    return str(template.render(context))
