"""The template engine for stand-ins. A template that it cannot compile is rendered for each recipient."""

from functools import lru_cache
from typing import Any, NoReturn

from django.template import Context, Engine, Library
from django.template.base import Node, Parser, Token
from django.template.defaulttags import do_if
from django.template.exceptions import TemplateSyntaxError
from django.template.loader_tags import BlockNode

from notifications.delivery.engine import OneLanguage, strict_engine
from notifications.delivery.prepared.tracing import Trace, UnsupportedUseError, applied_later

# Their output depends on their arguments and the active language only, and they do not change printed text. Unlike
# `now`, `url`, `filter`, `spaceless`, `autoescape`, `ifchanged` and any tag of another app.
TAGS = {
    "block", "blocktrans", "blocktranslate", "comment", "cycle", "extends", "firstof", "for", "get_current_language",
    "get_current_language_bidi", "if", "include", "load", "resetcycle", "templatetag", "trans", "translate", "verbatim",
    "with",
}  # fmt: skip
# They depend on chance, on the clock or on the site's addresses.
NOT_REPEATABLE = {"random", "timesince", "timeuntil"}
_MODULES = ("django.template.", "django.templatetags.")


class _NoBlock:
    @property
    def super(self) -> NoReturn:
        # Printed text, which a template could change.
        raise UnsupportedUseError


class GuardedContext(Context):
    """Refuses to keep printed text in the context: a template could change or compare it."""

    trace: Trace

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, str) and self.trace.prefix in value:
            raise UnsupportedUseError
        super().__setitem__(key, _NoBlock() if isinstance(value, BlockNode) else value)


class GuardedOneLanguage(GuardedContext, OneLanguage):
    """The same for an email that is not in the site's language."""


@lru_cache(maxsize=1)
def engine_of_stand_ins(site: Engine) -> Engine:
    strict = strict_engine(site)
    engine = Engine(dirs=site.dirs, loaders=site.loaders, string_if_invalid=strict.string_if_invalid)
    engine.template_builtins = [_repeatable(library) for library in strict.template_builtins]
    engine.template_libraries = {name: _repeatable(library) for name, library in strict.template_libraries.items()}
    return engine


def _repeatable(library: Library) -> Library:
    # Keeps the names of the others too, which may replace a tag of Django's.
    kept = Library()
    kept.tags = dict.fromkeys(library.tags, _refused_tag)
    kept.filters = dict.fromkeys(library.filters, _refused_filter)
    kept.tags |= {name: tag for name, tag in library.tags.items() if name in TAGS and _is_djangos(tag)}
    kept.filters |= {
        name: applied_later(function)
        for name, function in library.filters.items()
        if name not in NOT_REPEATABLE and _is_djangos(function)
    }
    if kept.tags.get("if") is do_if:
        kept.tags["if"] = _if_without_identity
    return kept


def _is_djangos(function: Any) -> bool:
    return str(function.__module__).startswith(_MODULES)


def _refused_tag(parser: Parser, token: Token) -> NoReturn:
    raise TemplateSyntaxError(f"{token} cannot be traced")


def _refused_filter(value: Any, argument: Any = None) -> NoReturn:
    raise UnsupportedUseError


def _if_without_identity(parser: Parser, token: Token) -> Node:
    # A stand-in cannot notice `is`.
    node = do_if(parser, token)
    if any(_compares_identity(condition) for condition, _ in node.conditions_nodelists):
        raise TemplateSyntaxError("`is` cannot be traced")
    return node


def _compares_identity(condition: Any) -> bool:
    # Of an operator, which has one or two operands; None is `{% else %}`.
    if condition is None:
        return False
    return condition.id in {"is", "is not"} or any(map(_compares_identity, (condition.first, condition.second)))
