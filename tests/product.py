"""The product's Python files, parsed."""

import ast
from collections.abc import Iterator
from functools import cache

from config.environment import BASE_DIR

PACKAGES = ("accounts", "config", "notifications")


@cache
def modules() -> dict[str, ast.Module]:
    """Return each module by its path from the project's folder, without migrations."""
    return {
        str(path.relative_to(BASE_DIR)): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((BASE_DIR / package).rglob("*.py"))
        if "migrations" not in path.parts
    }


def nodes(*types: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, types):
                yield path, node
