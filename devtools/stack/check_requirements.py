"""Whether requirements*.txt still say what pyproject.toml asks for."""

import subprocess
import sys
import tempfile
from pathlib import Path

from config.environment import BASE_DIR

# Production, the local stack besides, and all that tests and checks need.
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
    """Return the files that resolving pyproject.toml again, from the pins there are, would change."""
    return [name for name, options in FILES.items() if not _in_step(name, options)]


def _in_step(name: str, options: list[str]) -> bool:
    pinned = (BASE_DIR / name).read_text()
    with tempfile.TemporaryDirectory() as folder:
        # uv keeps the pins it finds in the output file wherever they still fit.
        output = Path(folder) / name
        output.write_text(pinned)
        subprocess.run([*COMPILE, *options, "-o", str(output)], cwd=BASE_DIR, check=True, stdout=subprocess.DEVNULL)
        return output.read_text() == pinned
