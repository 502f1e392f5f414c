"""aws-ses-v2-local, a double of SES from npm, which supports GetAccount; moto does not."""

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests

from config.environment import BASE_DIR
from devtools.stack.ports import free_port

PACKAGE = "aws-ses-v2-local@2.10.2"
FOLDER = BASE_DIR / ".local" / "doubles"
INSTALLED = FOLDER / "installed"
PROGRAM = FOLDER / "node_modules" / "aws-ses-v2-local" / "dist" / "cli.js"
ACCOUNT = {
    "DedicatedIpAutoWarmupEnabled": False,
    "Details": {
        "AdditionalContactEmailAddresses": [],
        "ContactLanguage": "EN",
        "MailType": "TRANSACTIONAL",
        "ReviewDetails": {"CaseId": "1", "Status": "GRANTED"},
        "UseCaseDescription": "",
        "WebsiteURL": "https://example.com",
    },
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SendingEnabled": True,
    "SendQuota": {"Max24HourSend": 50000, "MaxSendRate": 14, "SentLast24Hours": 1234},
    "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
}


@contextmanager
def ses_double(folder: Path, **changes: Any) -> Iterator[str]:
    """Run the double with an account like ACCOUNT and yield its address.

    If the double is not available, the test is skipped, but fails in CI.
    """
    _install()
    port = free_port()
    environment = os.environ | {"AWS_SES_ACCOUNT": json.dumps({**ACCOUNT, **changes})}
    command = ["node", str(PROGRAM), "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "ses_double.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}", process, folder)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _install() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Tests in several processes may install it simultaneously.
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.exists():
            # The remains of an interrupted installation would pass for a complete one.
            shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
            _fetch()
            INSTALLED.touch()


def _fetch() -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        _not_available("npm is not installed")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", str(FOLDER)]
    try:
        done = subprocess.run([*command, PACKAGE], capture_output=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        _not_available("npm's registry does not answer")
    if done.returncode:
        _not_available("npm's registry cannot be reached")


def _not_available(why: str) -> NoReturn:
    text = f"{why}: aws-ses-v2-local, SES' double, cannot be had"
    if os.environ.get("CI") == "true":
        # In CI, a run without these tests must not pass.
        pytest.fail(text)
    pytest.skip(text)


def _wait(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            requests.get(f"{url}/health-check", timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((folder / "ses_double.log").read_text())
