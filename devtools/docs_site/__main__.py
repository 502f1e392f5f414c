"""Build the site. A broken link, or a page that no menu lists, fails the build."""

import shutil
import subprocess
import sys
from pathlib import Path

import django

from config.environment import BASE_DIR
from devtools.docs_site.source import write_source

FOLDER = BASE_DIR / ".local" / "docs"


def build(folder: Path) -> int:
    """Build the site in `folder` and return Sphinx' exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    write_source(folder / "source")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--jobs", "auto"]
    conf = ["-c", str(Path(__file__).parent), "-d", str(folder / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, *conf, str(folder / "source"), str(folder / "site")]
    return subprocess.run(command, cwd=BASE_DIR, check=False).returncode


if __name__ == "__main__":
    # The models of the public API.
    django.setup()
    code = build(FOLDER)
    if code == 0:
        print(f"Open {FOLDER / 'site' / 'index.html'}")
    sys.exit(code)
