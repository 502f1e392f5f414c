"""Everything that people read is plain English: it uses none of the words listed in tests/words.txt."""

import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from itertools import chain, starmap
from pathlib import Path

import pytest

from config.environment import BASE_DIR

LIST = BASE_DIR / "tests/words.txt"
# Nothing in these files is our own text: licences, pinned requirements, recorded payloads of providers.
FOREIGN = ("LICENSE", "requirements*.txt", "tests/payloads/*", "tests/words.txt", "tests/test_words.py")
READ = {".conf", ".css", ".html", ".js", ".lua", ".md", ".sh", ".svg", ".toml", ".txt", ".yaml", ".yml"}
NAMED = {".ci/run", ".dockerignore", ".env.example", ".gitignore", "Dockerfile", "Makefile"}
STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
WORDS_IN_A_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
INLINE_CODE = re.compile(r"`[^`\n]+`")


def whole_words(words: str, flags: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", flags)


@dataclass(frozen=True)
class Text:
    line: int
    words: str
    is_name: bool = False
    language: str = "en"


@dataclass(frozen=True)
class Rule:
    words: str
    better: str
    language: str = "en"
    holds_for_names: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return whole_words(self.words, re.IGNORECASE if self.language != "de" else 0)

    def finds(self, text: Text) -> bool:
        holds = self.language == text.language and (self.holds_for_names or not text.is_name)
        return holds and self.pattern.search(text.words) is not None


def entries() -> Iterator[tuple[str, str]]:
    """Yield the left and the right side of each line of the list."""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            left, right = line.split(" → ", 1)
            yield left, right


def rule(left: str, better: str) -> Rule:
    kind, words = left.split(":", 1) if left.startswith(("text:", "de:")) else ("", left)
    return Rule(words, better, "de" if kind == "de" else "en", holds_for_names=not kind)


RULES = [rule(left, right) for left, right in entries() if not left.startswith("ok:")]
ANY_ENGLISH = whole_words("|".join(rule.words for rule in RULES if rule.language == "en"), re.IGNORECASE)
EXCEPTIONS = [tuple(left.removeprefix("ok:").split(": ", 1)) for left, _ in entries() if left.startswith("ok:")]


def is_in(name: str, place: str) -> bool:
    """Return whether a file is this one, or in this folder ("tests/": with its subfolders; "tests/*": without)."""
    return name == place or (place.endswith("/") and name.startswith(place)) or place == f"{Path(name).parent}/*"


def is_excepted(name: str, text: Text) -> bool:
    return any(is_in(name, place) and phrase.casefold() in text.words.casefold() for place, phrase in EXCEPTIONS)


def from_python(path: Path) -> Iterator[Text]:
    """Yield comments, texts and names; of a migration the comments only, as its texts are history."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield Text(token.start[0], token.string)
            elif "migrations" in path.parts:
                continue
            elif token.type in STRINGS:
                lines = enumerate(token.string.splitlines(), token.start[0])
                yield from (Text(line, INLINE_CODE.sub("`", words)) for line, words in lines)
            elif token.type == tokenize.NAME:
                yield Text(token.start[0], " ".join(WORDS_IN_A_NAME.findall(token.string)), is_name=True)


def from_translations(path: Path) -> Iterator[Text]:
    language = "en"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("msg"):
            language = "de" if line.startswith("msgstr") else "en"
        if not line.startswith("#"):
            yield Text(number, line, language=language)


def from_text(path: Path) -> Iterator[Text]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield Text(number, INLINE_CODE.sub("`", line))


def texts(name: str) -> Iterator[Text]:
    path = BASE_DIR / name
    if path.suffix == ".py":
        return from_python(path)
    return from_translations(path) if path.suffix == ".po" else from_text(path)


def is_ours(name: str) -> bool:
    is_text = Path(name).suffix in {*READ, ".py", ".po"} or Path(name).name in NAMED or name in NAMED
    return is_text and not any(fnmatch(name, pattern) for pattern in FOREIGN)


def files() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    return sorted(name for name in listed.stdout.splitlines() if is_ours(name) and (BASE_DIR / name).is_file())


def is_suspect(name: str) -> bool:
    """Return whether a file has a word of the list anywhere: dividing it into texts takes much longer."""
    source = (BASE_DIR / name).read_text(encoding="utf-8")
    names = " ".join(WORDS_IN_A_NAME.findall(source)) if name.endswith(".py") else ""
    text = source if name.endswith(".py") else INLINE_CODE.sub("`", source)
    return name.endswith(".po") or any(ANY_ENGLISH.search(each) for each in (text, names))


@cache
def is_found(text: Text) -> bool:
    may_be = text.language != "en" or ANY_ENGLISH.search(text.words)
    return bool(may_be) and any(rule.finds(text) for rule in RULES)


@cache
def suspects() -> dict[str, list[Text]]:
    """Return the files that have a word of the list, with their texts that a rule finds."""
    return {name: [text for text in texts(name) if is_found(text)] for name in files() if is_suspect(name)}


def findings(name: str, found: list[Text]) -> list[str]:
    return [
        f"{name}:{text.line}: {match.group()!r} → {rule.better}"
        for text in found
        for rule in RULES
        if rule.finds(text) and not is_excepted(name, text) and (match := rule.pattern.search(text.words))
    ]


def test_no_text_uses_a_word_of_the_list():
    found = list(chain.from_iterable(starmap(findings, suspects().items())))
    assert not found, "\n".join(["Use the better words of tests/words.txt:", *found])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (Text(1, "# The worker asks once more."), True),
        (Text(1, "# The worker asks again."), False),
        (Text(1, "test nobody waits", is_name=True), True),
        (Text(1, "django core mail", is_name=True), False),
        (Text(1, "mails", language="de"), False),
        (Text(1, "Ihre Mail", language="de"), True),
    ],
)
def test_words_are_found_in_text_and_names(text, expected):
    assert any(rule.finds(text) for rule in RULES) is expected


def is_needed(place: str, phrase: str) -> bool:
    found = (text for name, texts in suspects().items() if is_in(name, place) for text in texts)
    return any(phrase.casefold() in text.words.casefold() for text in found)


def test_every_exception_is_needed():
    assert [exception for exception in EXCEPTIONS if not is_needed(*exception)] == []
