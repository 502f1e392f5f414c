"""Fingerprints of emails: they show later whether a rendering is what was sent.

A fingerprint names the language, and has a hash of the templates and one of the rendered email, whose secrets are
replaced before. In a batch, each recipient's email has one, as though it was sent alone.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.utils.encoding import force_bytes

from notifications import kinds, links
from notifications.conf import settings
from notifications.delivery.engine import EmailTexts, Templates, strict_engine, templates_of
from notifications.delivery.prepared.html import Form, written

_SIZE = 8
#: Stands for a secret. No rendered email has it.
REDACTED = "\x00"
_PARTS = re.compile(r"""{%\s*(?:extends|include)\s+["']([^"']+)["']""")


class Fingerprint(NamedTuple):
    language: str
    templates: str
    rendering: str

    def __str__(self) -> str:
        return ":".join(self)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        parts = text.split(":")
        return cls(*parts) if len(parts) == len(cls._fields) else None


def fingerprint_of(kind: str, content: EmailTexts, data: dict[str, Any], secret_key: str | None = None) -> str:
    """Return the fingerprint of an email; empty if its kind declares no secrets.

    `data` is what the templates got. `secret_key` is the site's, if not the present one.
    """
    declared = kinds.get(kind)
    if not declared.knows_its_secrets:
        return ""
    templates = templates_of(kind, strict_engine(Engine.get_default()))
    rendering = _hash_of_rendering(
        content, secrets_in(kind, data), settings.SECRET_KEY if secret_key is None else secret_key
    )
    return str(Fingerprint(data["language"], _hash_of_templates(templates), rendering))


def secrets_in(kind: str, data: dict[str, Any]) -> list[str]:
    names = (*(kinds.get(kind).secrets or ()), links.UNSUBSCRIBE_VARIABLE)
    return [str(data[name]) for name in names if data.get(name)]


def _hash_of_rendering(content: EmailTexts, secrets: Sequence[str], secret_key: str) -> str:
    # With a key, because the text has names and few other unknowns: without it, the hash would confirm a guess.
    parts = [
        _redacted(content.subject, secrets, [Form.PLAIN]),
        _redacted(content.text, secrets, [Form.PLAIN]),
        _redacted(content.html, secrets, [Form.ATTRIBUTE, Form.TEXT]),
    ]
    text = "\n".join(parts).encode(errors="surrogatepass")
    return blake2b(text, digest_size=_SIZE, key=_key(secret_key)).hexdigest()


def _redacted(text: str, secrets: Sequence[str], forms: Sequence[Form]) -> str:
    # The longest first: a secret may contain another.
    for secret in sorted(secrets, key=len, reverse=True):
        for form in forms:
            text = text.replace(written(secret, form), REDACTED)
    return text


@lru_cache(maxsize=8)
def _key(secret_key: str) -> bytes:
    return blake2b(force_bytes(secret_key), person=b"fingerprint").digest()


@lru_cache(maxsize=200)
def _hash_of_templates(templates: Templates) -> str:
    # Reloaded templates are other templates.
    digest = blake2b(digest_size=_SIZE)
    for source in _sources(templates):
        digest.update(source.encode() + b"\x00")
    return digest.hexdigest()


def _sources(templates: Templates) -> Iterator[str]:
    # With the templates that they extend and include by name.
    waiting, seen = list(templates), set()
    for template in waiting:
        yield str(template.source)
        for name in _PARTS.findall(template.source):
            if name in seen:
                continue
            seen.add(name)
            try:
                waiting.append(template.engine.get_template(name))
            except (TemplateDoesNotExist, TemplateSyntaxError):
                # In a branch that the email does not take.
                continue
