"""Follow docs/how-to/try.md to the letter in a copy of the repository."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
import requests

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from tests.live.running import SET_BY_THE_SUITE, eventually

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.timeout(600)]

PAGE = (BASE_DIR / "docs/how-to/try.md").read_text()
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
CONTROLS = re.compile(r"api/controls -d '(.*)'$", re.MULTILINE)
STATUSES = """
from notifications.models import Message
print(*(message.status for message in Message.objects.filter(kind="order-shipped").order_by("created_at")))
"""


@pytest.fixture(scope="module")
def ports():
    return {name: str(free_port()) for name in ("WEB_PORT", "FLOWER_PORT", "SIMULATOR_PORT")}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, ports):
    """The repository with the page's files in it, started as the page says."""
    folder = tmp_path_factory.mktemp("tutorial") / "mailroom"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "staticfiles", "__pycache__", ".*_cache", "tests")
    shutil.copytree(BASE_DIR, folder, ignore=ignored)
    for name, text in BLOCK.findall(PAGE):
        (folder / name).parent.mkdir(exist_ok=True)
        with (folder / name).open("a") as file:
            file.write("\n" + textwrap.dedent(text) if name == "accounts/emails.py" else textwrap.dedent(text))
    log = folder.parent / "up.log"
    command = [sys.executable, "-m", "devtools.stack", "up"]
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=shell() | ports, stdout=out, stderr=out, start_new_session=True
        )
    try:
        eventually(lambda: "Mailroom is up." in log.read_text() or process.poll() is not None, within_s=400)
        assert process.poll() is None, log.read_text()
        yield folder
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        subprocess.run([*command[:-1], "clean"], cwd=folder, env=shell(), check=False)


def shell():
    return {name: value for name, value in os.environ.items() if name not in SET_BY_THE_SUITE}


def manage(folder, *arguments, stdin=None):
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=folder, env=shell(), input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_leads_to_an_email_that_is_sent_once(checkout, ports):
    site, simulator = f"http://127.0.0.1:{ports['WEB_PORT']}", f"http://127.0.0.1:{ports['SIMULATOR_PORT']}"
    assert "order-shipped" in requests.get(f"{site}/dev/emails/", timeout=10).text

    def subjects():
        found = requests.get(f"{simulator}/api/messages?to=ada", timeout=10).json()["messages"]
        return [message["subject"] for message in found if "471" in message["subject"]]

    script = (checkout / "send.py").read_text()
    for _ in range(2):
        manage(checkout, "shell", stdin=script)
    eventually(lambda: len(subjects()) == 1)

    (controls,) = CONTROLS.findall(PAGE)
    requests.put(f"{simulator}/api/controls", json=json.loads(controls), timeout=10).raise_for_status()
    manage(checkout, "shell", stdin=script.replace("4711", "4712"))
    for expected in (["sent", "uncertain"], ["sent", "sent"]):
        eventually(lambda: manage(checkout, "shell", "-v", "0", "-c", STATUSES).split() == expected)  # noqa: B023
    assert len(subjects()) == 2
