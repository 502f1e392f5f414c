"""Read settings from the environment. A system check reports unreadable ones by name, never with their value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from notifications.conf import Setting, parsing
from notifications.conf.parsing import IN_DIGITS, MOST, NotReadableError, Parser

T = TypeVar("T")
# Of a file that holds a value: reading a device or a growing log would never end.
LONGEST_FILE = 65_536
Text: TypeAlias = str
Whole: TypeAlias = int
Number: TypeAlias = float
Flag: TypeAlias = bool


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A setting that cannot be used. Its texts never contain the value, which may be a secret."""

    name: str
    text: str
    hint: str
    id: str = "mailroom.E030"

    def __str__(self) -> str:
        return f"{self.text} ({self.id}) {self.hint}"


class Sources:
    """Variables by name. The first source that has NAME or NAME_FILE wins."""

    def __init__(self, *sources: Mapping[str, str]) -> None:
        self._sources = sources
        self.problems: list[Problem] = []

    def given(self, name: str) -> bool:
        # An empty value counts as missing.
        return bool(self._text(name))

    def refuse(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def read(self, setting: Setting[T]) -> T:
        if setting.required and self._text(setting.name) is None:
            hint = f"Set {setting.name} or {setting.name}_FILE."
            self.refuse(Problem(name=setting.name, text=f"{setting.name} is not set.", hint=hint))
        return setting.tidy(self._read(setting.name, setting.parser, setting.default))

    def _read(self, name: str, parser: Parser[T], default: T) -> T:
        text = self._text(name)
        if text is None or (not text and not parser.takes_empty):
            return default
        try:
            return parser.parse(text)
        except ValueError as error:
            kind = str(error) if isinstance(error, NotReadableError) else IN_DIGITS
            self.refuse(Problem(name=name, text=f"{name} is not {kind}.", hint=f"Set {name} to {kind}, or remove it."))
            return default

    def _text(self, name: str) -> str | None:
        for source in self._sources:
            if file := source.get(f"{name}_FILE"):
                if source.get(name):
                    text = f"{name} and {name}_FILE are both set."
                    self.refuse(Problem(name=name, text=text, hint=f"Set only one of {name} and {name}_FILE."))
                return self._content(name, file)
            if name in source:
                return self._encodable(name, source[name])
        return None

    def _encodable(self, name: str, text: str) -> str:
        # Text that is not UTF-8 cannot be signed or sent in a header, so it is refused.
        try:
            text.encode()
        except UnicodeEncodeError:
            self.refuse(Problem(name=name, text=f"{name} is not UTF-8 text.", hint=f"Set {name} in UTF-8."))
            return ""
        return text

    def _content(self, name: str, file: str) -> str | None:
        try:
            with Path(file).open(encoding="utf-8-sig", newline="") as opened:
                text = opened.read(LONGEST_FILE + 1)
            if len(text) > LONGEST_FILE or "\0" in text:
                raise ValueError("not the text of a value")  # noqa: TRY301 - refused like the others
        except (OSError, ValueError):
            hint = f"Name an existing UTF-8 text file that Mailroom may read, or set {name} itself."
            self.refuse(Problem(name=name, text=f"{name}_FILE names a file that cannot be read.", hint=hint))
            return None
        return text.rstrip("\r\n")


class Environment(Sources):
    """Settings by name and type. The methods hide the built-in types of the same names, so the types have aliases."""

    def str(self, name: Text, *, default: Text | None = None) -> Text:
        # Without a default the variable is required.
        text = self._text(name)
        if text is None and default is None:
            self.refuse(Problem(name=name, text=f"{name} is not set.", hint=f"Set {name} or {name}_FILE."))
        return (default or "") if text is None else text

    def filled(self, name: Text, *, default: Text) -> Text:
        # An empty value stands for the default.
        return self._text(name) or default

    def int(self, name: Text, *, default: Whole, least: Whole = 0, most: Whole = MOST) -> Whole:
        return self._read(name, parsing.whole_parser(least, most), default)

    def float(self, name: Text, *, default: Number, least: Number = 0, most: Number = MOST) -> Number:
        return self._read(name, parsing.number_parser(least, most), default)

    def bool(self, name: Text, *, default: Flag) -> Flag:
        return self._read(name, parsing.flag_parser(), default)

    def list(self, name: Text, *, default: Sequence[Text]) -> Sequence[Text]:
        # Separated by line breaks if the value has several lines, otherwise by commas.
        return self._read(name, parsing.list_parser(), [*default])

    def choice(self, name: Text, allowed: Iterable[Text], *, default: Text) -> Text:
        return self._read(name, parsing.choice_parser(allowed), default)
