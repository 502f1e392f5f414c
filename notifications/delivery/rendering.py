"""From a message and its kind to the mail that goes out. Tokens come into being here and live in memory only."""

from functools import lru_cache
from typing import Any, NoReturn

from css_inline import CSSInliner
from django.conf import settings
from django.template import Context, Engine

from config.database import is_away
from notifications import kinds
from notifications.models import Message
from notifications.providers.mail import OutgoingMail

# Gmail and Outlook drop or ignore much of <style>. Media queries cannot be inlined and stay; nothing is loaded.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


class RenderingError(Exception):
    """The templates and the context of this message do not fit. The text names the error's type, never its values."""


class MissingVariableError(LookupError):
    """A template shows what neither the message nor the account gives. The text is the template's name for it."""


class _Hole(str):
    """Django's engine puts this in place of a variable that is not there, formatted with the variable's name.

    Raising is better than a mail with a hole in it, sent to thousands. `{% if %}` and `{% for %}` do not come here: so
    a template says that something may be missing.
    """

    __slots__ = ()

    def __mod__(self, variable: object) -> NoReturn:
        raise MissingVariableError(str(variable))


def render(message: Message, *, attempt: int) -> OutgoingMail:
    """Return the mail of `message` for the coming attempt.

    Raises RenderingError for whatever a template or a context function raises: no other message suffers for it. A
    database that is away is not the message's fault and passes through.
    """
    try:
        subject, text, html = _parts(message)
    except MissingVariableError as error:
        problem = f"MissingVariableError:{error}"
    except (Exception, SystemExit) as error:
        if is_away(error):
            raise
        problem = type(error).__name__
    else:
        return OutgoingMail(
            message_id=message.id,
            attempt=attempt,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to_address=message.to_address,
            to_name=" ".join(message.user.get_full_name().split()) if message.user else "",
            subject=" ".join(subject.split()),
            text=text,
            html=html,
            headers=_headers(message),
        )
    raise RenderingError(problem)


def _parts(message: Message) -> tuple[str, str, str]:
    kind = kinds.get(message.kind)
    data: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        **message.context,
        **(kind.context(message.user) if message.user else {}),
    }
    folder = f"emails/{kind.name}"
    return (
        _render(f"{folder}/subject.txt", data, escape=False),
        _render(f"{folder}/body.txt", data, escape=False),
        _inliner.inline(_render(f"{folder}/body.html", data, escape=True)),
    )


def _render(name: str, data: dict[str, Any], *, escape: bool) -> str:
    return str(_engine(Engine.get_default()).get_template(name).render(Context(data, autoescape=escape)))


@lru_cache(maxsize=1)
def _engine(site: Engine) -> Engine:
    """The site's own engine, except that a hole in a mail is an error."""
    return Engine(
        dirs=site.dirs,
        loaders=site.loaders,
        libraries=site.libraries,
        builtins=[name for name in site.builtins if name not in Engine.default_builtins],
        string_if_invalid=_Hole("%s"),
    )


def _headers(message: Message) -> dict[str, str]:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")
    return {
        "Message-ID": f"<{message.id}@{domain}>",
        # RFC 3834, and Exchange's own way of saying it: no out-of-office answers, please.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
