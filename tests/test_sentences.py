"""Tests assert on codes, constants and figures, so that sentences can change."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FEW = 3
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# Texts that programs read, by the test file that quotes them.
ALLOWED = {
    ("notifications/test_previews.py", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"),
}


def asserted(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what a test compares: the condition of `assert`, and `match=` of an expected error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.test
        elif isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "match")


def literals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in chain.from_iterable(map(ast.walk, asserted(tree))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def is_sentence(text: str) -> bool:
    words = (part.strip(".,:;!?()\"'…") for part in text.split())
    return sum(WORD.fullmatch(word) is not None for word in words) > FEW


def sentences(path: Path) -> list[str]:
    name = path.relative_to(TESTS).as_posix()
    found = literals(ast.parse(path.read_text()))
    return [f"{name}:{line}: {text}" for line, text in found if is_sentence(text) and (name, text) not in ALLOWED]


def test_no_assertion_quotes_a_sentence():
    found = [sentence for path in sorted(TESTS.rglob("*.py")) for sentence in sentences(path)]
    assert not found, "\n".join(["Assert on a code, a constant or a figure instead:", *found])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No relay is running: start one.", True),
        ("Der Link gilt drei Tage lang.", True),
        ("1 sent, 3 deferred", False),
        ("admin/notifications/status.html", False),
        ("prove: accepted=6 sent=6 held=0 lost=1", False),
        ("SELECT 1", False),
    ],
)
def test_sentence_has_four_words_or_more(text, expected):
    assert is_sentence(text) is expected
