"""Check that requirements*.txt match pyproject.toml."""

import subprocess
import sys
import tempfile
from pathlib import Path

from config.environment import BASE_DIR

# For production, for the local stack, and for tests and checks.
FILES = {
    "requirements.txt": ["--group", "site"],
    "requirements-local.txt": ["--group", "devtools"],
    "requirements-dev.txt": ["--group", "dev"],
}
COMPILE = (
    *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *(
        "--generate-hashes",
        "--no-annotate",
        "--no-strip-extras",
        "--custom-compile-command",
        "make requirements",
        "pyproject.toml",
    ),
)


def out_of_step() -> list[str]:
    """Return the files that resolving pyproject.toml again, starting from their pins, would change."""
    return [name for name, options in FILES.items() if not _in_step(name, options)]


def _in_step(name: str, options: list[str]) -> bool:
    pinned = (BASE_DIR / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        # uv keeps the pins in the output file where they still match.
        output = Path(folder) / name
        output.write_text(pinned)
        subprocess.run([*COMPILE, *options, "-o", str(output)], cwd=BASE_DIR, check=True, stdout=subprocess.DEVNULL)
        return output.read_text() == pinned
