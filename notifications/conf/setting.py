"""One setting: its default, parser, check and line of help. The attribute it is assigned to names it."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from django.core.checks import CheckMessage

from notifications.conf import parsing, value_checks
from notifications.conf.parsing import Parser

T = TypeVar("T")


class Values(Protocol):
    def value_of(self, setting: "Setting[T]") -> T: ...


@dataclass(eq=False)
class Setting(Generic[T]):
    default: T
    help_text: str
    parser: Parser[T]
    _: KW_ONLY
    #: Brings a readable value into its one form.
    tidy: Callable[[T], T] = copy
    #: Yields what makes a value of the right type unusable, from the setting's name and the value.
    check: Callable[[str, T], Iterable[CheckMessage]] = value_checks.check_nothing
    #: True if the environment must have it.
    required: bool = False
    #: True if processes of one project differ: the default is in the environment.
    of_process: bool = False
    #: False if only the project's code may set it.
    in_environment: bool = True
    name: str = field(init=False)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Values, owner: type) -> T: ...
    def __get__(self, instance: Values | None, owner: type) -> Self | T:
        return self if instance is None else instance.value_of(self)


def declared(group: type) -> Iterator[Setting[Any]]:
    # In the order of their declaration.
    yield from (one for one in vars(group).values() if isinstance(one, Setting))


def text(default: str, help_text: str, **options: Any) -> Setting[str]:
    return Setting(default, help_text, parsing.text_parser(), **options)


def filled(default: str, help_text: str, **options: Any) -> Setting[str]:
    # An empty variable means the default.
    return Setting(default, help_text, parsing.filled_parser(), **options)


def url(default: str, help_text: str, **options: Any) -> Setting[str]:
    # Without a slash at its end: paths are appended.
    return text(default, help_text, tidy=lambda value: value.rstrip("/"), **options)


def api_key(help_text: str) -> Setting[str]:
    return text("", help_text, check=value_checks.check_api_key)


def api_url(default: str, help_text: str) -> Setting[str]:
    return filled(default, help_text, check=value_checks.check_api_address)


def secret_url(help_text: str) -> Setting[str]:
    return text("", help_text, check=value_checks.check_secret_address)


def ca_file(help_text: str) -> Setting[str]:
    return text("", help_text, check=value_checks.check_authorities)


def items(default: list[str], help_text: str, **options: Any) -> Setting[list[str]]:
    return Setting(default, help_text, parsing.list_parser(), **options)


def whole(default: int, help_text: str, *, least: int = 0, most: int = parsing.MOST) -> Setting[int]:
    return Setting(default, help_text, parsing.whole_parser(least, most))


def days_kept(default: int, help_text: str, *, most: int) -> Setting[int]:
    # 0 means for good.
    return Setting(default, help_text, parsing.whole_parser(0, most), check=value_checks.check_days_kept)


def number(default: float, help_text: str, *, least: float = 0, most: float = parsing.MOST) -> Setting[float]:
    return Setting(default, help_text, parsing.number_parser(least, most))


def flag(default: bool, help_text: str) -> Setting[bool]:
    return Setting(default, help_text, parsing.flag_parser())


def choice(default: str, help_text: str, allowed: tuple[str, ...]) -> Setting[str]:
    return Setting(default, help_text, parsing.choice_parser(allowed))


def function(help_text: str) -> Setting[str]:
    # A dotted path in the project; empty for the engine's function.
    check = value_checks.check_dotted_path
    return Setting("", help_text, parsing.text_parser(), check=check, in_environment=False)
