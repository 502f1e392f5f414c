"""`make fresh`: follow the README's quick start in a clean checkout, as a new developer does.

The checkout has a path with a space, an owner without privileges, an empty home folder and cold caches.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from config.environment import BASE_DIR
from devtools.stack.ports import HOST, free_port
from devtools.stack.server import as_user
from devtools.stack.site_client import SiteClient

UNPRIVILEGED = "nobody"
# Variables of the machine that lead to package registries.
KEPT = re.compile(r"^(PIP_|SSL_|REQUESTS_CA|.*_proxy$|.*_PROXY$|LANG$)")
PATIENCE_S = 600.0
NOT_STARTED = "The stack did not start."


class NotFreshError(RuntimeError):
    """A step of the README did not work; the text says which."""


class NewDeveloper:
    """A copy of the repository, with an empty home folder and no privileges."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "mailroom"
        home = folder / "home"
        home.mkdir()
        for name in subprocess.run(
            ["git", "ls-files", "-z"],  # noqa: S607 - the machine's git
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\0")[:-1]:
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BASE_DIR / name, self.checkout / name)
        kept = {name: value for name, value in os.environ.items() if KEPT.match(name)}
        self.environment = {**kept, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        self.account = UNPRIVILEGED if os.geteuid() == 0 else None
        if self.account:
            folder.chmod(0o755)
            subprocess.run(["chown", "-R", self.account, str(folder)], check=True)  # noqa: S607 - as above

    def start(self, command: str, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
        with log.open("wb") as out:
            return subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self.environment | environment,
                **{**as_user(self.account), "cwd": self.checkout},
            )

    def run(self, command: str, log: Path, **environment: str) -> int:
        return self.start(command, log, **environment).wait(PATIENCE_S)


def main() -> int:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="mailroom fresh "))
    log = folder / "log"
    try:
        follow(NewDeveloper(folder), log)
    except NotFreshError as error:
        print(f"{error}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"fresh: ok seconds={time.monotonic() - began:.0f}")
    return 0


def follow(developer: NewDeveloper, log: Path) -> None:
    up, demo = commands()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code = developer.run(up, log, WEB_PORT=port)
        must(code != 0 and f"Port {port} is taken" in log.read_text(), "A taken port was not reported.")
    try_it(developer, up, log)
    code = developer.run(demo, log)
    last = log.read_text().strip().splitlines()[-1]
    must(code == 0 and " sent=560 " in last, "The demo failed.")
    print(last)


def commands() -> list[str]:
    """Return the two commands of the quick start in the README."""
    section = (BASE_DIR / "README.md").read_text().partition("## Quick start")[2].partition("\n## ")[0]
    found = [line.partition("#")[0].strip() for line in section.splitlines() if line.startswith("    ")]
    must(len(found) == 2, "The README does not have two commands.")  # noqa: PLR2004 - two, as it says
    return found


def try_it(developer: NewDeveloper, up: str, log: Path) -> None:
    """Start the stack, sign up, wait for the email, stop."""
    ports = {name: str(free_port()) for name in ("WEB_PORT", "FLOWER_PORT", "SIMULATOR_PORT")}
    running = developer.start(up, log, **ports)
    try:
        wait_until(lambda: "Mailroom is up." in log.read_text() or running.poll() is not None, NOT_STARTED)
        must(running.poll() is None, NOT_STARTED)
        SiteClient(f"http://{HOST}:{ports['WEB_PORT']}").sign_up("newcomer@example.com")
        inbox = f"http://{HOST}:{ports['SIMULATOR_PORT']}/api/messages?to=newcomer"
        wait_until(lambda: requests.get(inbox, timeout=10).json()["count"] == 1, "The email did not arrive.")
        flower = requests.get(f"http://{HOST}:{ports['FLOWER_PORT']}/", timeout=10)
        must(flower.status_code == requests.codes.unauthorized, "Flower does not ask for a password.")
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGINT)
        running.wait(PATIENCE_S)
    must("Stopped. The data is kept" in log.read_text(), "The stack did not stop cleanly.")


def wait_until(happened: Callable[[], bool], otherwise: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not happened():
        must(time.monotonic() < give_up_at, otherwise)
        time.sleep(0.2)


def must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotFreshError(otherwise)


if __name__ == "__main__":
    sys.exit(main())
