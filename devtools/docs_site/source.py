"""Write the pages that Sphinx reads: those of docs/, with menus, and the reference of the public API."""

import inspect
import re
import shutil
from os.path import relpath
from pathlib import Path

import notifications
from config.environment import BASE_DIR

DOCS = BASE_DIR / "docs"
# Pages from above docs/, by their name in the site.
OUTSIDE = {BASE_DIR / "CHANGELOG.md": "changelog.md", BASE_DIR / "CONTRIBUTING.md": "contributing.md"}
API = "reference/api.md"
# Menus, and their pages in order: names, or folders in alphabetical order.
MENUS = {
    "Start": ["tutorial", "how-to/try"],
    "How-to": ["how-to/*"],
    "Reference": ["reference/*"],
    "Explanation": ["explanation/*", "performance", "scaling"],
    "Project": ["decisions/index", "changelog", "contributing"],
}
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:)([^)#\s]+)(#[^)]*)?\)")


def write_source(folder: Path) -> None:
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.md"))
    for page in [*DOCS.rglob("*.md"), *OUTSIDE]:
        target = folder / _place(page)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_relinked(page, page.read_text(encoding="utf-8")), encoding="utf-8")
    _append(folder / "index.md", *(_menu(caption, pages) for caption, pages in MENUS.items()))
    _append(folder / "decisions/index.md", _menu("", ["*"]))
    _append(folder / API, "## In detail\n", *map(_reference, sorted(notifications.__all__)))


def _place(page: Path) -> str:
    # The start page of a folder is its index.
    return OUTSIDE.get(page) or str(page.relative_to(DOCS).with_name(page.name.replace("README.md", "index.md")))


def _relinked(page: Path, text: str) -> str:
    # A link to a file that is not in the site is its text only.
    def relinked(found: re.Match[str]) -> str:
        words, name, anchor = found.groups(default="")
        target = (page.parent / name).resolve()
        if not (target.is_relative_to(DOCS) or target in OUTSIDE):
            return words
        place = _place(target) if target.suffix == ".md" else str(target.relative_to(DOCS))
        return f"[{words}]({relpath(place, Path(_place(page)).parent)}{anchor})"

    return _LINK.sub(relinked, text)


def _append(page: Path, *parts: str) -> None:
    with page.open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(parts))


def _menu(caption: str, pages: list[str]) -> str:
    title = [f":caption: {caption}"] if caption else []
    return "\n".join(["```{toctree}", ":hidden:", ":glob:", *title, "", *pages, "```", ""])


def _reference(name: str) -> str:
    value = getattr(notifications, name)
    is_class = inspect.isclass(value)
    directive = "autoclass" if is_class else "autofunction" if callable(value) else "autodata"
    members = ["   :members:"] if is_class else []
    return "\n".join(["```{eval-rst}", f".. {directive}:: notifications.{name}", *members, "```", ""])
