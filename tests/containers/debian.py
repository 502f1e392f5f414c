"""Unpacks Debian with mmdebstrap, from the mirrors of this machine's apt."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import NICE, EngineError

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LEAN = (
    '--aptopt=APT::Install-Recommends "false"',
    *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")),
)


@dataclass(frozen=True)
class Job:
    process: subprocess.Popen[bytes]
    target: Path
    log: Path

    def finish(self) -> None:
        """Wait for the end. Raises EngineError and deletes an incomplete system."""
        if self.process.wait() == 0:
            return
        if self.target.is_dir():
            shutil.rmtree(self.target, ignore_errors=True)
        else:
            self.target.unlink(missing_ok=True)
        raise EngineError("Debian could not be unpacked:\n" + self.log.read_text(errors="replace")[-1500:])


def why_not() -> str:
    """Return why Debian cannot be unpacked here, or "". Installs mmdebstrap in CI."""
    if not KEYRING.exists() or not mirror():
        return "no Docker engine runs, and apt knows no Debian mirror to unpack one from"
    if shutil.which("mmdebstrap") is None and os.environ.get("CI"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "mmdebstrap"]):
            subprocess.run(["apt-get", *command], check=False, capture_output=True, env=quiet)
    if shutil.which("mmdebstrap") is None:
        return "no Docker engine runs, and there is no mmdebstrap to unpack one with (apt install mmdebstrap)"
    return ""


def mirror() -> str:
    """Return the mirror from apt's configuration, or ""."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL)|$(COMPONENT)|$(REPO_URI)", "Identifier: Packages"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return next((line.split("|")[2] for line in lines if line.startswith("Debian|main|")), "")


def unpack(target: Path, log: Path, packages: str = "", *, variant: str) -> Job:
    """Start unpacking Debian into a folder or a .tar file."""
    include = [f"--include={packages}"] if packages else []
    source = f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main"
    command = ["mmdebstrap", "--mode=root", f"--variant={variant}", *LEAN, *include, SUITE, str(target), source]
    with log.open("wb") as output:
        process = subprocess.Popen([*NICE, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    return Job(process, target, log)
