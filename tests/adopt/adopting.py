"""The tutorial, and a foreign project that follows it."""

import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from config.environment import BASE_DIR
from tests.adopt.foreign import Project

TUTORIAL = (BASE_DIR / "docs/tutorial.md").read_text()
_INDENTED = r"((?:    [^\n]*\n|\n)+)"
_FILE = re.compile(rf"^`([\w./-]+)`([^\n]*)\n\n{_INDENTED}", re.MULTILINE)
_SHELL = re.compile(rf"^`python manage\.py shell`[^\n]*\n\n{_INDENTED}", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """A file of the page: `condition` says for which projects, `appends` whether the project has the file."""

    file: str
    text: str
    condition: str
    appends: bool

    @property
    def changed_lines(self) -> int:
        return sum(bool(line.strip()) for line in self.text.splitlines()) if self.appends else 0


def section(number: int) -> str:
    """Return the text of a step of the tutorial."""
    return re.split(r"^## \d+\. ", TUTORIAL, flags=re.MULTILINE)[number].partition("\n## ")[0]


def edits(step: int) -> list[Edit]:
    found = []
    for file, where, text in _FILE.findall(section(step)):
        condition = where.partition(", if ")[2].partition(":")[0]
        found.append(Edit(file, textwrap.dedent(text).strip() + "\n", condition, "at its end" in where))
    return found


def script(step: int) -> str:
    """Return what a step of the tutorial types into `manage.py shell`."""
    (text,) = _SHELL.findall(section(step))
    return textwrap.dedent(text)


class Adopter(Project):
    """A project that follows the tutorial."""

    def __init__(self, folder: Path, python: Path, environment: dict[str, str]) -> None:
        super().__init__(folder, python, environment)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def type_into_shell(self, text: str) -> str:
        printed: str = self.run(self.python, "manage.py", "shell", "-v", "0", typed=text)
        return printed

    def write(self, file: str, text: str, *, appends: bool = True) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if appends and path.exists() else ""
        path.write_text(before + text)

    def start(self, commands: dict[str, str]) -> None:
        """Start processes by their command lines."""
        for name, line in commands.items():
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    ["/bin/sh", "-c", f"exec env {line}"], cwd=self.folder, env=self.environment, stdout=log, stderr=log
                )

    def stop(self, *names: str) -> None:
        for name in names or [*self.running]:
            process = self.running.pop(name)
            process.terminate()
            process.wait(100)

    def logs(self) -> str:
        return "\n".join(f"{log.name}\n{log.read_text()}" for log in self.folder.glob("*.log"))
