"""An act of the steering page: its form, its question, its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django import forms
from django.utils.translation import gettext as _

from notifications.operations.wording import grouped


@dataclass(frozen=True, kw_only=True)
class Question:
    """Asked before the act: what it will do to how many messages."""

    title: str
    sentences: Sequence[str]
    button: str
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class Done:
    """`target` is what the admin's log names. `is_more`: the act must be confirmed again to go on."""

    text: str
    target: str
    is_more: bool = False


class NotDoneError(Exception):
    """The act was not possible. The text is for the operator."""


class Act(forms.Form):
    """A form whose values are asked about, then acted on."""

    name: ClassVar[str]
    use_required_attribute = False

    def ask(self) -> Question:
        raise NotImplementedError

    def do(self, by: str) -> Done:
        """Raises NotDoneError."""
        raise NotImplementedError


def counted(count: int, *, is_more: bool) -> str:
    return _("at least %(count)s") % {"count": grouped(count)} if is_more else grouped(count)
