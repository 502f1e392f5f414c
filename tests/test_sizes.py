"""Files and functions of the product are short, and few functions have a docstring."""

import ast
import re

from config.environment import BASE_DIR
from tests.product import modules, nodes

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 50
MOST_USUAL_FUNCTION_LINES = 16  # for nine functions of ten
MOST_DOCUMENTED = 0.2  # of all functions
MOST_FIRST_WORDS = 15

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def functions():
    return [(path, node) for path, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef)]


def length(function):
    return function.end_lineno - function.lineno + 1


def first_sentence(docstring: str) -> str:
    return re.split(r"(?<=[.!?])\s", docstring, maxsplit=1)[0]


def test_no_file_is_long():
    tests = [str(path.relative_to(BASE_DIR)) for path in (BASE_DIR / "tests").rglob("test_*.py")]
    lines = {path: len((BASE_DIR / path).read_text(encoding="utf-8").splitlines()) for path in [*modules(), *tests]}
    assert {path: count for path, count in lines.items() if count > MOST_FILE_LINES} == {}


def test_no_function_is_long():
    assert [(path, it.name) for path, it in functions() if length(it) > MOST_FUNCTION_LINES] == []


def test_nine_functions_of_ten_are_short():
    lengths = sorted(length(function) for _, function in functions())
    assert lengths[len(lengths) * 9 // 10] <= MOST_USUAL_FUNCTION_LINES


def test_few_functions_have_a_docstring():
    found = [ast.get_docstring(function) is not None for _, function in functions()]
    assert sum(found) / len(found) <= MOST_DOCUMENTED


def test_docstring_starts_with_a_short_sentence():
    first = [(path, first_sentence(ast.get_docstring(node) or "")) for path, node in nodes(*DOCUMENTED)]
    assert [(path, text) for path, text in first if len(text.split()) > MOST_FIRST_WORDS] == []
